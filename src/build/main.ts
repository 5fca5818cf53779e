/**
 * Builds the published form in `dist/`: `bun run build`. Each entry becomes one minified bundle
 * that contains zod and the native libraries. The declarations and zod's licence are added.
 */
import { chmodSync, copyFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { bundle, src } from "./bundle.ts";
import { lazyFiles } from "./lazy.ts";
import { nativeText } from "./native.ts";
import { otherRuntime, withRuntimeCheck } from "./runtime.ts";
import { starter } from "./starter.ts";
import { policyJsonSchema } from "../validate/schemas/json-schema.ts";

const root = join(src, "..");
const dist = join(root, "dist");

/**
 * Adapts declarations to projects without Bun's types, where those become `any`, or without the
 * newest library.
 */
function portable(text: string): string {
  const code = text.replaceAll(/\/\*[\s\S]*?\*\/|\/\/.*/g, "");
  const bun = `// @ts-ignore: without Bun's types\nimport type * as Bun from "bun";\n`;
  return [
    /\bDisposable\b/.test(code) ? '/// <reference lib="esnext.disposable" />\n' : "",
    /\bBun\./.test(code) ? bun : "",
    text.replaceAll(/from "(\.[^"]+)\.ts"/g, 'from "$1.js"'),
  ].join("");
}

/** Writes the declarations that `index.d.ts` needs, and no others. */
async function declarations(): Promise<void> {
  const scratch = mkdtempSync(join(tmpdir(), "landlock-types-"));
  const config = join(scratch, "tsconfig.json");
  const compilerOptions = {
    noEmit: false,
    declaration: true,
    emitDeclarationOnly: true,
    stripInternal: true,
    rootDir: src,
    outDir: scratch,
    typeRoots: [join(root, "node_modules")],
  };
  const files = ["index.ts", "kernel/so.d.ts"].map((file) => join(src, file));
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
    await Bun.write(target, portable(text));
  }
  rmSync(scratch, { recursive: true });
}

rmSync(dist, { recursive: true, force: true });
const { plugin, watchingText } = await lazyFiles();
const plugins = [plugin, nativeText];
for (const entry of ["index", "cli", "preload"]) {
  const path = join(dist, `${entry}.js`);
  const text = withRuntimeCheck(entry, await bundle(`${entry}.ts`, plugins));
  await Bun.write(path, entry === "cli" ? text.replace(/^\/\/ @bun\n/, () => starter) : text);
  console.log(`dist/${entry}.js  ${Bun.file(path).size} bytes`);
}
await Bun.write(join(dist, "other-runtime.cjs"), otherRuntime);
await Bun.write(join(dist, "watching.js"), watchingText);
chmodSync(join(dist, "cli.js"), 0o755);
// The bundles contain zod's code, so its licence must be included.
copyFileSync(join(root, "node_modules/zod/LICENSE"), join(dist, "LICENSE.zod"));
const schema = JSON.stringify(policyJsonSchema(), null, 2);
await Bun.write(join(dist, "policy.schema.json"), `${schema}\n`);
await declarations();
