/** From a draft to what stands in a policy file: its keys, and paths as people write them. */
import { lstatSync } from "node:fs";
import { rightsOf, type FsRight, type NetRight } from "../kernel/abi.ts";
import { roFiles, rwDirs, rwFiles } from "../rules.ts";
import type { Draft } from "./draft.ts";
import { ordered } from "./fold.ts";
import type { Names } from "./names.ts";

/** The keys of a policy that are lists of texts, in the order in which they are written. */
export const textKeys = ["presets", "ro", "rw", "roFiles", "rwFiles", "unrestricted"] as const;
/** Those that are lists of ports. */
export const portKeys = ["bindTcp", "connectTcp", "bindUdp", "connectSendUdp"] as const;

/** An entry of the list `paths`. */
export interface Entry {
  readonly access: "rw" | readonly FsRight[];
  readonly refer?: true;
  readonly paths: readonly string[];
}

/** What a policy gets. */
export interface Content {
  readonly texts: ReadonlyMap<(typeof textKeys)[number], readonly string[]>;
  readonly ports: ReadonlyMap<(typeof portKeys)[number], readonly number[]>;
  readonly paths: readonly Entry[];
  /** Names of variables, and their values. */
  readonly variables: ReadonlyMap<string, string | { readonly env: string }>;
}

/** What a policy that is extended says about itself. */
export interface Limits {
  /** Rights of newer ones cannot be granted by it. */
  readonly abi: number;
  /** Families that it leaves alone: nothing is to be granted in them. */
  readonly unrestricted: readonly string[];
}

const portKeyOf: Readonly<Record<NetRight, (typeof portKeys)[number]>> = {
  bind_tcp: "bindTcp",
  connect_tcp: "connectTcp",
  bind_udp: "bindUdp",
  connect_send_udp: "connectSendUdp",
};

/** Writes down a draft. */
export function contentOf(draft: Draft, names: Names, { abi, unrestricted }: Limits): Content {
  const restricts = rightsOf(abi);
  const lists = new Map<(typeof textKeys)[number], string[]>();
  const exact = new Map<string, { access: Entry["access"]; refer: boolean; paths: string[] }>();
  const add = (key: (typeof textKeys)[number], text: string) =>
    lists.set(key, [...(lists.get(key) ?? []), text]);
  for (const { spec, program } of draft.presets) {
    add("presets", program === undefined ? spec : `executable=${names.write(program)}`);
  }
  const grants = unrestricted.includes("paths") ? [] : draft.grants;
  for (const [path, rights] of grants) {
    const known = ordered(rights).filter((right) => restricts.fs.includes(right));
    if (known.length === 0) continue;
    const name = names.write(path);
    const key = keyFor(known, isDirectory(path));
    if (typeof key === "string") {
      add(key, name);
      continue;
    }
    const place = JSON.stringify([key.access, key.refer]);
    const entry = exact.get(place);
    if (entry) entry.paths.push(name);
    else exact.set(place, { ...key, paths: [name] });
  }
  if (draft.leavesScope && !unrestricted.includes("scoped")) add("unrestricted", "scoped");
  const ports = unrestricted.includes("net") ? [] : draft.ports;
  return {
    texts: new Map([...lists].map(([key, list]) => [key, key === "presets" ? list : list.sort()])),
    ports: new Map(
      [...ports]
        .filter(([right]) => restricts.net.includes(right))
        .map(([right, list]) => [portKeyOf[right], list]),
    ),
    paths: [...exact.values()].map(({ access, refer, paths }) => ({
      access,
      ...(refer ? { refer } : {}),
      paths: paths.sort(),
    })),
    variables: names.variables,
  };
}

function isDirectory(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isDirectory() ?? true;
}

/** Writing, making and removing, and so all of `rw`. */
const writes: readonly FsRight[] = ["write_file", "make_reg", "remove_file"];

function keyFor(
  rights: readonly FsRight[],
  directory: boolean,
): "ro" | "rw" | "roFiles" | "rwFiles" | { access: Entry["access"]; refer: boolean } {
  const within = (list: readonly FsRight[]) => rights.every((right) => list.includes(right));
  if (!directory) {
    if (within(roFiles("/").access)) return "roFiles";
    return within(rwFiles("/").access) ? "rwFiles" : { access: rights, refer: false };
  }
  if (within(["execute", "read_file", "read_dir"]) && rights.includes("read_file")) return "ro";
  const writable = writes.every((right) => rights.includes(right));
  if (writable && within(rwDirs("/").access)) return "rw";
  if (writable && within([...rwDirs("/").access, "refer"])) return { access: "rw", refer: true };
  return { access: rights, refer: false };
}
