/** Bun's own file operations, on any thread. */
import { Database } from "bun:sqlite";
import { dlopen } from "bun:ffi";
import { createRequire } from "node:module";
import type { Probes } from "./observe.ts";
import { fresh, must, spare } from "./observe.ts";

async function matched(matches: AsyncIterable<string> | Iterable<string>): Promise<void> {
  for await (const _ of matches) return;
  must(false, "no match");
}

const is = (text: string) => must(text === "text", `read ${JSON.stringify(text)}`);

export const bunFile: Probes = {
  text: async (dir) => is(await Bun.file(`${dir}/file`).text()),
  bytes: (dir) => Bun.file(`${dir}/file`).bytes(),
  arrayBuffer: (dir) => Bun.file(`${dir}/file`).arrayBuffer(),
  json: (dir) => Bun.file(`${dir}/data.json`).json(),
  slice: (dir) => Bun.file(`${dir}/file`).slice(1, 2).text(),
  stream: async (dir) => is(await Bun.readableStreamToText(Bun.file(`${dir}/file`).stream())),
  "new Response": async (dir) => is(await new Response(Bun.file(`${dir}/file`)).text()),
  write: (dir) => Bun.write(fresh(dir), "text"),
  "write over": (dir) => Bun.write(`${dir}/file`, "text"),
  "write from a file": (dir) => Bun.write(fresh(dir), Bun.file(`${dir}/file`)),
  "write a large text": (dir) => Bun.write(fresh(dir), "text".repeat(1 << 18)),
  writer: async (dir) => {
    const writer = Bun.file(fresh(dir)).writer();
    writer.write("text");
    await writer.end();
  },
  delete: (dir) => Bun.file(spare(dir, "file")).delete(),
  exists: async (dir) => must(await Bun.file(`${dir}/file`).exists(), "it does not exist"),
  stat: (dir) => Bun.file(`${dir}/file`).stat(),
  mmap: (dir) => Bun.mmap(`${dir}/file`),
  "Glob.scan": (dir) => matched(new Bun.Glob("*.ts").scan(dir)),
  "Glob.scanSync": (dir) => matched(new Bun.Glob("*.ts").scanSync(dir)),
  "fetch file:": async (dir) => is(await (await fetch(Bun.pathToFileURL(`${dir}/file`))).text()),
  "Image.metadata": (dir) => new Bun.Image(`${dir}/image.png`).metadata(),
  "Image.bytes": (dir) => new Bun.Image(`${dir}/image.png`).png().bytes(),
  "Image.write": async (dir) => {
    const pixels = await new Bun.Image(`${dir}/image.png`).png().bytes();
    await new Bun.Image(pixels).png().write(fresh(dir));
  },
};

/** Bun's loader names the errno only in its message. */
async function load(action: () => unknown): Promise<void> {
  try {
    await action();
  } catch (error) {
    const { message } = error as Error;
    throw Object.assign(new Error(message), {
      code: message.match(/\bE[A-Z]{3,}\b/)?.[0] ?? message,
    });
  }
}

let loads = 0;

/** Ways to load code. A module loads only once, so each time needs a new name. */
export const loading: Probes = {
  "import()": (dir) => load(() => import(`${dir}/module.ts?${++loads}`)),
  "require()": (dir) =>
    load(() => {
      const require = createRequire(import.meta.url);
      delete require.cache[`${dir}/module.cjs`];
      return require(`${dir}/module.cjs`);
    }),
  "Bun.build": (dir) => load(() => Bun.build({ entrypoints: [`${dir}/module.ts`] })),
  "new Worker": (dir) =>
    load(async () => {
      const worker = new Worker(`${dir}/worker.ts`);
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      worker.onmessage = () => resolve();
      worker.onerror = (event) => reject(new Error(event.message));
      await promise.finally(() => worker.terminate());
    }),
  // Bun has cached the directory since the first round.
  "Bun.resolveSync": (dir) => Bun.resolveSync("./module", dir),
};

let libraries = 0;

/** The dynamic loader caches libraries by path, so a second use would open nothing. */
export const library: Probes = {
  "bun:ffi dlopen": (dir) => {
    const path = `${dir}/library-${++libraries > 2 ? 2 : 1}.so`;
    const name = { landlock_native_version: { args: [], returns: "i32" } } as const;
    return dlopen(path, name).symbols.landlock_native_version();
  },
};

const read = (database: Database) =>
  is(database.query<{ value: string }, []>("SELECT value FROM t").get()!.value);

export const sqlite: Probes = {
  Database: (dir) => {
    using database = new Database(`${dir}/data.sqlite`);
    read(database);
  },
  "Database readonly": (dir) => {
    using database = new Database(`${dir}/data.sqlite`, { readonly: true });
    read(database);
  },
};
