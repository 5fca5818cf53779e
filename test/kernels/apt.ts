/** Packages of other suites and CPUs, by a private apt that leaves the system's unchanged. */
import { existsSync, mkdirSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { cacheFolder } from "./cache.ts";
import { run } from "./run-command.ts";
import { sourceList } from "./sources.ts";
import type { Cpu } from "./table.ts";

const debianCpu = { x64: "amd64", arm64: "arm64" } as const;

/** Packages for one CPU. */
export interface Apt {
  /**
   * The latest package whose name matches.
   *
   * @throws If there is none
   */
  latest(pattern: RegExp): Promise<string>;
  /** Downloads a package and returns the path of its file. */
  download(name: string): Promise<string>;
  /** Downloads packages with all their dependencies and returns the files' paths. */
  downloadWithDependencies(names: readonly string[]): Promise<string[]>;
}

const hour = 3_600_000;

/** Downloads the suites' lists, unless they are less than half a day old. */
export async function openApt(cpu: Cpu, suites: readonly string[]): Promise<Apt> {
  const list = sourceList([...new Set(suites)].sort());
  const folder = cacheFolder("apt", cpu, Bun.hash(list).toString(36));
  const archives = cacheFolder("packages", cpu);
  cacheFolder("packages", cpu, "partial");
  mkdirSync(join(folder, "lists", "partial"), { recursive: true });
  writeFileSync(join(folder, "sources.list"), list);
  const settings = [
    `Dir::Etc::sourcelist=${join(folder, "sources.list")}`,
    "Dir::Etc::sourceparts=/dev/null",
    `Dir::State::lists=${join(folder, "lists")}`,
    `Dir::Cache=${folder}`,
    `Dir::Cache::archives=${archives}`,
    "Dir::State::status=/dev/null",
    `APT::Architecture=${debianCpu[cpu]}`,
    `APT::Architectures=${debianCpu[cpu]}`,
    // apt's own user may not be able to enter this folder.
    "APT::Sandbox::User=",
    "Acquire::Retries=3",
  ].flatMap((setting) => ["-o", setting]);
  const apt = (program: "apt-get" | "apt-cache", args: readonly string[]) =>
    run([program, ...settings, ...args], { cwd: archives });

  const stamp = join(folder, "updated");
  if (!existsSync(stamp) || Date.now() - statSync(stamp).mtimeMs > 12 * hour) {
    await apt("apt-get", ["update"]);
    writeFileSync(stamp, "");
  }

  return {
    async latest(pattern) {
      const names = (await apt("apt-cache", ["pkgnames", "linux-"])).split("\n");
      const newest = names
        .filter((name) => pattern.test(name))
        .toSorted(byNumbers)
        .at(-1);
      if (newest === undefined) {
        throw new Error(`no package matches ${pattern.source} any more in ${suites.join(", ")}`);
      }
      return newest;
    },
    async download(name) {
      const file = () => readdirSync(archives).find((file) => file.startsWith(`${name}_`));
      if (file() === undefined) await apt("apt-get", ["download", name]);
      return join(archives, file()!);
    },
    async downloadWithDependencies(names) {
      const install = ["install", "--no-install-recommends", "--yes", ...names];
      await apt("apt-get", [...install, "--download-only"]);
      const plan = await apt("apt-get", [...install, "--simulate"]);
      return [...plan.matchAll(/^Inst (\S+) \((\S+) .*\[(\w+)\]\)/gm)].map(
        ([, name, version, cpu]) =>
          join(archives, `${name}_${version!.replace(":", "%3a")}_${cpu}.deb`),
      );
    },
  };
}

/** Compares the numbers in two names, from left to right. */
function byNumbers(a: string, b: string): number {
  const numbers = (name: string) => (name.match(/\d+/g) ?? []).map(Number);
  const other = numbers(b);
  for (const [i, number] of numbers(a).entries()) {
    if (number !== other[i]) return number - (other[i] ?? -1);
  }
  return 0;
}
