/** Recognizes the presets that cover what a run needed. */
import { LandlockError } from "../errors/errors.ts";
import { lookUpCommand } from "../kernel/lookup.ts";
import { knownRealPath, lastName } from "../kernel/names.ts";
import { presetOf } from "../presets/presets.ts";
import type { Rule } from "../sandbox/rules.ts";
import { dnsFiles } from "../vocabulary.ts";
import { isBun } from "./bun.ts";
import { Coverage } from "./coverage.ts";
import type { Needs } from "./needs.ts";

/** A preset as policies name it, and what it grants. */
export interface Chosen {
  readonly spec: string;
  /** For `executable`: the program's path, which the policy must still convert to its own form. */
  readonly program?: string;
  readonly coverage: Coverage;
}

/** The presets that a run used, and the programs that no preset covers. */
interface Recognised {
  readonly presets: readonly Chosen[];
  readonly unknown: readonly string[];
}

/**
 * Recognizes presets by the use of characteristic files.
 *
 * @param already What is already granted
 * @param tmp The folder for temporary files, without symbolic links
 * @param project Its programs are named by path, because PATH doesn't always contain them
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
  // A Bun process reads its own /proc/PID at its start, and aborts if it can't.
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

/** Recognizes look-ups by resolv.conf, which may be a link, or by several of the other files. */
function namesWereLookedUp({ paths }: Needs): boolean {
  const servers = knownRealPath("/etc/resolv.conf") ?? "/etc/resolv.conf";
  return paths.has(servers) || dnsFiles.filter((path) => paths.has(path)).length > 1;
}

/** Whether PATH leads to this same file by its name, outside of the project too. */
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

/** The preset, if one of its paths was read that identifies it. */
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

/** Adds the ports of DNS if a server was asked. */
function withPorts(chosen: Chosen, { ports }: Needs): Chosen {
  const asked = ports.get("connect_send_udp")?.has(53) || ports.get("connect_tcp")?.has(53);
  return chosen.spec === "dns" && asked ? (choose("dns=ports") ?? chosen) : chosen;
}

/** Removes presets that others include: `env` and its interpreter come with a script. */
function distinct(programs: readonly Chosen[], already: Coverage): Chosen[] {
  const kept = [...programs];
  // Names are easier to read than paths, and the first program is the command itself.
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
