/** What each ABI is asked for one representative Config and one set of rules. */
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

/** The names in a row; the 13 rights of ABI 1 as `ABI1` where all of them are there. */
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

/** The plan in lines; what is empty is left out, except what decides. */
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

// The kernel's header and documentation say what each ABI added; these are worked out from them.
const expected: readonly string[] = [
  `none, ABI 0 of 11
handled     -
unenforced  ABI1 refer truncate ioctl_dev resolve_unix bind_tcp connect_tcp bind_udp connect_send_udp abstract_unix_socket signal log_new_exec_on quiet
flags       -`,
  `partial, ABI 1 of 11
handled     ABI1
unenforced  truncate ioctl_dev resolve_unix bind_tcp connect_tcp bind_udp connect_send_udp abstract_unix_socket signal log_new_exec_on quiet
ungranted   refer /srv
/usr        execute read_file read_dir
/srv        ABI1
/dev/null   execute write_file read_file
/run/dbus   execute read_file (may be missing)
flags       -`,
  `partial, ABI 2 of 11
handled     ABI1 refer
unenforced  truncate ioctl_dev resolve_unix bind_tcp connect_tcp bind_udp connect_send_udp abstract_unix_socket signal log_new_exec_on quiet
/usr        execute read_file read_dir
/srv        ABI1 refer
/dev/null   execute write_file read_file
/run/dbus   execute read_file (may be missing)
flags       -`,
  `partial, ABI 3 of 11
handled     ABI1 refer truncate
unenforced  ioctl_dev resolve_unix bind_tcp connect_tcp bind_udp connect_send_udp abstract_unix_socket signal log_new_exec_on quiet
/usr        execute read_file read_dir
/srv        ABI1 refer truncate
/dev/null   execute write_file read_file truncate
/run/dbus   execute read_file (may be missing)
/log        truncate (exact)
flags       -`,
  `partial, ABI 4 of 11
handled     ABI1 refer truncate bind_tcp connect_tcp
unenforced  ioctl_dev resolve_unix bind_udp connect_send_udp abstract_unix_socket signal log_new_exec_on quiet
/usr        execute read_file read_dir
/srv        ABI1 refer truncate
/dev/null   execute write_file read_file truncate
/run/dbus   execute read_file (may be missing)
/log        truncate (exact)
:8080       bind_tcp
:443        connect_tcp
flags       -`,
  `partial, ABI 5 of 11
handled     ABI1 refer truncate ioctl_dev bind_tcp connect_tcp
unenforced  resolve_unix bind_udp connect_send_udp abstract_unix_socket signal log_new_exec_on quiet
/usr        execute read_file read_dir
/srv        ABI1 refer truncate
/dev/null   execute write_file read_file truncate ioctl_dev
/run/dbus   execute read_file (may be missing)
/log        truncate (exact)
:8080       bind_tcp
:443        connect_tcp
flags       -`,
  `partial, ABI 6 of 11
handled     ABI1 refer truncate ioctl_dev bind_tcp connect_tcp abstract_unix_socket signal
unenforced  resolve_unix bind_udp connect_send_udp log_new_exec_on quiet
/usr        execute read_file read_dir
/srv        ABI1 refer truncate
/dev/null   execute write_file read_file truncate ioctl_dev
/run/dbus   execute read_file (may be missing)
/log        truncate (exact)
:8080       bind_tcp
:443        connect_tcp
flags       -`,
  `partial, ABI 7 of 11
handled     ABI1 refer truncate ioctl_dev bind_tcp connect_tcp abstract_unix_socket signal
unenforced  resolve_unix bind_udp connect_send_udp quiet
/usr        execute read_file read_dir
/srv        ABI1 refer truncate
/dev/null   execute write_file read_file truncate ioctl_dev
/run/dbus   execute read_file (may be missing)
/log        truncate (exact)
:8080       bind_tcp
:443        connect_tcp
flags       log_new_exec_on`,
  `partial, ABI 8 of 11
handled     ABI1 refer truncate ioctl_dev bind_tcp connect_tcp abstract_unix_socket signal
unenforced  resolve_unix bind_udp connect_send_udp quiet
/usr        execute read_file read_dir
/srv        ABI1 refer truncate
/dev/null   execute write_file read_file truncate ioctl_dev
/run/dbus   execute read_file (may be missing)
/log        truncate (exact)
:8080       bind_tcp
:443        connect_tcp
flags       log_new_exec_on tsync`,
  `partial, ABI 9 of 11
handled     ABI1 refer truncate ioctl_dev resolve_unix bind_tcp connect_tcp abstract_unix_socket signal
unenforced  bind_udp connect_send_udp quiet
/usr        execute read_file read_dir
/srv        ABI1 refer truncate
/dev/null   execute write_file read_file truncate ioctl_dev
/run/dbus   execute read_file resolve_unix (may be missing)
/log        truncate (exact)
:8080       bind_tcp
:443        connect_tcp
flags       log_new_exec_on tsync`,
  `full, ABI 10 of 11
handled     ABI1 refer truncate ioctl_dev resolve_unix bind_tcp connect_tcp bind_udp connect_send_udp abstract_unix_socket signal
unenforced  -
/usr        execute read_file read_dir
/srv        ABI1 refer truncate
/dev/null   execute write_file read_file truncate ioctl_dev
/run/dbus   execute read_file resolve_unix (may be missing)
/log        truncate (exact, quiet)
:8080       bind_tcp
:443        connect_tcp
:0          bind_udp
:53         connect_send_udp (quiet)
quiet       ABI1 refer truncate ioctl_dev resolve_unix bind_tcp connect_tcp bind_udp connect_send_udp
flags       log_new_exec_on tsync`,
  `full, ABI 11 of 11
handled     ABI1 refer truncate ioctl_dev resolve_unix bind_tcp connect_tcp bind_udp connect_send_udp abstract_unix_socket signal
unenforced  -
/usr        execute read_file read_dir
/srv        ABI1 refer truncate
/dev/null   execute write_file read_file truncate ioctl_dev
/run/dbus   execute read_file resolve_unix (may be missing)
/log        truncate (exact, quiet)
:8080       bind_tcp
:443        connect_tcp
:0          bind_udp
:53         connect_send_udp (quiet)
quiet       ABI1 refer truncate ioctl_dev resolve_unix bind_tcp connect_tcp bind_udp connect_send_udp
flags       log_new_exec_on tsync no_new_privs`,
];

for (const [abi, plan] of expected.entries()) {
  test(`planFor() asks ABI ${abi} for what it has, and reports the rest`, () => {
    expect(text(planOn(abi))).toBe(plan);
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
