/** Combines grants on files into grants on their directories, as a person would write them. */
import { accessFs, type FsRight } from "../kernel/abi.ts";
import { isWithin } from "../kernel/names.ts";
import { roDirs, rwDirs } from "../sandbox/rules.ts";
import { changes } from "./governing.ts";
import { commonDirectory, isSystem, isWide, zoneOf, type Surroundings } from "./zones.ts";

/** Rights by path. */
export type Grants = Map<string, Set<FsRight>>;

/** Read-only rights by path. */
type SomeGrants = ReadonlyMap<string, ReadonlySet<FsRight>>;

const reading: ReadonlySet<FsRight> = new Set(["execute", "read_file", "read_dir"]);
/** Rights that concern only one file, never the files next to it. */
const single: ReadonlySet<FsRight> = new Set(["ioctl_dev", "resolve_unix"]);

/** The number of written files from which on their directory is granted. */
const writtenMin = 3;

/** Directories of one program or of packages, which are granted as a whole for reading. */
const packages = [
  /^\/usr(\/local)?\/(share|libexec|lib|lib64|include)\/(?!\w+-linux-\w+\/)[^/]+(?=\/)/,
  /^\/usr\/lib\/[\w-]+-linux-\w+\/[^/]+(?=\/)/,
  /^\/opt\/[^/]+(?=\/)/,
  /^.*?\/node_modules(?=\/)/s,
  /^.*?\/\.git(?=\/)/s,
];

/** The deepest of these directories, for example one package instead of all libraries of a CPU. */
function packageOf(path: string): string | undefined {
  const found = packages.flatMap((place) => place.exec(path)?.[0] ?? []);
  return found.sort((a, b) => b.length - a.length)[0];
}

/**
 * Folds grants. Files read in one place become that place; written files become a directory only if
 * many were written. A directory that contains a secret isn't granted, and its parts are folded
 * instead.
 *
 * @param known Files that are already readable, which count for their directories too
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

/** Whether a directory contains nothing that must be granted by name. */
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
    // A directory with hooks or similar files isn't granted for writing.
    return !paths.some((path) => changes(grants.get(path)!)) || !around.governing.mayHold(target);
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

/** The path of the next level below a directory. */
function nextBelow(path: string, directory: string): string {
  if (path === directory) return directory;
  const [name] = path.slice(directory.length + 1).split("/");
  return `${directory}/${name}`;
}

function give(grants: Grants, path: string, rights: ReadonlySet<FsRight>): void {
  grants.set(path, new Set(grants.get(path)).union(rights));
}

/** Removes what directories above already grant. The rights of `rw` stay together. */
export function withoutCovered(grants: Grants): Grants {
  const kept: Grants = new Map();
  for (const [path, rights] of [...grants].sort(([a], [b]) => a.length - b.length)) {
    const missing = remainder(rights, rightsOn(kept, path));
    if (missing.size > 0) kept.set(path, missing);
  }
  return kept;
}

/** The remaining rights as people write them. The rights of `rw` stay together. */
export function remainder(rights: Set<FsRight>, granted: ReadonlySet<FsRight>): Set<FsRight> {
  const left = rights.difference(granted);
  return isWritable(rights) && !left.isDisjointFrom(rwRights) ? rights : left;
}

const roRights: ReadonlySet<FsRight> = new Set(roDirs("/").access);
const rwRights: ReadonlySet<FsRight> = new Set(rwDirs("/").access);
/** Writing, making and removing files, which people would grant as `rw`. */
const fills: ReadonlySet<FsRight> = new Set(["write_file", "make_reg", "remove_file"]);

/** Whether rights on a directory amount to `rw`, as people would grant it. */
export function isWritable(rights: ReadonlySet<FsRight>): boolean {
  return fills.isSubsetOf(rights);
}

/** The rights that a policy grants on a directory for these: all of `ro` or `rw`. */
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

/** Sorts rights by the kernel's bits. */
export function ordered(rights: ReadonlySet<FsRight>): FsRight[] {
  return accessFs.filter((right) => rights.has(right));
}
