/** Which presets stand for what a run needed. */
import { LandlockError } from "../errors/errors.ts";
import { lookUpCommand } from "../kernel/lookup.ts";
import { knownRealPath, lastName } from "../kernel/names.ts";
import { presetOf } from "../presets/presets.ts";
import type { Rule } from "../sandbox/rules.ts";
import { isBun } from "./bun.ts";
import { Coverage } from "./coverage.ts";
import type { Needs } from "./needs.ts";

/** A preset by the name that policies have for it, and what it grants. */
export interface Chosen {
  readonly spec: string;
  /** Of an `executable`: the program's path, which is to be written as the policy writes paths. */
  readonly program?: string;
  readonly coverage: Coverage;
}

/** The presets that a run used, and the programs that none of them can stand for. */
interface Recognised {
  readonly presets: readonly Chosen[];
  readonly unknown: readonly string[];
}

/**
 * Recognises what was used of each preset that is characteristic for it.
 *
 * @param already What is granted anyway
 * @param tmp The folder for temporary files, without symbolic links
 * @param project Programs in it are named by their path: PATH has them only now and then
 */
export function recognise(
  needs: Needs,
  already: Coverage,
  tmp: string,
  project?: string,
): Recognised {
  const unknown: string[] = [];
  const programs = [...needs.programs].flatMap((program): Chosen[] => {
    const name = lastName(program);
    const isNamed = isFoundAs(name, program, project);
    const spec = `executable=${isNamed ? name : program}`;
    const chosen = program.isWellFormed() ? choose(spec) : undefined;
    if (!chosen) unknown.push(program);
    return chosen ? [isNamed ? chosen : { ...chosen, program }] : [];
  });
  // A Bun that starts reads its own /proc/PID, and aborts where it cannot.
  const usesBun = needs.bun || [...needs.programs].some(isBun);
  const others = [
    usesBun ? choose("bun=children") : undefined,
    namesWereLookedUp(needs) ? used(needs, "dns") : undefined,
    used(needs, "tls"),
    usesBun ? undefined : used(needs, "timezone"),
    needs.paths.get(tmp)?.has("make_reg") || needs.paths.get(tmp)?.has("make_dir")
      ? choose("tmp")
      : undefined,
  ].filter((one) => one !== undefined);
  const presets = [...distinct(programs, already), ...others.map((one) => withPorts(one, needs))];
  return { presets: presets.filter(({ coverage }) => !already.includes(coverage)), unknown };
}

function isAboutNames(path: string): boolean {
  return /^\/etc\/(resolv|nsswitch|host|gai)\.conf$|^\/etc\/hosts$/.test(path);
}

/** By the servers' file, which may be a link, or by several of the others. */
function namesWereLookedUp({ paths }: Needs): boolean {
  const servers = knownRealPath("/etc/resolv.conf") ?? "/etc/resolv.conf";
  return paths.has(servers) || [...paths.keys()].filter(isAboutNames).length > 1;
}

/** Whether PATH has the very same file by that name, wherever the policy is used. */
function isFoundAs(name: string, program: string, project: string | undefined): boolean {
  const found = lookUpCommand(name);
  if (typeof found === "number" || !found.startsWith("/")) return false;
  if (project !== undefined && found.startsWith(`${project}/`)) return false;
  const [one, other] = [knownRealPath(found), knownRealPath(program)];
  return one !== undefined && one === other;
}

function choose(spec: string): Chosen | undefined {
  let rule: Rule;
  try {
    rule = presetOf(spec);
  } catch (error) {
    if (error instanceof LandlockError) return undefined;
    throw error;
  }
  const coverage = new Coverage();
  coverage.add(rule);
  return { spec, coverage };
}

/** The preset, where a path that it grants was read, or one of those that tell. */
function used(needs: Needs, spec: string, tells?: (path: string) => boolean): Chosen | undefined {
  const chosen = choose(spec);
  if (!chosen) return undefined;
  for (const [path, rights] of needs.paths) {
    const reads = rights.has("read_file") || rights.has("read_dir");
    if (!reads || (tells && !tells(path))) continue;
    if (chosen.coverage.rightsOn(path).has("read_file")) return chosen;
  }
  return undefined;
}

/** DNS by its ports, where a server was asked. */
function withPorts(chosen: Chosen, { ports }: Needs): Chosen {
  const asked = ports.get("connect_send_udp")?.has(53) || ports.get("connect_tcp")?.has(53);
  return chosen.spec === "dns" && asked ? (choose("dns=ports") ?? chosen) : chosen;
}

/** Without those that come along with others: `env` and its interpreter come with a script. */
function distinct(programs: readonly Chosen[], already: Coverage): Chosen[] {
  const kept = [...programs];
  // Paths are harder to read than names, and the first one is what the command is about.
  const order = [
    ...programs.slice(1).filter(hasPath),
    ...programs.slice(1).filter((one) => !hasPath(one)),
  ];
  for (const one of order) {
    const rest = kept.filter((other) => other !== one);
    if (
      rest.some(({ coverage }) => coverage.includes(one.coverage)) ||
      already.includes(one.coverage)
    ) {
      kept.splice(kept.indexOf(one), 1);
    }
  }
  return kept;
}

function hasPath({ program }: Chosen): boolean {
  return program !== undefined;
}
