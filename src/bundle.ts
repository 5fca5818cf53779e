/**
 * Makes the published form in `dist/`: `bun run build`. One minified bundle per entry and the
 * declarations. The native libraries stay where they are, in `lib/prebuilt`.
 */
import { rmSync } from "node:fs";
import { join } from "node:path";

const root = join(import.meta.dir, "..");
const dist = join(root, "dist");

async function bundle(entry: string, plugins: Bun.BunPlugin[], format: "esm" | "cjs") {
  const built = await Bun.build({
    entrypoints: [join(import.meta.dir, entry)],
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
 * Evaluating zod would cost each script a third of its start-up, and it is needed only to explain
 * an error; but then its file may be out of reach, behind the sandbox. So it travels as text.
 */
async function lazySchemas(): Promise<Bun.BunPlugin> {
  const text = await bundle("schemas.ts", [], "cjs");
  const contents = `
    let loaded;
    export function parse(name, value) {
      if (!loaded) {
        const module = { exports: {} };
        (0, eval)(${JSON.stringify(text)})(module.exports, require, module);
        loaded = module.exports;
      }
      return loaded.parse(name, value);
    }`;
  return {
    name: "lazy schemas",
    setup(build) {
      build.onLoad({ filter: /src\/schemas\.ts$/ }, () => ({ contents, loader: "js" }));
    },
  };
}

rmSync(dist, { recursive: true, force: true });
const plugins = [await lazySchemas()];
for (const entry of ["index", "cli"]) {
  const text = await bundle(`${entry}.ts`, plugins, "esm");
  await Bun.write(join(dist, `${entry}.js`), text);
  console.log(`dist/${entry}.js  ${text.length} bytes`);
}
