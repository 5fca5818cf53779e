/** From what a command needs to what a policy would grant, and what it would not. */
import { readFileSync } from "node:fs";
import { accessNet, fileRights, type FsRight, type NetRight } from "../kernel/abi.ts";
import type { Coverage } from "./coverage.ts";
import { fold, ordered, rightsOn, withoutCovered, type Grants } from "./fold.ts";
import type { Move, Needs } from "./needs.ts";
import { recognise, type Chosen } from "./presets.ts";
import { isSecret, secretsIn } from "./secrets.ts";
import { isSystem, isWide, type Surroundings } from "./zones.ts";

/** Something that was used and is not granted. */
export interface Withheld {
  /** A path, or a port as `"connect_tcp 41234"`. */
  readonly what: string;
  readonly rights: readonly FsRight[];
  /**
   * `secret`: a person has to decide; `wide`: too much is in it; `listing`: that, and its names were
   * read and nothing else; `port`: another one each time.
   */
  readonly reason: "secret" | "wide" | "listing" | "port";
}

/** What a policy would say. */
export interface Draft {
  readonly presets: readonly Chosen[];
  readonly grants: ReadonlyMap<string, ReadonlySet<FsRight>>;
  readonly ports: ReadonlyMap<NetRight, readonly number[]>;
  /** Whether signals or abstract UNIX sockets went to processes outside. */
  readonly leavesScope: boolean;
  readonly withheld: readonly Withheld[];
  /** Secrets in directories that had to be granted. */
  readonly exposed: readonly string[];
  /** Programs that cannot be followed, or whose files could not be seen. */
  readonly unseen: readonly string[];
}

/**
 * Makes the draft.
 *
 * @param already What is granted anyway; the draft has only what is missing
 * @param tmp The folder for temporary files, without symbolic links
 */
export function draft(needs: Needs, already: Coverage, around: Surroundings, tmp: string): Draft {
  const withheld: Withheld[] = [];
  const { presets, unknown } = recognise(needs, already, tmp);
  const grants: Grants = new Map();
  const all: Grants = new Map(needs.paths);
  for (const program of unknown) all.set(program, new Set(["execute", "read_file"]));
  const coverages = [already, ...presets.map(({ coverage }) => coverage)];
  for (const [path, rights] of all) {
    const missing = coverages.reduce(
      (left, coverage) => left.difference(coverage.rightsOn(path)),
      rights as ReadonlySet<FsRight>,
    );
    if (missing.size === 0) continue;
    const reason = reasonAgainst(path, missing, around, tmp);
    if (reason) withheld.push({ what: path, rights: ordered(missing), reason });
    else grants.set(path, new Set(missing));
  }
  const moves = needs.moves.filter(({ from }) => from === tmp || !isWide(from, around));
  const folded = withoutCovered(level(fold(grants, around), moves, coverages));
  return {
    presets,
    grants: folded,
    ports: portsOf(needs, coverages, withheld),
    leavesScope: needs.scopes.size > 0,
    withheld: withheld.sort((a, b) => (a.what < b.what ? -1 : 1)),
    exposed: exposedBy(folded, around),
    unseen: [...needs.unseen],
  };
}

function reasonAgainst(
  path: string,
  rights: ReadonlySet<FsRight>,
  around: Surroundings,
  tmp: string,
): Withheld["reason"] | undefined {
  if (isSecret(path, around.home)) return "secret";
  if (!isWide(path, around)) return undefined;
  if (rights.isSubsetOf(new Set(["read_dir"]))) return "listing";
  return path === tmp ? undefined : "wide";
}

/**
 * A file must not gain rights by its new place: what it can do there, it must have been able to do
 * before. Source: `refer` in Landlock's documentation.
 */
function level(grants: Grants, moves: readonly Move[], coverages: readonly Coverage[]): Grants {
  const result: Grants = new Map(grants);
  const onPath = (path: string) =>
    coverages.reduce((sum, one) => sum.union(one.rightsOn(path)), rightsOn(result, path));
  for (let changed = true; changed;) {
    changed = false;
    for (const { from, to } of moves) {
      const gained = onPath(to).difference(onPath(from));
      const missing = [...gained].filter((right) => right !== "refer");
      if (missing.length === 0) continue;
      result.set(from, new Set(result.get(from)).union(new Set(missing)));
      changed = true;
    }
  }
  return result;
}

function portsOf(
  needs: Needs,
  coverages: readonly Coverage[],
  withheld: Withheld[],
): Draft["ports"] {
  const ports = new Map<NetRight, readonly number[]>();
  for (const right of accessNet) {
    const kept: number[] = [];
    for (const port of needs.ports.get(right) ?? []) {
      if (coverages.some((coverage) => coverage.hasPort(right, port))) continue;
      if (isPicked(port, right, needs)) {
        withheld.push({ what: `${right} ${port}`, rights: [], reason: "port" });
      } else kept.push(port);
    }
    if (kept.length > 0)
      ports.set(
        right,
        kept.sort((a, b) => a - b),
      );
  }
  return ports;
}

/** Whether the kernel picked a port for a server of the run: the next one gets another. */
function isPicked(port: number, right: NetRight, { ports }: Needs): boolean {
  const bind =
    right === "connect_tcp" ? "bind_tcp" : right === "connect_send_udp" ? "bind_udp" : undefined;
  if (bind === undefined || !ports.get(bind)?.has(0)) return false;
  const [first, last] = pickedPorts();
  return port >= first && port <= last;
}

/** `ip_local_port_range` of ip(7), or the kernel's default. */
function pickedPorts(): [number, number] {
  try {
    const text = readFileSync("/proc/sys/net/ipv4/ip_local_port_range", "utf8");
    const [first = 32768, last = 60999] = text.trim().split(/\s+/).map(Number);
    return [first, last];
  } catch {
    return [32768, 60999];
  }
}

function exposedBy(grants: Grants, around: Surroundings): string[] {
  const opens: ReadonlySet<FsRight> = new Set(
    fileRights.filter((right) => right === "read_file" || right === "write_file"),
  );
  const found = [...grants].flatMap(([path, rights]) =>
    isSystem(path) || rights.isDisjointFrom(opens) ? [] : secretsIn(path, around.home),
  );
  return [...new Set(found)].sort();
}
