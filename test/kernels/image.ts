/** A CPU's initramfs: userland, Bun, this project, and the tests to run. */
import { join } from "node:path";
import type { Apt } from "./apt.ts";
import { cacheFolder } from "./cache.ts";
import { CpioWriter } from "./cpio.ts";
import type { Cpu } from "./table.ts";
import { bunFor, compiledPrograms, etc, userland } from "./userland.ts";

const root = join(import.meta.dir, "..", "..");

/** The project's files that tests need. */
const project = ["package.json", "bunfig.toml", "tsconfig.json", "src", "lib", "test"];
const dependencies = ["node_modules/zod"];
const documentation = /^usr\/share\/(doc|info|locale|man)(\/|$)/;

/** Tests that depend on the kernel: the guard first, then the slowest. */
export function testFiles(): string[] {
  const first = [
    ...["test/abi-guard.test.ts", "test/lib/allthreads.test.ts", "test/presets/dns.test.ts"],
    ...["test/explain/property.test.ts", "test/cli.test.ts", "test/explain/denials-newer.test.ts"],
    ...["test/explain/explain.test.ts"],
  ];
  // spawn()'s options and its errors about bad programs are the same everywhere.
  const spawn = ["code", "inherit", "workers"].map((name) => `test/spawn/${name}.test.ts`);
  const found = new Bun.Glob("test/{threads,enforce}/*.test.ts").scanSync(root);
  return [...first, ...spawn, ...[...found].sort().reverse()];
}

/**
 * Bundles, because many processes load these modules and an emulated CPU reads the sources slowly.
 * They are as deep as `src/kernel`, so that they find the native libraries.
 */
const bundled = {
  LANDLOCK_TEST_INSIDE: "test/inside.ts",
  LANDLOCK_TEST_WORLD: "test/explain/property/child.ts",
} as const;

const bundlePath = (entry: string) => `project/test/kernels/${entry.replace(/.*\/|\.ts$/g, "")}.js`;

/** The variables that tell tests in a guest where the bundles are. */
export const bundleVariables: readonly string[] = Object.entries(bundled).map(
  ([name, entry]) => `${name}=/${bundlePath(entry)}`,
);

async function bundle(entry: string): Promise<string> {
  const built = await Bun.build({
    entrypoints: [join(root, entry)],
    target: "bun",
    external: ["*.so"],
  });
  return built.outputs[0]!.text();
}

/** Builds the image and returns its path. */
export async function makeImage(cpu: Cpu, apt: Apt, files: readonly string[]): Promise<string> {
  const [programs, bun] = await Promise.all([userland(cpu, apt), bunFor(cpu)]);
  const path = join(cacheFolder(), `image-${cpu}.cpio`);
  const image = new CpioWriter(path);
  image.copy(programs, "", documentation);
  for (const [name, text] of Object.entries(etc)) image.file(`etc/${name}`, text);
  image.copy(bun, "usr/local/bin/bun");
  image.copy(compiledPrograms(cpu), "programs");
  for (const name of [...project, ...dependencies]) {
    image.copy(join(root, name), `project/${name}`);
  }
  for (const entry of Object.values(bundled)) image.file(bundlePath(entry), await bundle(entry));
  for (const folder of ["dev", "proc", "run", "sys"]) image.folder(folder);
  image.folder("tmp", 0o1777);
  image.file("tests", `${files.join("\n")}\n`);
  image.file("init", await Bun.file(join(import.meta.dir, "guest", "init")).text(), 0o755);
  image.close();
  return path;
}
