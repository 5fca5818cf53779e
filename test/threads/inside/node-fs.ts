/** Every operation of `node:fs` on paths, in its three forms. */
import * as fs from "node:fs";
import type { Probes } from "./observe.ts";
import { fresh, must, spare } from "./observe.ts";

const operations: Record<string, (dir: string) => unknown[]> = {
  open: (dir) => [`${dir}/file`],
  readFile: (dir) => [`${dir}/file`],
  writeFile: (dir) => [`${dir}/file`, "text"],
  appendFile: (dir) => [`${dir}/file`, ""],
  truncate: (dir) => [`${dir}/file`, 4],
  copyFile: (dir) => [`${dir}/file`, fresh(dir)],
  cp: (dir) => [`${dir}/file`, fresh(dir)],
  readdir: (dir) => [dir],
  "readdir recursive": (dir) => [dir, { recursive: true }],
  mkdir: (dir) => [fresh(dir)],
  "mkdir recursive": (dir) => [`${fresh(dir)}/deep`, { recursive: true }],
  mkdtemp: (dir) => [`${dir}/folder-`],
  symlink: (dir) => ["file", fresh(dir)],
  link: (dir) => [`${dir}/file`, fresh(dir)],
  rename: (dir) => [spare(dir, "file"), fresh(dir)],
  "rename to another folder": (dir) => [spare(dir, "file"), `${dir}/folder/${Bun.randomUUIDv7()}`],
  unlink: (dir) => [spare(dir, "file")],
  rm: (dir) => [spare(dir, "file")],
  "rm recursive": (dir) => [spare(dir, "folder"), { recursive: true }],
  rmdir: (dir) => [spare(dir, "folder")],
  stat: (dir) => [`${dir}/file`],
  lstat: (dir) => [`${dir}/link`],
  access: (dir) => [`${dir}/file`],
  realpath: (dir) => [`${dir}/link`],
  readlink: (dir) => [`${dir}/link`],
  chmod: (dir) => [`${dir}/file`, 0o600],
  utimes: (dir) => [`${dir}/file`, 1, 1],
  statfs: (dir) => [dir],
};

type Call = (...args: unknown[]) => unknown;
const calls = fs as unknown as Record<string, Call>;

function forms(call: (name: string) => Call): Probes {
  return Object.fromEntries(
    Object.entries(operations).map(([title, args]) => {
      const run = call(title.split(" ")[0]!);
      return [title, async (dir: string) => close(await run(...args(dir)))];
    }),
  );
}

/** Closes every descriptor that it opens. */
async function close(result: unknown): Promise<void> {
  if (typeof result === "number") fs.closeSync(result);
  else if (result instanceof Object && "close" in result) await (result.close as Call)();
}

export const sync = forms((name) => calls[`${name}Sync`]!);

export const callbacks = forms((name) => async (...args) => {
  const { promise, resolve, reject } = Promise.withResolvers();
  calls[name]!(...args, (error: unknown, result: unknown) =>
    error ? reject(error) : resolve(result),
  );
  return promise;
});

export const promises = forms((name) => {
  const call = (fs.promises as unknown as Record<string, Call>)[name]!;
  return (...args) => call(...args);
});

async function drained(stream: AsyncIterable<unknown>): Promise<void> {
  let chunks = 0;
  for await (const _ of stream) chunks++;
  must(chunks > 0, "the stream was empty");
}

function written(stream: fs.WriteStream): Promise<void> {
  return new Promise((resolve, reject) => {
    stream.on("error", reject).on("finish", resolve).end("text");
  });
}

async function matched(matches: AsyncIterable<unknown> | Iterable<unknown>): Promise<void> {
  for await (const _ of matches) return;
  must(false, "no match");
}

/** Operations without three forms. */
export const streams: Probes = {
  createReadStream: (dir) => drained(fs.createReadStream(`${dir}/file`)),
  createWriteStream: (dir) => written(fs.createWriteStream(fresh(dir))),
  opendir: async (dir) => drained(await fs.promises.opendir(dir)),
  opendirSync: (dir) => drained(fs.opendirSync(dir)),
  openAsBlob: async (dir) => (await fs.openAsBlob(`${dir}/file`)).text(),
  "promises.open stream": async (dir) => {
    await using file = await fs.promises.open(`${dir}/file`);
    await drained(file.createReadStream());
  },
  "promises.glob": (dir) => matched(fs.promises.glob("*.ts", { cwd: dir })),
  globSync: (dir) => matched(fs.globSync("*.ts", { cwd: dir })),
  existsSync: (dir) => must(fs.existsSync(`${dir}/file`), "it does not exist"),
};

async function watched(dir: string, options: { recursive?: boolean } = {}): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const watcher = fs.watch(dir, options, () => resolve());
  watcher.on("error", reject);
  fs.utimesSync(`${dir}/file`, 1, 1);
  await promise.finally(() => watcher.close());
}

/** Each waits until it sees a change. */
export const watching: Probes = {
  watch: (dir) => watched(dir),
  "watch recursive": (dir) => watched(dir, { recursive: true }),
};
