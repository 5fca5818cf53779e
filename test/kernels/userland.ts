/** A guest's files without the kernel: Debian's programs, Bun, and compiled test programs. */
import { existsSync, mkdtempSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { compile, programs, type ProgramName } from "../programs.ts";
import type { Apt } from "./apt.ts";
import { cacheFolder } from "./cache.ts";
import { run } from "./run-command.ts";
import type { Cpu } from "./table.ts";

const packages = [
  ...["base-files", "bash", "busybox-static", "coreutils", "dash", "grep", "libc-bin", "mount"],
  ...["musl", "util-linux"],
];

/** Unpacks Debian's programs without configuring them; returns the folder. */
export async function userland(cpu: Cpu, apt: Apt): Promise<string> {
  const files = (await apt.downloadWithDependencies(packages)).sort();
  const folder = join(cacheFolder("userland", cpu), Bun.hash(files.join()).toString(36));
  if (existsSync(folder)) return folder;
  const unfinished = mkdtempSync(`${folder}-`);
  // Links come first, because other packages unpack through them.
  const first = files.filter((file) => /\/base-files_/.test(file));
  for (const file of [...first, ...files.filter((file) => !first.includes(file))]) {
    await run(["dpkg-deb", "--extract", file, unfinished]);
  }
  renameSync(unfinished, folder);
  return folder;
}

/** The running Bun, or the same version for another CPU from npm; returns its path. */
export async function bunFor(cpu: Cpu): Promise<string> {
  if (process.arch === cpu) return process.execPath;
  const name = { x64: "bun-linux-x64", arm64: "bun-linux-aarch64" }[cpu];
  const folder = cacheFolder("bun", `${name}-${Bun.version}`);
  const path = join(folder, "package", "bin", "bun");
  if (existsSync(path)) return path;
  const spec = `@oven/${name}@${Bun.version}`;
  const archive = await run(["npm", "pack", "--silent", "--pack-destination", folder, spec]);
  await run(["tar", "--extract", "--file", join(folder, archive.trim()), "--directory", folder]);
  rmSync(join(folder, archive.trim()));
  return path;
}

/** How much slower an emulated CPU is, for all time limits in tests. */
export const slowness = 10;

/** Debian has no musl compiler for another CPU. */
const compilers: Record<Cpu, Partial<Record<"glibc" | "musl", string>>> = {
  x64: { glibc: "gcc", musl: "musl-gcc" },
  arm64: { glibc: "aarch64-linux-gnu-gcc" },
};

/** Compiles this CPU's test programs; returns the folder. */
export function compiledPrograms(cpu: Cpu): string {
  const folder = cacheFolder("programs", cpu);
  for (const name of Object.keys(programs) as ProgramName[]) {
    const compiler = compilers[cpu][programs[name].libc];
    if (compiler === undefined) continue;
    compile(name, join(folder, name), [compiler, `-DSLOWNESS=${slowness}`]);
  }
  return folder;
}

/** A minimal `/etc`, for user names and the host name. */
export const etc: Readonly<Record<string, string>> = {
  hostname: "guest\n",
  hosts: "127.0.0.1 localhost guest\n::1 localhost\n",
  "nsswitch.conf": "passwd: files\ngroup: files\nhosts: files dns\n",
  passwd:
    "root:x:0:0:root:/root:/bin/sh\nuser:x:1000:1000::/:/bin/sh\nnobody:x:65534:65534::/:/bin/sh\n",
  group: "root:x:0:\nuser:x:1000:\nnogroup:x:65534:\n",
  "resolv.conf": "",
};
