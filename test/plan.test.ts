/** The plan for one representative Config and set of rules, on each ABI. */
import { expect, test } from "bun:test";
import {
  accessFs,
  bindTcp,
  bindUdp,
  connectSendUdp,
  connectTcp,
  landlock,
  pathAccess,
  planFor,
  roDirs,
  roFiles,
  rwDirs,
  rwFiles,
  type Config,
  type PathRule,
  type Plan,
  type PortRule,
  type Rights,
} from "../src/index.ts";

const config = landlock.V11.bestEffort().enableLoggingForSubprocesses();
const rules = [
  roDirs("/usr"),
  rwDirs("/srv").withRefer(),
  rwFiles("/dev/null").withIoctlDev(),
  roFiles("/run/dbus").withResolveUnix().ignoreIfMissing(),
  pathAccess(["truncate"], "/log").quiet(),
  bindTcp(8080),
  connectTcp(443),
  bindUdp(0),
  connectSendUdp(53).quiet(),
];

function planOn(abi: number): Plan {
  return planFor(config, rules, { abi, errata: 0xff, state: abi > 0 ? "enabled" : "unsupported" });
}

const first = accessFs.slice(0, 13);

/** The names in a row; `ABI1` stands for all 13 rights of ABI 1. */
function names(...lists: (readonly string[])[]): string {
  const all = lists.flat();
  const rest = all.filter((name) => !first.includes(name as never));
  return (all.length - rest.length === first.length ? ["ABI1", ...rest] : all).join(" ") || "-";
}

const inAll = ({ fs, net, scoped }: Rights) => names(fs, net, scoped);

function line(rule: PathRule | PortRule): string {
  const place = "path" in rule ? rule.path : `:${rule.port}`;
  const notes = [
    "path" in rule && rule.onFile === "fail" && "exact",
    "path" in rule && rule.onMissing === "skip" && "may be missing",
    rule.quiet && "quiet",
  ].filter(Boolean);
  const note = notes.length > 0 ? ` (${notes.join(", ")})` : "";
  return `${place.padEnd(11)} ${names(rule.access)}${note}`;
}

/** The plan as lines, without empty fields unless they decide something. */
function text(plan: Plan): string {
  const { fs, net, scoped, logging } = plan.unenforced;
  return [
    `${plan.enforcement}, ABI ${plan.abi.used} of ${plan.abi.requested}`,
    `handled     ${inAll(plan.handled)}`,
    `unenforced  ${names(fs, net, scoped, logging)}`,
    ...plan.ungranted.map(({ right, path }) => `ungranted   ${right} ${path}`),
    ...plan.rules.map(line),
    `quiet       ${inAll(plan.quiet)}`,
    `flags       ${names(plan.flags)}`,
  ]
    .filter((row) => row !== "quiet       -")
    .join("\n");
}

/** Maps a range of ABIs to the plan row they share. */
const all: readonly [from: number, to: number, row: string][] = [
  [0, 0, "none, ABI @ of 11"],
  [1, 9, "partial, ABI @ of 11"],
  [10, 11, "full, ABI @ of 11"],
  [0, 0, "handled     -"],
  [1, 1, "handled     ABI1"],
  [2, 2, "handled     ABI1 refer"],
  [3, 3, "handled     ABI1 refer truncate"],
  [4, 4, "handled     ABI1 refer truncate bind_tcp connect_tcp"],
  [5, 5, "handled     ABI1 refer truncate ioctl_dev bind_tcp connect_tcp"],
  [6, 8, "handled     ABI1 refer truncate ioctl_dev bind_tcp connect_tcp SCOPES"],
  [9, 9, "handled     ABI1 refer truncate ioctl_dev resolve_unix bind_tcp connect_tcp SCOPES"],
  [10, 11, "handled     ABI1 refer truncate ioctl_dev resolve_unix TCP UDP SCOPES"],
  [0, 0, "unenforced  ABI1 refer truncate ioctl_dev resolve_unix TCP UDP SCOPES LOG quiet"],
  [1, 2, "unenforced  truncate ioctl_dev resolve_unix TCP UDP SCOPES LOG quiet"],
  [3, 3, "unenforced  ioctl_dev resolve_unix TCP UDP SCOPES LOG quiet"],
  [4, 4, "unenforced  ioctl_dev resolve_unix UDP SCOPES LOG quiet"],
  [5, 5, "unenforced  resolve_unix UDP SCOPES LOG quiet"],
  [6, 6, "unenforced  resolve_unix UDP LOG quiet"],
  [7, 8, "unenforced  resolve_unix UDP quiet"],
  [9, 9, "unenforced  UDP quiet"],
  [10, 11, "unenforced  -"],
  [1, 1, "ungranted   refer /srv"],
  [1, 11, "/usr        execute read_file read_dir"],
  [1, 1, "/srv        ABI1"],
  [2, 2, "/srv        ABI1 refer"],
  [3, 11, "/srv        ABI1 refer truncate"],
  [1, 2, "/dev/null   execute write_file read_file"],
  [3, 4, "/dev/null   execute write_file read_file truncate"],
  [5, 11, "/dev/null   execute write_file read_file truncate ioctl_dev"],
  [1, 8, "/run/dbus   execute read_file (may be missing)"],
  [9, 11, "/run/dbus   execute read_file resolve_unix (may be missing)"],
  [3, 9, "/log        truncate (exact)"],
  [10, 11, "/log        truncate (exact, quiet)"],
  [4, 11, ":8080       bind_tcp"],
  [4, 11, ":443        connect_tcp"],
  [10, 11, ":0          bind_udp"],
  [10, 11, ":53         connect_send_udp (quiet)"],
  [10, 11, "quiet       ABI1 refer truncate ioctl_dev resolve_unix TCP UDP"],
  [0, 6, "flags       -"],
  [7, 7, "flags       LOG"],
  [8, 10, "flags       LOG tsync"],
  [11, 11, "flags       LOG tsync no_new_privs"],
];
const short: Readonly<Record<string, string>> = {
  TCP: "bind_tcp connect_tcp",
  UDP: "bind_udp connect_send_udp",
  SCOPES: "abstract_unix_socket signal",
  LOG: "log_new_exec_on",
};

// Derived from the kernel's header and documentation, which say what each ABI added.
function expectedOn(abi: number): string {
  const rows = all.filter(([from, to]) => from <= abi && abi <= to).map(([, , row]) => row);
  const text = rows.join("\n").replace("@", `${abi}`);
  return text.replaceAll(/TCP|UDP|SCOPES|LOG/g, (word) => short[word]!);
}

for (let abi = 0; abi <= 11; abi++) {
  test(`planFor() asks ABI ${abi} for what it has, and reports the rest`, () => {
    expect(text(planOn(abi))).toBe(expectedOn(abi));
    expect(planOn(abi).abi.kernel).toBe(abi);
  });
}

for (const abi of [12, 13, 100]) {
  test(`planFor() treats ABI ${abi} as 11, and reports the kernel's own number`, () => {
    const { abi: newer, ...rest } = planOn(abi);
    const { abi: known, ...restOf11 } = planOn(11);
    expect(rest).toEqual(restOf11);
    expect(newer).toEqual({ ...known, kernel: abi });
  });
}

test("planFor() uses no more of the kernel than was requested", () => {
  const abi = (config: Config, kernel: number) =>
    planFor(config, [], { abi: kernel, errata: 0xff, state: "enabled" }).abi;
  expect(abi(landlock.V1, 12)).toEqual({ kernel: 12, requested: 1, used: 1 });
  expect(abi(landlock.V4, 4)).toEqual({ kernel: 4, requested: 4, used: 4 });
  expect(abi(landlock.V9.bestEffort(), 3)).toEqual({ kernel: 3, requested: 9, used: 3 });
  const custom = landlock.config({ net: ["bind_tcp"], scoped: ["signal"] });
  expect(abi(custom, 11)).toEqual({ kernel: 11, requested: 6, used: 6 });
});
