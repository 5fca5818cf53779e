/** From files to the directories they are in, as far as people would say it that way. */
import { accessFs, type FsRight } from "../kernel/abi.ts";
import { isWithin } from "../kernel/names.ts";
import { roDirs, rwDirs } from "../sandbox/rules.ts";
import { changes, mayHoldGoverning } from "./governing.ts";
import { commonDirectory, isSystem, isWide, zoneOf, type Surroundings } from "./zones.ts";

/** Rights by path. */
export type Grants = Map<string, Set<FsRight>>;

/** The same, to look at. */
type SomeGrants = ReadonlyMap<string, ReadonlySet<FsRight>>;

const reading: ReadonlySet<FsRight> = new Set(["execute", "read_file", "read_dir"]);
/** Rights that are about one file and never about those beside it. */
const single: ReadonlySet<FsRight> = new Set(["ioctl_dev", "resolve_unix"]);

/** So many files that are written make a directory of such files. */
const writtenMin = 3;

/** Directories of one program or of packages: what is read of them is read as a whole. */
const packages = [
  /^\/usr(\/local)?\/(share|libexec|lib|lib64|include)\/(?!\w+-linux-\w+\/)[^/]+(?=\/)/,
  /^\/usr\/lib\/[\w-]+-linux-\w+\/[^/]+(?=\/)/,
  /^\/opt\/[^/]+(?=\/)/,
  /^.*?\/node_modules(?=\/)/s,
  /^.*?\/\.git(?=\/)/s,
];

/** The deepest of them: a package manager's folder, not that of all libraries of a CPU. */
function packageOf(path: string): string | undefined {
  const found = packages.flatMap((place) => place.exec(path)?.[0] ?? []);
  return found.sort((a, b) => b.length - a.length)[0];
}

/**
 * Folds grants: what is read of one place becomes that place; what is written only where it is much.
 * A directory with a secret in it is left alone, and what is in it folded further down.
 *
 * @param known Files that are read anyway, which count among those of their directories
 */
export function fold(grants: Grants, around: Surroundings, known: readonly string[] = []): Grants {
  const others = known.filter((path) => !grants.has(path));
  const all: Grants = new Map(grants);
  for (const path of others) all.set(path, new Set(["read_file"]));
  const folded: Grants = new Map();
  const groups = new Map<string, string[]>();
  const free = new Map<string, boolean>();
  const isFree = (directory: string) => {
    const known = free.get(directory) ?? isGrantable(directory, around);
    free.set(directory, known);
    return known;
  };
  for (const [path, rights] of all) {
    const whole = rights.isSubsetOf(reading) ? packageOf(path) : undefined;
    if (whole !== undefined && isFree(whole)) {
      give(folded, whole, rights);
      continue;
    }
    const zone = rights.isDisjointFrom(single) ? zoneOf(path, around) : undefined;
    if (zone === undefined) {
      give(folded, path, rights);
      continue;
    }
    const key = `${rights.isSubsetOf(reading) ? "read" : "write"} ${zone}`;
    groups.set(key, [...(groups.get(key) ?? []), path]);
  }
  for (const [key, paths] of groups) {
    const zone = key.slice(key.indexOf(" ") + 1);
    const least = key.startsWith("read") ? 2 : writtenMin;
    foldGroup(paths, zone, least, { grants: all, folded, around });
  }
  for (const place of folded.keys()) {
    if (![...grants.keys()].some((path) => isWithin(path, place))) folded.delete(place);
  }
  return withoutCovered(folded);
}

/** Whether a directory holds nothing that would have to be asked for by name. */
function isGrantable(directory: string, around: Surroundings): boolean {
  return !isWide(directory, around) && !around.secrets.mayBeWithin(directory);
}

interface Work {
  readonly grants: Grants;
  readonly folded: Grants;
  readonly around: Surroundings;
}

function foldGroup(paths: readonly string[], zone: string, least: number, work: Work): void {
  const { grants, folded, around } = work;
  const target = isSystem(zone) ? zone : commonDirectory(paths);
  const isFine = () => {
    if (!isGrantable(target, around)) return false;
    // What is written to lies where nobody would look for a hook, or it stays as it is.
    return (
      !paths.some((path) => changes(grants.get(path)!)) || !mayHoldGoverning(target, around.home)
    );
  };
  if (paths.length < least || !isFine()) {
    const deeper = Map.groupBy(paths, (path) => nextBelow(path, target));
    for (const [next, some] of deeper) {
      if (some.length === 1 || some.length < least || next === target) {
        for (const path of some) give(folded, path, grants.get(path)!);
      } else foldGroup(some, next, least, work);
    }
    return;
  }
  for (const path of paths) give(folded, target, grants.get(path)!);
}

/** The name below a directory that a path goes by. */
function nextBelow(path: string, directory: string): string {
  if (path === directory) return directory;
  const [name] = path.slice(directory.length + 1).split("/");
  return `${directory}/${name}`;
}

function give(grants: Grants, path: string, rights: ReadonlySet<FsRight>): void {
  grants.set(path, new Set(grants.get(path)).union(rights));
}

/** Without what directories above grant already; of `rw`, never a part. */
export function withoutCovered(grants: Grants): Grants {
  const kept: Grants = new Map();
  for (const [path, rights] of [...grants].sort(([a], [b]) => a.length - b.length)) {
    const missing = remainder(rights, rightsOn(kept, path));
    if (missing.size > 0) kept.set(path, missing);
  }
  return kept;
}

/** What is left of rights, as people write it: all of them, or what no `rw` has. */
export function remainder(rights: Set<FsRight>, granted: ReadonlySet<FsRight>): Set<FsRight> {
  const left = rights.difference(granted);
  return isWritable(rights) && !left.isDisjointFrom(rwRights) ? rights : left;
}

const roRights: ReadonlySet<FsRight> = new Set(roDirs("/").access);
const rwRights: ReadonlySet<FsRight> = new Set(rwDirs("/").access);
/** Writing, making and removing, and so all of `rw`. */
const fills: ReadonlySet<FsRight> = new Set(["write_file", "make_reg", "remove_file"]);

/** Whether rights on a directory are all of `rw`, as people would grant it. */
export function isWritable(rights: ReadonlySet<FsRight>): boolean {
  return fills.isSubsetOf(rights);
}

/** What a policy grants on a directory where these rights are needed: all of `ro`, or of `rw`. */
export function roundedUp(rights: ReadonlySet<FsRight>): Set<FsRight> {
  if (isWritable(rights)) return rwRights.union(rights);
  return rights.has("read_file") && rights.isSubsetOf(roRights)
    ? new Set(roRights)
    : new Set(rights);
}

/** All rights that are granted on a path. */
export function rightsOn(grants: SomeGrants, path: string): Set<FsRight> {
  const all = new Set<FsRight>();
  for (const [granted, rights] of grants) {
    const above = granted === "/" ? "/" : `${granted}/`;
    if (path !== granted && !path.startsWith(above)) continue;
    for (const right of rights) all.add(right);
  }
  return all;
}

/** Rights in the order of the kernel's bits. */
export function ordered(rights: ReadonlySet<FsRight>): FsRight[] {
  return accessFs.filter((right) => rights.has(right));
}
