/** Keeps code that most programs do not need out of the start-up of the bundles. */
import { dirname, join, relative } from "node:path";
import { bundle, src } from "./bundle.ts";
import { builtIn, withoutImports } from "./runtime.ts";

/**
 * The commands of `cli.js` that watch another one. They are a second file, since no sandbox can
 * block its import. As plain code they would add 63 % to the start of a sandboxed /bin/true.
 */
const watching = "cli/watching.ts";

/**
 * Lazy files, each with the folders that are bundled into it. All but one are texts in the bundle,
 * evaluated when one of their functions is called. They export only functions and types.
 *
 * A file that saves less than 5 % of start-up isn't lazy. Importing `index.js` and enforcing ten
 * rules takes 13.1 ms of CPU time. Plain code would add 26 % for schemas, 21 % for presets and 26 %
 * for explain, or 6 to 8 % and 9 % for these two if they didn't load node:fs. Function literals
 * would add 15 % for all three. Separate files would save nothing measurable, and a sandbox may
 * block them. Source: wait4(2), medians of 60 to 120 alternating runs, Bun 1.4.5 on x64.
 */
const lazy: Readonly<Record<string, readonly string[]>> = {
  "validate/schemas.ts": ["validate/schemas"],
  "presets/lazy.ts": ["presets"],
  "explain/explain.ts": ["explain", "model", "advise"],
  [watching]: ["explain", "model", "trace", "learn", "advise", "terminal"],
};

/**
 * Bundles a lazy file as a function whose parameters are what it imports from elsewhere in `src`.
 * The bundle already has that, and there must be only one `LandlockError` and one `FsRule`.
 */
async function lateFunction(entry: string, folders: readonly string[]) {
  const sharing: Bun.BunPlugin = {
    name: "sharing",
    setup(build) {
      build.onResolve({ filter: /^\.{1,2}\// }, ({ path, importer }) => {
        const file = relative(src, join(dirname(importer), path));
        const isOwn = folders.some((folder) => file.startsWith(`${folder}/`));
        return isOwn || !importer.startsWith(src) ? undefined : { path: file, external: true };
      });
    },
  };
  const imports: string[] = [];
  const parameters: string[] = [];
  const body = withoutImports(await bundle(entry, [sharing]), (name, as, module) => {
    if (!module.endsWith(".ts")) return builtIn(name, as, module);
    const file = JSON.stringify(join(src, module));
    imports.push(`import { ${name} as $${parameters.length} } from ${file};`);
    parameters.push(as);
    return "";
  });
  const returning = body.replace(/export\{(.+?)\};?\s*$/, (_, names: string) => {
    return `return{${names.replaceAll(/(\w+) as (\w+)/g, "$2:$1")}}`;
  });
  const text = `(${parameters.join()})=>{"use strict";${returning}}`;
  return { imports, text, values: imports.map((_, i) => `$${i}`).join() };
}

/** Bundles all lazy files. The plugin replaces them in a bundle by the same functions. */
export async function lazyFiles() {
  const replacements = new Map<string, string>();
  let watchingText = "";
  for (const [entry, folders] of Object.entries(lazy)) {
    const { imports, text, values } = await lateFunction(entry, folders);
    const source = await Bun.file(join(src, entry)).text();
    const { exports } = new Bun.Transpiler({ loader: "ts" }).scan(source);
    let load = `loaded ??= (0, eval)(${JSON.stringify(text)})(${values})`;
    let call = (name: string) =>
      `(...values) => atCaller(${name}, () => load().${name}(...values))`;
    if (entry === watching) {
      watchingText = `// @bun\nexport default${text};\n`;
      load = `import(import.meta.dir + "/watching.js").then((file) => file.default(${values}))`;
      call = (name) => `async () => (await load()).${name}()`;
    }
    const contents = `
      ${imports.join("\n")}
      import { atCaller } from ${JSON.stringify(join(src, "validate/values.ts"))};
      let loaded;
      const load = () => ${load};
      ${exports.map((name) => `export const ${name} = ${call(name)};`).join("\n")}`;
    replacements.set(join(src, entry), contents);
  }
  const plugin: Bun.BunPlugin = {
    name: "lazy files",
    setup(build) {
      build.onLoad({ filter: /\.ts$/ }, ({ path }) => {
        const contents = replacements.get(path);
        return contents === undefined ? undefined : { contents, loader: "js" };
      });
    },
  };
  return { plugin, watchingText };
}
