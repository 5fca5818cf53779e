import { join } from "node:path";

/** The folder of the sources. */
export const src = join(import.meta.dir, "..");

/** Minifies an entry, as seen from `src`, and all that it imports, into one text. */
export async function bundle(
  entry: string,
  plugins: Bun.BunPlugin[],
  format: "esm" | "cjs",
): Promise<string> {
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
