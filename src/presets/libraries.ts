/** Finds shared libraries as the dynamic loader would, without running it. */
import { readFileSync, realpathSync } from "node:fs";
import { dirname, isAbsolute, join } from "node:path";
import { LandlockError } from "../errors/errors.ts";
import { inheritedVariable } from "../kernel/inherited.ts";
import { elfOf, isLibrary, type Elf } from "./elf.ts";

/** An ELF file to be loaded, and the one that needs it. */
interface Loaded {
  readonly path: string;
  readonly elf: Elf;
  readonly by: Loaded | undefined;
}

interface Loader {
  readonly musl: boolean;
  /** The system's folders, in the loader's order. */
  readonly folders: readonly string[];
  /** What the loader reads apart from libraries. */
  readonly files: readonly string[];
}

/** Variants for newer CPUs, which glibc prefers if they exist. */
const hwcaps = ["x86-64-v4", "x86-64-v3", "x86-64-v2"].map((name) => `glibc-hwcaps/${name}`);

function linesOf(path: string): string[] {
  try {
    return readFileSync(path, "utf8")
      .split("\n")
      .map((line) => line.replace(/#.*/, "").trim())
      .filter((line) => line !== "");
  } catch {
    return [];
  }
}

/** The folders in `/etc/ld.so.conf` and the files it includes. */
function configured(file: string, seen = new Set<string>()): string[] {
  if (seen.has(file)) return [];
  seen.add(file);
  return linesOf(file).flatMap((line) => {
    const pattern = /^include\s+(.+)$/.exec(line)?.[1];
    if (pattern === undefined) return isAbsolute(line) ? [line.replace(/\s*=.*/, "")] : [];
    const absolute = isAbsolute(pattern) ? pattern : join(dirname(file), pattern);
    const found = [...new Bun.Glob(absolute.slice(1)).scanSync({ cwd: "/", absolute: true })];
    return found.sort().flatMap((path) => configured(path, seen));
  });
}

const triplets: Readonly<Record<number, string>> = {
  62: "x86_64-linux-gnu",
  183: "aarch64-linux-gnu",
};

function glibc(machine: number): Loader {
  const triplet = triplets[machine];
  const multiarch = triplet ? [`/lib/${triplet}`, `/usr/lib/${triplet}`] : [];
  const standard = ["/lib64", "/usr/lib64", "/lib", "/usr/lib"];
  return {
    musl: false,
    folders: [...configured("/etc/ld.so.conf"), ...multiarch, ...standard],
    files: ["/etc/ld.so.cache", "/etc/ld.so.preload"],
  };
}

/** musl's names for CPUs. */
const muslCpus: Readonly<Record<number, string>> = { 62: "x86_64", 183: "aarch64" };

function musl(machine: number): Loader {
  const file = `/etc/ld-musl-${muslCpus[machine]}.path`;
  const own = linesOf(file).flatMap((line) => line.split(":"));
  const folders = own.length > 0 ? own : ["/lib", "/usr/local/lib", "/usr/lib"];
  return { musl: true, folders, files: [file] };
}

function list(variable: string): string[] {
  return (inheritedVariable(variable) ?? "").split(/[:; ]/).filter((item) => item !== "");
}

/** Expands the loader's variables in a path. `$LIB` depends on the distribution. */
function expanded(path: string, owner: Loaded): string[] {
  const libs = ["lib64", `lib/${triplets[owner.elf.machine]}`, "lib"];
  const absolute = path.replaceAll(/\$(ORIGIN\b|\{ORIGIN\})/g, dirname(owner.path));
  const variable = /\$(LIB\b|\{LIB\})/g;
  return variable.test(absolute)
    ? libs.map((lib) => absolute.replaceAll(variable, lib))
    : [absolute];
}

/** The folders that a file names for its own libraries. */
function ownFolders(by: Loaded, kind: "rpath" | "runpath"): string[] {
  return by.elf[kind].flatMap((folder) => expanded(folder, by));
}

/**
 * The folders to search for a library, in the loader's order: see ld.so(8), and musl's
 * `load_library()`.
 */
function searched(by: Loaded, loader: Loader): string[] {
  const chain: Loaded[] = [];
  for (let one: Loaded | undefined = by; one; one = one.by) chain.push(one);
  const variable = list("LD_LIBRARY_PATH");
  if (loader.musl) {
    const both = chain.flatMap((one) => [
      ...ownFolders(one, "rpath"),
      ...ownFolders(one, "runpath"),
    ]);
    return [...variable, ...both, ...loader.folders];
  }
  const rpaths =
    by.elf.runpath.length > 0 ? [] : chain.filter((one) => one.elf.runpath.length === 0);
  return [
    ...rpaths.flatMap((one) => ownFolders(one, "rpath")),
    ...variable,
    ...ownFolders(by, "runpath"),
    ...loader.folders,
  ];
}

/**
 * The files that the loader may load as a library: all variants in the first folder that has any.
 */
function candidates(
  name: string,
  by: Loaded,
  loader: Loader,
  notePassed: (path: string) => void,
): [string, Elf][] {
  const fits = (path: string): [string, Elf][] => {
    const elf = elfOf(path);
    if (elf && elf.machine === by.elf.machine && isLibrary(elf)) return [[path, elf]];
    notePassed(path);
    return [];
  };
  if (name.includes("/")) return expanded(name, by).filter(isAbsolute).flatMap(fits);
  // Skips relative folders, which depend on the directory that the program is started in.
  for (const folder of searched(by, loader).filter(isAbsolute)) {
    const variants = loader.musl ? [] : hwcaps;
    const found = ["", ...variants].flatMap((sub) => fits(join(folder, sub, name)));
    if (found.length > 0) return found;
  }
  return [];
}

function needs(
  first: Loaded,
  extra: readonly string[],
  loader: Loader,
  links: Set<string>,
): Map<string, string> {
  const found = new Map<string, string>();
  const names = new Set<string>();
  // One missing name is enough for each folder. Folders for newer CPUs in the system's folders are
  // skipped, because the system's own files there are listed anyway.
  const passed = new Set<string>();
  const notePassed = (path: string) => {
    const folder = dirname(path);
    if (passed.has(folder) || loader.folders.includes(dirname(dirname(folder)))) return;
    passed.add(folder);
    links.add(path);
  };
  const waiting: [Loaded, readonly string[]][] = [[first, [...first.elf.needed, ...extra]]];
  for (let next = waiting.shift(); next; next = waiting.shift()) {
    const [by, wanted] = next;
    for (const name of wanted) {
      // musl's loader contains these libraries.
      if (loader.musl && /^lib(c|pthread|rt|m|dl|util|xnet)\./.test(name)) continue;
      if (names.has(name)) continue;
      const fitting = candidates(name, by, loader, notePassed);
      if (fitting.length === 0 && !extra.includes(name)) throw missing(name, by.path);
      for (const [path, elf] of fitting) {
        names.add(name);
        // Grant the file without links and by identity: its path could lead elsewhere by now.
        found.set(realpathSync(path), elf.id);
        links.add(path);
        waiting.push([{ path, elf, by }, elf.needed]);
      }
    }
  }
  return found;
}

function missing(name: string, path: string): LandlockError {
  return new LandlockError(
    "ERR_LANDLOCK_PATH",
    `Cannot find the library "${name}", which "${path}" needs: install it, or name its folder in LD_LIBRARY_PATH`,
    { path: name },
  );
}

/**
 * The libraries that a program or library needs, directly or indirectly (`DT_NEEDED`), the
 * preloaded ones, and the loader's own files. It searches `DT_RPATH`, `DT_RUNPATH`,
 * `LD_LIBRARY_PATH`, the folders of `/etc/ld.so.conf` and the standard ones.
 *
 * @param path The file, without links
 * @param links Receives the paths at which libraries were found, which may contain links
 * @returns A map from each path to the identity of the library there, or to `""` for other files
 * @throws {LandlockError} `ERR_LANDLOCK_PATH` if one isn't found
 * @see {@link https://man7.org/linux/man-pages/man8/ld.so.8.html}
 */
export function librariesOf(path: string, elf: Elf, links: Set<string>): Map<string, string> {
  const { interpreter, machine, needed } = elf;
  if (needed.length === 0) return new Map();
  const isMusl =
    interpreter?.includes("/ld-musl-") ?? needed.some((name) => name.startsWith("libc.musl-"));
  const preloaded = [...list("LD_PRELOAD"), ...(isMusl ? [] : linesOf("/etc/ld.so.preload"))];
  const loader = isMusl ? musl(machine) : glibc(machine);
  const extra = preloaded.flatMap((line) => line.split(/[\s:]+/));
  const found = needs({ path, elf, by: undefined }, extra, loader, links);
  for (const file of loader.files) found.set(file, "");
  return found;
}

/**
 * The libraries of modules of glibc's name service switch, and the libraries that those need. A
 * module without a library, such as one that glibc contains, adds nothing.
 *
 * @param modules Their names, such as `"files"`
 */
export function moduleLibraries(modules: readonly string[]): Map<string, string> {
  const own = elfOf("/proc/self/exe");
  if (!own) return new Map();
  const needed = modules.map((name) => `libnss_${name}.so.2`);
  return needs(
    { path: "/", elf: { ...own, needed: [] }, by: undefined },
    needed,
    glibc(own.machine),
    new Set(),
  );
}
