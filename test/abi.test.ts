/** The table of ABIs against a list copied from the kernel's documentation. */
import { expect, test } from "bun:test";
import {
  accessFs,
  accessNet,
  landlock,
  planFor,
  scopes,
  type Kernel,
  type Rights,
} from "../src/index.ts";
import {
  abiOf,
  abiOfRight,
  encodeRulesetAttr,
  fileRights,
  linuxOf,
  newestAbi,
  rightsOf,
} from "../src/kernel/abi.ts";
import { notCovered } from "../src/kernel/probe.ts";

/** The size of `struct landlock_ruleset_attr` that a kernel of this ABI knows. */
const attrBytesOf = (abi: number) => encodeRulesetAttr(rightsOf(0), rightsOf(0), abi).length;

// Documentation/userspace-api/landlock.rst, "Previous limitations", and kernel release notes.
const history: { abi: number; linux: string; adds: string[]; attrBytes: number }[] = [
  {
    abi: 1,
    linux: "5.13",
    adds: [
      ...["execute", "write_file", "read_file", "read_dir", "remove_dir", "remove_file"],
      ...["make_char", "make_dir", "make_reg", "make_sock", "make_fifo", "make_block", "make_sym"],
    ],
    attrBytes: 8,
  },
  { abi: 2, linux: "5.19", adds: ["refer"], attrBytes: 8 },
  { abi: 3, linux: "6.2", adds: ["truncate"], attrBytes: 8 },
  { abi: 4, linux: "6.7", adds: ["bind_tcp", "connect_tcp"], attrBytes: 16 },
  { abi: 5, linux: "6.10", adds: ["ioctl_dev"], attrBytes: 16 },
  { abi: 6, linux: "6.12", adds: ["abstract_unix_socket", "signal"], attrBytes: 24 },
  { abi: 7, linux: "6.15", adds: [], attrBytes: 24 },
  { abi: 8, linux: "7.0", adds: [], attrBytes: 24 },
  { abi: 9, linux: "7.1", adds: ["resolve_unix"], attrBytes: 24 },
  { abi: 10, linux: "7.2", adds: ["bind_udp", "connect_send_udp"], attrBytes: 48 },
  { abi: 11, linux: "7.3", adds: [], attrBytes: 48 },
];

test("newestAbi is the last ABI of the history", () => {
  expect(newestAbi as number).toBe(history.at(-1)!.abi);
});

for (const { abi, linux, adds, attrBytes } of history) {
  test(`rightsOf(${abi}) adds what Linux ${linux} added, and nothing else`, () => {
    const names = (version: number) => Object.values(rightsOf(version)).flat() as string[];
    const before = new Set(names(abi - 1));
    expect(names(abi).filter((name) => !before.has(name))).toEqual(adds);
    expect(names(abi)).toHaveLength(before.size + adds.length);
  });

  test(`the table has Linux, size and rights of ABI ${abi}`, () => {
    expect(linuxOf(abi)).toBe(linux);
    expect(attrBytesOf(abi)).toBe(attrBytes);
    for (const right of adds) expect(abiOfRight(right as "execute") as number).toBe(abi);
  });
}

test("rightsOf() is empty for ABI 0, and the newest above the newest", () => {
  expect(rightsOf(0)).toEqual({ fs: [], net: [], scoped: [] });
  expect(rightsOf(12)).toEqual(rightsOf(11));
  expect(attrBytesOf(12)).toBe(48);
});

test("fileRights are those that the kernel accepts on a file", () => {
  // ACCESS_FILE in security/landlock/fs.c, in the order of the bits.
  const accepted = ["execute", "write_file", "read_file", "truncate", "ioctl_dev", "resolve_unix"];
  expect<readonly string[]>(fileRights).toEqual(accepted);
});

test("abiOf has the ABIs of what is no right", () => {
  expect({ ...abiOf } as Record<string, number>).toEqual({
    logging: 7,
    tsync: 8,
    quiet: 10,
    noNewPrivs: 11,
  });
});

test("accessFs, accessNet and scopes are frozen, complete and without doubles", () => {
  const all = history.flatMap(({ adds }) => adds);
  const lists = [accessFs, accessNet, scopes];
  expect(lists.flat().sort() as string[]).toEqual(all.sort());
  for (const list of lists) expect(Object.isFrozen(list)).toBeTrue();
});

const noRights: Rights = { fs: [], net: [], scoped: [] };

test("notCovered() names what whole ABIs brought until there is that ABI, whatever is handled", () => {
  const removed: [abi: number, subject: RegExp][] = [
    [10, /UDP \(needs ABI 10\)/],
    [9, /UNIX sockets by path \(needs ABI 9\)/],
    [6, /signals and abstract UNIX sockets \(needs ABI 6\)/],
    [6, /keyctl: KEYCTL_SESSION_TO_PARENT/],
    [5, /ioctl on devices \(needs ABI 5\)/],
    [4, /TCP \(needs ABI 4\)/],
    [3, /truncating files \(needs ABI 3\)/],
  ];
  for (let abi = 1; abi <= 12; abi++) {
    const text = notCovered(abi, noRights).join("; ");
    for (const [from, subject] of removed) {
      if (abi < from) expect(text).toMatch(subject);
      else expect(text).not.toMatch(subject);
    }
    for (const always of [
      ...[/open already/, /chmod, chown, stat, readlink/, /Multipath TCP/, /netlink and vsock/],
      ...[/AF_ALG/, /System V shared memory/, /keyctl\)/, /prlimit/],
    ]) {
      expect(text).toMatch(always);
    }
  }
  expect(notCovered(0, rightsOf(11))).toEqual(["everything: Landlock cannot be used here"]);
});

test("notCovered() names the gaps of a right where that right is handled, and only there", () => {
  const gaps: [subject: RegExp, handled: Partial<Rights>, below: number][] = [
    [/^memfds/, { fs: ["execute"] }, 99],
    [/^memfds/, { fs: ["write_file"] }, 99],
    [/^inotify and fanotify/, { fs: ["read_dir"] }, 99],
    [/^file locks/, { fs: ["write_file"] }, 99],
    [/^addresses/, { net: ["connect_tcp"] }, 99],
    [/^addresses/, { net: ["connect_send_udp"] }, 99],
    [/^listen without bind/, { net: ["bind_tcp"] }, 99],
    [/^TCP Fast Open/, { net: ["connect_tcp"] }, 10],
    [/^SIGIO/, { scoped: ["signal"] }, 10],
  ];
  for (let abi = 1; abi <= 12; abi++) {
    const always = notCovered(abi, noRights);
    for (const [subject, handled, below] of gaps) {
      const said = notCovered(abi, { ...noRights, ...handled });
      expect(always.filter((what) => subject.test(what))).toEqual([]);
      expect(said.filter((what) => subject.test(what))).toHaveLength(abi < below ? 1 : 0);
    }
  }
});

test("notCovered() says below ABI 8 that scopes come between threads, where there are scopes", () => {
  for (let abi = 1; abi <= 12; abi++) {
    const said = notCovered(abi, { ...noRights, scoped: ["signal"] });
    const between = said.filter((text) => /threads older than the restriction/.test(text));
    expect(between).toHaveLength(abi < 8 ? 1 : 0);
    const plan = planFor(landlock.V6.bestEffort(), [], { abi, errata: 0, state: "enabled" });
    expect(plan.notCovered).toEqual(notCovered(abi, plan.handled));
  }
});

test("planFor() passes on what this kernel does not cover", () => {
  for (let abi = 1; abi <= 12; abi++) {
    const kernel: Kernel = { abi, errata: 0, state: "enabled" };
    for (const config of [landlock.V1, landlock.V11.bestEffort()]) {
      const { handled, notCovered: said } = planFor(config, [], kernel);
      expect(said).toEqual(notCovered(abi, handled));
    }
  }
});
