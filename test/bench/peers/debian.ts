/** Peers from Debian's newest packages, unpacked into the cache and run with their own libc. */
import { existsSync, mkdtempSync, renameSync } from "node:fs";
import { basename, join } from "node:path";
import { openApt } from "../../kernels/apt.ts";
import { run } from "../../kernels/run-command.ts";
import type { Cpu } from "../../kernels/table.ts";
import { benchFolder } from "./cache.ts";

/** The peers, and the tools that compile the measurement programs. */
const packages = [
  "bubblewrap",
  "go-landlock",
  "golang-github-landlock-lsm-go-landlock-dev",
  "golang-go",
  "landrun",
  "libcap-dev",
  "util-linux",
];

const triplets = { x64: "x86_64-linux-gnu", arm64: "aarch64-linux-gnu" } as const;
const loaders = { x64: "ld-linux-x86-64.so.2", arm64: "ld-linux-aarch64.so.1" } as const;

/** Packages in a folder. */
export interface Debian {
  /** The path of a packaged file, such as `"usr/bin/setpriv"`; undefined if missing. */
  file(name: string): string | undefined;
  /** The words that run a packaged program with the libraries it was built for. */
  program(name: string): string[] | undefined;
  /** The version of a package, without Debian's suffix. */
  version(name: string): string;
  /** Library folders. */
  readonly libraries: string;
}

/**
 * Downloads and unpacks the packages if they are missing.
 *
 * @throws If there is no apt, or no network
 */
export async function openDebian(): Promise<Debian> {
  const cpu = process.arch as Cpu;
  const apt = await openApt(cpu, ["trixie", "trixie-backports", "sid"]);
  const archives = (await apt.downloadWithDependencies(packages)).sort();
  const root = join(benchFolder("debian"), Bun.hash(archives.join()).toString(36));
  if (!existsSync(root)) {
    const unfinished = mkdtempSync(`${root}-`);
    for (const archive of archives) await run(["dpkg-deb", "--extract", archive, unfinished]);
    renameSync(unfinished, root);
  }
  const libraries = join(root, "usr", "lib", triplets[cpu]);
  const file = (name: string) => {
    const path = join(root, name);
    return existsSync(path) ? path : undefined;
  };
  return {
    file,
    program(name) {
      const path = file(name);
      if (path === undefined) return undefined;
      return [join(libraries, loaders[cpu]), "--library-path", libraries, path];
    },
    version(name) {
      const archive = archives
        .map((path) => basename(path))
        .find((one) => one.startsWith(`${name}_`));
      return decodeURIComponent(archive?.split("_")[1] ?? "").replace(/^\d+:|-[^-]*$/g, "");
    },
    libraries,
  };
}
