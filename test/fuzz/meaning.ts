/** Derives the meaning of an accepted policy a second time, in another way. */
import { rightsOf } from "../../src/kernel/abi.ts";
import { grant, presetRights } from "./target.ts";

/** The parts of a policy to compare. */
export interface Meaning {
  readonly grants: Set<string>;
  readonly handled: { readonly [family in "fs" | "net" | "scoped"]: readonly string[] };
  readonly bestEffort: boolean;
  /** Whether there are presets, which grant what they find on this machine. */
  readonly hasPresets: boolean;
}

type Table = Readonly<Record<string, unknown>>;
type Strings = readonly string[];
type Variables = ReadonlyMap<string, Strings>;

const ports = {
  bindTcp: "bind_tcp",
  connectTcp: "connect_tcp",
  bindUdp: "bind_udp",
  connectSendUdp: "connect_send_udp",
} as const;

/** Any paths that a template stands for. */
function expanded(template: string, variables: Variables, base: string): Strings {
  const parts = template.replaceAll("$$", "\ue000").split(/\$\{([^}]*)\}/);
  let texts = [""];
  for (const [i, part] of parts.entries()) {
    const values = i % 2 ? (variables.get(part) ?? []) : [part.replaceAll("\ue000", "$")];
    texts = texts.flatMap((text) => values.map((value) => text + value));
  }
  return texts.map((text) => (text.startsWith("/") ? text : `${base}/${text}`));
}

function ownMeaning(policy: Table, base: string): Meaning {
  const table = (policy["variables"] ?? {}) as Record<string, string | Strings | { env: string }>;
  const variables = new Map(
    Object.entries(table).map(([name, source]) => {
      if (typeof source === "string") return [name, [source]] as const;
      return [name, "env" in source ? [process.env[source.env]!] : source] as const;
    }),
  );
  const grants = new Set<string>();
  const add = (templates: Strings, rights: Strings) => {
    for (const template of templates)
      for (const path of expanded(template, variables, base))
        for (const right of rights) grants.add(grant(path, right));
  };
  for (const key of ["ro", "rw", "roFiles", "rwFiles"]) {
    add((policy[key] ?? []) as Strings, presetRights[key]!);
  }
  for (const entry of (policy["paths"] ?? []) as Table[]) {
    const access = entry["access"] as string | Strings;
    const rights = typeof access === "string" ? presetRights[access]! : access;
    add(entry["paths"] as Strings, entry["refer"] ? [...rights, "refer"] : rights);
  }
  for (const [key, right] of Object.entries(ports)) {
    for (const port of (policy[key] ?? []) as number[]) grants.add(grant(port, right));
  }
  const all = rightsOf((policy["abi"] ?? 11) as number);
  const free = (policy["unrestricted"] ?? []) as Strings;
  return {
    grants,
    handled: {
      fs: free.includes("paths") ? [] : all.fs,
      net: free.includes("net") ? [] : all.net,
      scoped: free.includes("scoped") ? [] : all.scoped,
    },
    bestEffort: (policy["bestEffort"] ?? false) !== false,
    hasPresets: ((policy["presets"] ?? []) as Strings).length > 0,
  };
}

/** Rights of a list in the Landlock project's format, where groups have names. */
function ungrouped(names: Strings, abi: number, family: "fs" | "net" | "scoped"): Strings {
  const all: Strings = rightsOf(abi)[family];
  const reading = ["execute", "read_file", "read_dir", "refer"];
  return names.flatMap((name): Strings => {
    if (name === "abi.all") return all;
    if (name === "abi.read_execute") return all.filter((right) => reading.includes(right));
    return name === "abi.read_write" ? all.filter((right) => right !== "execute") : [name];
  });
}

function projectMeaning(policy: Table, base: string): Meaning {
  const abi = Math.min((policy["abi"] ?? 0) as number, 11);
  const list = (table: Table, ...names: string[]) =>
    names.flatMap((name) => (table[name] ?? []) as never[]);
  const variables = new Map<string, Strings>();
  for (const { name, literal = [] } of list(policy, "variable") as {
    name: string;
    literal?: Strings;
  }[]) {
    variables.set(name, [...(variables.get(name) ?? []), ...literal]);
  }
  const handled = { fs: new Set<string>(), net: new Set<string>(), scoped: new Set<string>() };
  const take = (family: keyof typeof handled, names: Strings) => {
    const rights = ungrouped(names, abi, family);
    for (const right of rights) handled[family].add(right);
    return rights;
  };
  for (const ruleset of list(policy, "ruleset")) {
    take("fs", list(ruleset, "handledAccessFs", "handled_access_fs"));
    take("net", list(ruleset, "handledAccessNet", "handled_access_net"));
    take("scoped", list(ruleset, "scoped"));
  }
  const grants = new Set<string>();
  for (const rule of list(policy, "pathBeneath", "path_beneath")) {
    const rights = take("fs", list(rule, "allowedAccess", "allowed_access"));
    for (const template of list(rule, "parent") as Strings)
      for (const path of expanded(template, variables, base))
        for (const right of rights) grants.add(grant(path, right));
  }
  for (const rule of list(policy, "netPort", "net_port")) {
    const rights = take("net", list(rule, "allowedAccess", "allowed_access"));
    for (const port of list(rule, "port") as number[])
      for (const right of rights) grants.add(grant(port, right));
  }
  const { fs, net, scoped } = handled;
  return {
    grants,
    handled: { fs: [...fs], net: [...net], scoped: [...scoped] },
    bestEffort: true,
    hasPresets: false,
  };
}

/**
 * The meaning of a value that `parsePolicy()` accepted.
 *
 * @param base The folder of relative paths
 */
export function meaningOf(value: unknown, base: string): Meaning {
  const policy = value as Table;
  const keys = ["variable", "ruleset", "pathBeneath", "path_beneath", "netPort", "net_port"];
  const isProjects = keys.some((key) => Object.hasOwn(policy, key));
  return isProjects ? projectMeaning(policy, base) : ownMeaning(policy, base);
}
