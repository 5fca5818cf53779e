/** Turns what a command needs into what a policy should grant, and what it should not. */
import { accessNet, fileRights, type FsRight, type NetRight } from "../kernel/abi.ts";
import { isWithin } from "../kernel/names.ts";
import { listing, reasonAgainst, type Reason, type Withheld } from "./judgement.ts";
import type { Coverage } from "./coverage.ts";
import {
  fold,
  isWritable,
  ordered,
  remainder,
  rightsOn,
  roundedUp,
  withoutCovered,
  type Grants,
} from "./fold.ts";
import type { Move, Needs } from "./needs.ts";
import { recognise, type Chosen } from "./presets.ts";
import { terminals } from "./changing.ts";
import { changes, governingAt, harmless, isVersionControl } from "./governing.ts";
import { namesOf } from "./secrets.ts";
import { statsOf } from "./stats.ts";
import type { Surroundings } from "./zones.ts";

/** The content of a policy. */
export interface Draft {
  readonly presets: readonly Chosen[];
  readonly grants: ReadonlyMap<string, ReadonlySet<FsRight>>;
  /** What to do if a granted path is missing, for those that may be. */
  readonly missing: ReadonlyMap<string, "skip" | "create">;
  /** Directories that the run made, which a rule can make before the next run. */
  readonly created: ReadonlySet<string>;
  readonly ports: ReadonlyMap<NetRight, readonly number[]>;
  /** Whether the run reached processes outside with signals or abstract UNIX sockets. */
  readonly leavesScope: boolean;
  readonly withheld: readonly Withheld[];
  /** Secrets in directories that had to be granted. */
  readonly exposed: readonly string[];
  /** Granted directories that are too large to search for secrets. */
  readonly unsearched: readonly string[];
  /** Writable paths in the grants that decide what runs later. */
  readonly governing: readonly string[];
  /** Whether all terminals had to be granted. */
  readonly terminals: boolean;
  /** Programs that could not be observed completely. */
  readonly unseen: readonly string[];
}

/**
 * Makes the draft.
 *
 * @param already What is already granted; the draft only contains what is missing
 */
export function draft(needs: Needs, already: Coverage, around: Surroundings): Draft {
  const { tmp = "/tmp" } = around;
  const against = (path: string, rights: ReadonlySet<FsRight>) =>
    reasonAgainst(path, rights, around, needs.created.has(path));
  const withheld = new Map<string, Withheld>();
  const withhold = (what: string, rights: ReadonlySet<FsRight>, reason: Reason) => {
    const known = withheld.get(`${reason} ${what}`)?.rights ?? [];
    const all = ordered(new Set([...known, ...rights]));
    const same = reason === "secret" ? around.secrets.sameAs(what) : undefined;
    const more = same === undefined ? {} : { same };
    withheld.set(`${reason} ${what}`, { what, rights: all, ...more, reason });
  };
  const recognised = recognise(needs, already, tmp, around.project);
  const presets = recognised.presets.filter(({ spec, program }) => {
    const rights = new Set(["execute", "read_file"] as const);
    const named = program && around.secrets.nameFor(program) ? "secret" : undefined;
    const reason = named ?? (program && against(program, rights));
    if (program && (reason === "secret" || reason === "temporary")) {
      withhold(program, rights, reason);
      return false;
    }
    const isFine = spec !== "tmp" || isOwnFolder(tmp, around);
    if (!isFine) withhold(tmp, needs.paths.get(tmp)!, "governing");
    return isFine;
  });
  const grants: Grants = new Map();
  const missing = new Map<string, "skip" | "create">();
  const all: Grants = new Map(needs.paths);
  for (const program of recognised.unknown) all.set(program, new Set(["execute", "read_file"]));
  const moves = needs.moves.filter((move) => {
    if (!move.link) return true;
    // A file that was only readable under its old name must not become writable under its new one.
    const isOwn = isOwnLink(move, needs, around);
    if (isOwn) all.set(move.from, new Set(all.get(move.from)).add("refer"));
    else withhold(move.from, new Set(["refer"]), "link");
    return isOwn;
  });
  const coverages = [already, ...presets.map(({ coverage }) => coverage)];
  const uncovered = (path: string, rights: ReadonlySet<FsRight>): ReadonlySet<FsRight> =>
    coverages.reduce((left, coverage) => left.difference(coverage.rightsOn(path)), rights);
  for (const [path, rights] of all) {
    const left = uncovered(path, rights);
    if (left.size === 0) continue;
    const reason = against(path, left);
    if (reason === undefined) grants.set(path, remainder(rights, rights.difference(left)));
    else if (reason === "later") {
      withhold(path, left.difference(harmless), reason);
      const kept = left.intersection(harmless);
      if (kept.size > 0 && !needs.created.has(path)) {
        grants.set(path, kept);
        // Caches are sometimes emptied.
        missing.set(path, "skip");
      }
    } else if (reason !== "governing") withhold(path, left, reason);
    if (reason !== "governing") continue;
    withhold(path, left.difference(listing), reason);
    // Listing the directory is harmless. Existing regular files can be granted one by one.
    if (left.has("read_dir")) grants.set(path, new Set(listing));
    for (const [file, some] of needs.left.get(path) ?? []) {
      if (around.secrets.has(file) || around.governing.has(file)) continue;
      grants.set(file, new Set(some));
      missing.set(file, "skip");
    }
  }
  for (const [path, rights] of needs.secrets) {
    const left = rights.has("refer") ? rights : uncovered(namesOf(path).at(-1)!, rights);
    if (left.size > 0) withhold(path, left, "secret");
  }
  for (const [path, rights] of needs.later) {
    const left = rights.difference(harmless).difference(already.rightsOn(path));
    if (left.size > 0) withhold(path, left, "later");
  }
  for (const [path, rights] of needs.changed) withhold(path, rights, "changed");
  for (const call of needs.barred) withhold(call, new Set(), "barred");
  for (const [path, rights] of needs.processes) {
    const left = uncovered("/proc", rights);
    if (left.size > 0) withhold(path, left, left.has("write_file") ? "own" : "process");
  }
  const onTerminals = uncovered(terminals, needs.terminals);
  // A program that makes terminals needs access to whatever numbers they get.
  const makesTerminals = ["/dev/ptmx", `${terminals}/ptmx`].some(
    (path) => needs.paths.has(path) || already.rightsOn(path).has("write_file"),
  );
  if (onTerminals.size > 0 && makesTerminals) {
    grants.set(terminals, new Set([...(grants.get(terminals) ?? []), ...onTerminals, "ioctl_dev"]));
  } else if (onTerminals.size > 0) withhold(`${terminals}/N`, onTerminals, "terminal");
  const isAllowed = (path: string, rights: ReadonlySet<FsRight>) =>
    against(path, rights) === undefined;
  const leveled = level(fold(grants, around, filesIn(already)), moves, coverages, isAllowed);
  const folded = withoutCovered(leveled);
  for (const [path, rights] of folded) {
    if (path.isWellFormed()) continue;
    folded.delete(path);
    withhold(path, rights, "name");
  }
  // The next run finds what this run made, but somebody may remove the output.
  for (const [path, rights] of folded) {
    const isOutput = around.project !== undefined && path.startsWith(`${around.project}/`);
    if (needs.created.has(path) || (isOutput && isWritable(rights))) {
      missing.set(path, "create");
    }
    // A socket only exists while its server runs.
    if (rights.isSubsetOf(new Set(["resolve_unix"]))) missing.set(path, "skip");
  }
  // Rights that directories above must grant aren't withheld.
  const open: string[] = [];
  for (const [key, { what, rights, reason }] of withheld) {
    if (reason !== "later") continue;
    const granted = [
      ...presets.map(({ coverage }) => coverage.rightsOn(what)),
      rightsOn(folded, what),
    ];
    if (granted.some(changes)) open.push(what);
    if (granted.reduce((left, some) => left.difference(some), new Set(rights)).size === 0) {
      withheld.delete(key);
    }
  }
  // The run made hooks or settings in a directory of its own, and the next run may change them.
  const openedBy = (path: string) =>
    needs.created.has(path) && !isVersionControl(path) && around.governing.mayHold(path, true)
      ? [path]
      : [];
  const governing = [...folded].flatMap(([path, rights]) =>
    changes(rights) ? [...governingAt(path), ...openedBy(path)] : [],
  );
  return {
    presets,
    grants: folded,
    missing,
    created: needs.created,
    ports: portsOf(needs, coverages, (what) => withhold(what, new Set(), "port")),
    leavesScope: needs.scopes.size > 0,
    withheld: [...withheld.values()].sort((a, b) => (a.what < b.what ? -1 : 1)),
    ...exposedBy(folded, around),
    governing: [...new Set([...governing, ...open])],
    terminals: onTerminals.size > 0 && makesTerminals,
    unseen: [...needs.unseen],
  };
}

/** The readable files, which count when their directory is considered for a grant. */
function filesIn(already: Coverage): string[] {
  return already.pathsWith("read_file").filter((path) => statsOf(path)?.isFile());
}

/** Whether the run may write a linked file, or doesn't write it under the new name either. */
function isOwnLink({ from, to }: Move, { paths }: Needs, { project }: Surroundings): boolean {
  const before = rightsOn(paths, from);
  if (changes(before)) return true;
  const isInside = project !== undefined && isWithin(from, project);
  const gained = roundedUp(rightsOn(paths, to)).intersection(new Set(fileRights));
  return isInside && !changes(gained);
}

/** Whether the folder for temporary files contains neither the home nor a project with hooks. */
function isOwnFolder(tmp: string, { project, home, governing }: Surroundings): boolean {
  const isInside = (path: string | undefined) => path !== undefined && isWithin(path, tmp);
  if (isInside(home) || governing.has(tmp)) return false;
  return project === undefined || !isInside(project) || !governing.mayHold(project);
}

/**
 * Evens out rights for moves. A file must not gain rights in its new place, so the old place gets
 * them too. Source: `refer` in Landlock's documentation.
 */
function level(
  grants: Grants,
  moves: readonly Move[],
  coverages: readonly Coverage[],
  isAllowed: (path: string, rights: ReadonlySet<FsRight>) => boolean,
): Grants {
  const result: Grants = new Map();
  const set = (path: string, rights: ReadonlySet<FsRight>) => {
    const isDirectory = statsOf(path)?.isDirectory() ?? true;
    result.set(path, isDirectory ? roundedUp(rights) : new Set(rights));
  };
  for (const [path, rights] of grants) set(path, rights);
  const onPath = (path: string) =>
    coverages.reduce((sum, one) => sum.union(one.rightsOn(path)), rightsOn(result, path));
  for (let changed = true; changed;) {
    changed = false;
    for (const { from, to, directory, link } of moves) {
      const gained = onPath(to).difference(onPath(from));
      const missing = [...gained].filter(
        (right) => right !== "refer" && (directory || fileRights.includes(right)),
      );
      if (missing.length === 0 || (link && changes(new Set(missing)))) continue;
      const more = new Set(result.get(from)).union(new Set(missing));
      // If a right is withheld, the move stays denied.
      if (!isAllowed(from, more)) continue;
      set(from, more);
      changed = true;
    }
  }
  return result;
}

function portsOf(
  needs: Needs,
  coverages: readonly Coverage[],
  withhold: (what: string) => void,
): Draft["ports"] {
  const ports = new Map<NetRight, readonly number[]>();
  for (const right of accessNet) {
    const kept: number[] = [];
    for (const port of needs.ports.get(right) ?? []) {
      if (coverages.some((coverage) => coverage.hasPort(right, port))) continue;
      if (isPicked(port, right, needs)) withhold(`${right} ${port}`);
      else kept.push(port);
    }
    if (kept.length > 0)
      ports.set(
        right,
        kept.sort((a, b) => a - b),
      );
  }
  return ports;
}

/** Whether the kernel picked a port for the run, so that the next run gets another. */
function isPicked(port: number, right: NetRight, { picked }: Needs): boolean {
  return picked[right.endsWith("_tcp") ? "tcp" : "udp"].has(port);
}

function exposedBy(grants: Grants, around: Surroundings): Pick<Draft, "exposed" | "unsearched"> {
  const opens: ReadonlySet<FsRight> = new Set(
    fileRights.filter((right) => right === "read_file" || right === "write_file"),
  );
  const exposed = new Set<string>();
  const unsearched: string[] = [];
  for (const [path, rights] of grants) {
    if (rights.isDisjointFrom(opens)) continue;
    const { found, complete } = around.secrets.within(path);
    for (const one of found) exposed.add(one);
    if (!complete) unsearched.push(path);
  }
  return { exposed: [...exposed].sort(), unsearched };
}
