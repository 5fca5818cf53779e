/**
 * The spelling of rules, modifiers and presets in TypeScript, on the command line and in policies.
 * All code that reads or writes a spelling uses these tables.
 */

/** Rules on paths by their constructor. `key` is the policy's key; `about` says what they grant. */
export const pathRules = {
  roDirs: { option: "-ro", key: "ro", about: "read and execute beneath these directories" },
  rwDirs: { option: "-rw", key: "rw", about: "also write, create and remove beneath them" },
  roFiles: { option: "-rofiles", key: "roFiles", about: "read and execute these files" },
  rwFiles: { option: "-rwfiles", key: "rwFiles", about: "also write these files, create none" },
} as const;

/**
 * The option for `pathAccess(["read_dir"], …)`, for listing directories without reading their
 * files.
 */
export const listOption = "-list";

/** Rules on ports by their constructor, which is also the policy's key. */
export const portRules = {
  bindTcp: {
    option: "-bindtcp",
    right: "bind_tcp",
    about: "bind TCP to these ports; 0: any free one",
  },
  connectTcp: { option: "-connecttcp", right: "connect_tcp", about: "connect TCP to these ports" },
  bindUdp: {
    option: "-bindudp",
    right: "bind_udp",
    about: "bind UDP to these ports; 0: any free one",
  },
  connectSendUdp: {
    option: "-connectudp",
    right: "connect_send_udp",
    about: "send UDP to these ports",
  },
} as const;

/** Methods of rules on paths that grant one more right. */
export const rightModifiers = {
  refer: { method: "withRefer", option: "+refer", about: "rename and link between directories" },
  ioctl_dev: { method: "withIoctlDev", option: "+ioctl_dev", about: "use ioctl on devices" },
  resolve_unix: {
    method: "withResolveUnix",
    option: "+resolve_unix",
    about: "connect to UNIX sockets by path",
  },
} as const;

/** Methods for paths that don't exist, by the policy's word for each. */
export const missingModifiers = {
  skip: { method: "ignoreIfMissing", option: "+ignore_missing", about: "skip missing paths" },
  create: {
    method: "createIfMissing",
    option: "+create_missing",
    about: "make missing directories",
  },
} as const;
export const modifiers = { ...rightModifiers, ...missingModifiers };

/** What presets grant, for help texts. */
export const presetsAbout = "what programs need to run, e.g. bun, dns or executable=git";

/** The presets, with the setting that each may have, or a placeholder for its required value. */
export const presetNames = {
  bun: { setting: "children" },
  dns: { setting: "ports" },
  tls: {},
  timezone: {},
  tmp: {},
  cwd: { setting: "write" },
  executable: { value: "PROGRAM" },
  modules: { value: "FILE" },
} as const;

/** The scopes of Node's permission model that `permissions.has()` accepts. */
export const nodeScopes = [
  ...(["fs", "fs.read", "fs.write", "child"] as const),
  ...(["net", "net.connect", "net.bind"] as const),
] as const;

/** Files that host name look-ups read. */
export const dnsFiles: readonly string[] = [
  ...["/etc/resolv.conf", "/etc/nsswitch.conf", "/etc/hosts", "/etc/host.conf", "/etc/gai.conf"],
];
/** The names under which Bun is installed. */
export const bunNames = /^bunx?$/;

export type PathRuleName = keyof typeof pathRules;
export type PortRuleName = keyof typeof portRules;
/** A policy's key for a list of paths. */
export type PathKey = (typeof pathRules)[PathRuleName]["key"];

/** The keys of a table, typed. */
export function keysOf<Table extends object>(table: Table): (keyof Table & string)[] {
  return Object.keys(table) as (keyof Table & string)[];
}

/** The name of the entry with this option, key or right. */
export function nameFor<Table extends Readonly<Record<string, object>>>(
  table: Table,
  kind: "option" | "key" | "right",
  word: string,
): (keyof Table & string) | undefined {
  return keysOf(table).find((name) => (table[name] as Record<string, unknown>)[kind] === word);
}

/** The rule that grants a right on ports. */
export function portRuleFor(right: (typeof portRules)[PortRuleName]["right"]): PortRuleName {
  return nameFor(portRules, "right", right)!;
}

/** The rule that a policy's key for paths stands for. */
export function pathRuleFor(key: PathKey): PathRuleName {
  return nameFor(pathRules, "key", key)!;
}

/** Text with its first letter in upper case. */
export function capitalized(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** The policy's keys for lists of paths, and for lists of ports. */
export const pathKeys: readonly PathKey[] = keysOf(pathRules).map((name) => pathRules[name].key);
export const portKeys: readonly PortRuleName[] = keysOf(portRules);
/** The families that can be unrestricted as a whole. */
export const families = ["paths", "net", "scoped"] as const;
