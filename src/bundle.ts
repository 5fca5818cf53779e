/**
 * Makes the published form in `dist/`: `bun run build`. One minified bundle per entry, zod inside,
 * and the declarations. The native libraries stay where they are, in `lib/prebuilt`.
 */
import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";

const root = join(import.meta.dir, "..");
const src = import.meta.dir;
const dist = join(root, "dist");

/**
 * Files that travel as text inside the bundle and are evaluated when one of their functions is
 * called: every script would pay for them at its start, and by the time they are needed a file of
 * theirs could be out of reach, behind the sandbox. They export functions and types only. What
 * they import from their own folder travels with them; a file in `src` itself has no folder.
 */
const lazy = ["schemas.ts", "presets/lazy.ts"];

async function bundle(entry: string, plugins: Bun.BunPlugin[], format: "esm" | "cjs") {
  const built = await Bun.build({
    entrypoints: [join(src, entry)],
    target: "bun",
    format,
    minify: true,
    external: ["*.so"],
    plugins,
  });
  // In dist the libraries are one folder up, in src/kernel two.
  return (await built.outputs[0]!.text()).replaceAll('"../../lib/', '"../lib/');
}

/**
 * Leaves out what a lazy file imports from elsewhere in `src`, and notes it: the bundle has that
 * already, and there must be one `LandlockError` and one `FsRule` only.
 */
function sharing(entry: string, shared: Set<string>): Bun.BunPlugin {
  const folder = entry.includes("/") ? dirname(join(src, entry)) : join(src, entry);
  return {
    name: "sharing",
    setup(build) {
      build.onResolve({ filter: /^\.{1,2}\// }, ({ path, importer }) => {
        const file = join(dirname(importer), path);
        if (!importer.startsWith(src) || file.startsWith(`${folder}/`) || !importer)
          return undefined;
        const name = relative(src, file);
        shared.add(name);
        return { path: name, external: true };
      });
    },
  };
}

/** The module that stands in the bundle for a lazy file: the same functions, with its text. */
async function standIn(entry: string): Promise<string> {
  const shared = new Set<string>();
  const text = await bundle(entry, [sharing(entry, shared)], "cjs");
  const files = [...shared].sort();
  const names = new Bun.Transpiler({ loader: "ts" }).scan(
    await Bun.file(join(src, entry)).text(),
  ).exports;
  return `
    ${files.map((file, i) => `import * as shared${i} from ${JSON.stringify(join(src, file))};`).join("\n")}
    const shared = { ${files.map((file, i) => `${JSON.stringify(file)}: shared${i}`).join(", ")} };
    let loaded;
    function load() {
      if (loaded) return loaded;
      const module = { exports: {} };
      const find = (name) => shared[name] ?? require(name);
      (0, eval)(${JSON.stringify(text)})(module.exports, find, module);
      return (loaded = module.exports);
    }
    ${names.map((name) => `export const ${name} = (...args) => load().${name}(...args);`).join("\n")}`;
}

async function lazyFiles(): Promise<Bun.BunPlugin> {
  const contents = new Map<string, string>();
  for (const entry of lazy) contents.set(join(src, entry), await standIn(entry));
  return {
    name: "lazy files",
    setup(build) {
      build.onLoad({ filter: /\.ts$/ }, ({ path }) => {
        const found = contents.get(path);
        return found === undefined ? undefined : { contents: found, loader: "js" };
      });
    },
  };
}

/** The declarations that `index.d.ts` needs, and no others. */
async function declarations(): Promise<void> {
  const scratch = mkdtempSync(join(tmpdir(), "landlock-types-"));
  const config = join(scratch, "tsconfig.json");
  const compilerOptions = {
    noEmit: false,
    declaration: true,
    emitDeclarationOnly: true,
    stripInternal: true,
    rootDir: import.meta.dir,
    outDir: scratch,
    typeRoots: [join(root, "node_modules", "@types")],
  };
  const files = ["index.ts", "kernel/so.d.ts"].map((file) => join(import.meta.dir, file));
  const extended = { extends: join(root, "tsconfig.json"), compilerOptions, files, include: [] };
  await Bun.write(config, JSON.stringify(extended));
  const tsc = join(root, "node_modules", "typescript", "bin", "tsc");
  const done = Bun.spawnSync([process.execPath, "--bun", tsc, "-p", config]);
  if (!done.success)
    throw new Error(`tsc failed:\n${done.stdout.toString()}${done.stderr.toString()}`);
  const wanted = [join(scratch, "index.d.ts")];
  for (const file of wanted) {
    const text = await Bun.file(file).text();
    for (const [, specifier] of text.matchAll(/from "(\.[^"]+)\.ts"/g)) {
      const next = join(dirname(file), `${specifier}.d.ts`);
      if (!wanted.includes(next)) wanted.push(next);
    }
    const target = join(dist, "types", relative(scratch, file));
    await Bun.write(target, text.replaceAll(/from "(\.[^"]+)\.ts"/g, 'from "$1.js"'));
  }
  rmSync(scratch, { recursive: true });
}

rmSync(dist, { recursive: true, force: true });
const plugins = [await lazyFiles()];
for (const entry of ["index", "cli"]) {
  const path = join(dist, `${entry}.js`);
  await Bun.write(path, await bundle(`${entry}.ts`, plugins, "esm"));
  console.log(`dist/${entry}.js  ${Bun.file(path).size} bytes`);
}
chmodSync(join(dist, "cli.js"), 0o755);
await declarations();
