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
    plugins,
  });
  // import.meta is an error in a CommonJS bundle that somebody makes of this one. Only modules of
  // Bun and Node are loaded by require().
  const text = await built.outputs[0]!.text();
  return text.replaceAll("import.meta.require", "process.getBuiltinModule");
}
