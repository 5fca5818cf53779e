import { join } from "node:path";

/** The folder of the sources. */
export const src = join(import.meta.dir, "..");

/** Minifies an entry, given relative to `src`, and all its imports into one text. */
export async function bundle(entry: string, plugins: Bun.BunPlugin[]): Promise<string> {
  const entrypoints = [join(src, entry)];
  const built = await Bun.build({ entrypoints, target: "bun", minify: true, plugins });
  // import.meta is an error if somebody bundles this bundle as CommonJS. require() only loads
  // modules of Bun and Node.
  const text = await built.outputs[0]!.text();
  return text.replaceAll("import.meta.require", "process.getBuiltinModule");
}
