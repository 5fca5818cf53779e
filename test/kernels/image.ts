/** The initramfs of a CPU: userland, Bun, this project, and which tests to run. */
import { join } from "node:path";
import type { Apt } from "./apt.ts";
import { cacheFolder } from "./cache.ts";
import { CpioWriter } from "./cpio.ts";
import type { Cpu } from "./table.ts";
import { bunFor, compiledPrograms, etc, userland } from "./userland.ts";

const root = join(import.meta.dir, "..", "..");

/** What tests need of the project. */
const project = ["package.json", "bunfig.toml", "tsconfig.json", "src", "lib", "test"];
const dependencies = ["node_modules/zod"];
const documentation = /^usr\/share\/(doc|info|locale|man)(\/|$)/;

/** Those that depend on the kernel: the guard first, then those that take longest. */
export function testFiles(): string[] {
  const first = [
    "test/abi-guard.test.ts",
    "test/lib/allthreads.test.ts",
    "test/presets/dns.test.ts",
    "test/explain/property.test.ts",
    "test/cli.test.ts",
  ];
  const found = new Bun.Glob("test/{threads,enforce}/*.test.ts").scanSync(root);
  return [...first, ...[...found].sort().reverse()];
}

/** Where the bundle of `inside.ts` lies: as deep as `src/kernel`, for the native libraries' sake. */
export const insideBundle = "project/test/kernels/inside.js";

async function bundleInside(): Promise<string> {
  const built = await Bun.build({
    entrypoints: [join(root, "test", "inside.ts")],
    target: "bun",
    external: ["*.so"],
  });
  return built.outputs[0]!.text();
}

/** Makes the image anew; returns its path. */
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
  image.file(insideBundle, await bundleInside());
  for (const folder of ["dev", "proc", "run", "sys"]) image.folder(folder);
  image.folder("tmp", 0o1777);
  image.file("tests", `${files.join("\n")}\n`);
  image.file("init", await Bun.file(join(import.meta.dir, "guest", "init")).text(), 0o755);
  image.close();
  return path;
}
