/**
 * Draws operations on names of any bytes, and compares the observation with the kernel's report.
 */
import { lstatSync, mkdirSync } from "node:fs";
import { errnoName } from "../../../src/errors/errors.ts";
import { bytesOf, realPath } from "../../../src/kernel/names.ts";
import type { Attempt } from "../../../src/trace/observation.ts";
import { randomOf, type Random } from "../../random.ts";
import { perform, type Act, type Acted } from "./actor.ts";

const none = Buffer.alloc(0);

/** Characters of strace's own syntax, ends of names, and bytes that are not UTF-8. */
const parts = [
  ...[
    ...["-", "->", "<", ">", "(deleted)", " (deleted)", "<char 1:3>", "<unfinished ...>"],
    '"',
    '"...',
  ],
  ...[
    ...["\\", "\\377", "\\x41", "\n", "\r", "\t", ", ", "{", "}", "[", "]", "=", " = 0"],
    ...[") = -1 EACCES"],
  ],
  ...[
    ...["+++ exited with 0 +++", "--- SIGTERM {", "AT_FDCWD", "TCP:[1]", "pipe:[1]", "memfd:"],
    ...["/* */"],
  ],
  ...["é", "\u{1f600}", "\u202e", "\u2028", "\ufffd", "\ufeff", "a", "0", "@", "~", "$(x)", "'"],
].map((text) => Buffer.from(text));

function nameFrom(random: Random): Buffer {
  const size = random.chance(0.03) ? 80 : 1 + random.below(4);
  const pieces = Array.from({ length: size }, () =>
    random.chance(0.4) ? Buffer.of(1 + random.below(255)) : random.one(parts),
  );
  const bytes = Buffer.concat(pieces).filter((byte) => byte !== 0x2f);
  const name = Buffer.from(bytes.subarray(0, 255));
  return name.length === 0 || /^\.{1,2}$/.test(name.toString("latin1")) ? Buffer.from("n") : name;
}

const slash = Buffer.from("/");

function joined(...names: readonly Buffer[]): Buffer {
  return Buffer.concat(names.flatMap((name, i) => (i === 0 ? [name] : [slash, name])));
}

/** Descriptors on which the actor opens directories. */
const slots = [20, 21, 22];

const onOne = [
  ...["openat", "creatat", "mkdirat", "unlinkat", "rmdirat", "mknodat", "openat", "mkdirat"],
];
const onTwo = ["renameat", "linkat", "symlinkat", "renameat"];
const legacyOne = [
  ...["open", "mkdir", "mkdir", "mkdir", "unlink", "rmdir", "truncate", "bind", "connect"],
];
const legacyTwo = ["rename", "link", "symlink"];

/** Draws operations one by one. */
function drawer(random: Random, base: Buffer) {
  const names = Array.from({ length: 6 }, () => nameFrom(random));
  const relative = () => {
    const path = [random.one(names)];
    while (random.chance(0.25)) path.push(random.one(names));
    if (random.chance(0.1)) path.push(Buffer.from(".."), random.one(names));
    if (random.chance(0.1)) path.unshift(Buffer.from("."));
    return joined(...path);
  };
  const path = () => (random.chance(0.25) ? joined(base, relative()) : relative());
  // Moves the current directory, and makes calls without a starting descriptor.
  const moving = (): Act[] => {
    const [from, to] = [joined(base, random.one(names)), joined(base, random.one(names))];
    const legacy = { what: "mkdir", fd: -1, a: random.one(names), b: none };
    return [
      { what: "mkdir", fd: -1, a: from, b: none },
      { what: "chdir", fd: -1, a: from, b: none },
      { what: random.one(["rename", "renameat"]), fd: -1, a: from, b: to },
      legacy,
    ];
  };
  const queue: Act[] = [];
  return (): Act => {
    const queued = queue.shift();
    if (queued) return queued;
    if (random.chance(0.02)) queue.push(...moving());
    const roll = random.below(100);
    const fd = random.chance(0.3) ? random.one(slots) : -1;
    if (roll < 12) return { what: "chdir", fd: -1, a: random.chance(0.6) ? base : path(), b: none };
    if (roll < 14) return { what: "fchdir", fd: random.one(slots), a: none, b: none };
    if (roll < 20) {
      return { what: "openat", fd, a: path(), b: none, slot: random.one(slots) };
    }
    if (roll < 21) {
      return { what: "dup2", fd: random.one(slots), a: none, b: none, slot: random.one(slots) };
    }
    if (roll < 22) return { what: "fork", fd: -1, a: none, b: none };
    if (roll < 30) {
      const slot = random.one(slots);
      const link = random.one(["/proc/self/cwd", `/proc/self/fd/${slot}`, `/dev/fd/${slot}`]);
      const what = random.one(["open", "openat", "creatat", "mkdirat", "unlinkat"]);
      return { what, fd: slot, a: joined(Buffer.from(link), random.one(names)), b: none };
    }
    if (roll < 60) return { what: random.one(onOne), fd, a: path(), b: none };
    if (roll < 75) return { what: random.one(onTwo), fd, a: path(), b: path() };
    if (roll < 90)
      return { what: random.one(legacyOne), fd: -1, a: path().subarray(0, 100), b: none };
    return { what: random.one(legacyTwo), fd: -1, a: path(), b: path() };
  };
}

const deletedEnd = " (deleted)";

/** A directory as the kernel prints it; undefined if it was removed. */
function existing(path: Buffer | undefined): Buffer | undefined {
  if (!path?.toString("latin1").endsWith(deletedEnd)) return path;
  return statsOf(path) ? path : undefined;
}

function statsOf(path: Buffer) {
  try {
    return lstatSync(path, { throwIfNoEntry: false });
  } catch {
    return undefined;
  }
}

/** Bytes as text, one character each, with all spellings of a path made the same. */
function plain(path: Buffer): string {
  const text = path
    .toString("latin1")
    .replaceAll(/\/+/g, "/")
    .replaceAll(/\/\.(?=\/|$)/g, "");
  return text.replace(/(?<=.)\/$/, "");
}

/** Where an operation's path leads, by its text and the kernel's report; undefined if unknown. */
function expected({ act, truth }: Acted, path: Buffer): string | undefined {
  const text = path.toString("latin1");
  const [link] = /^\/(proc\/self\/(cwd|fd\/\d+)|dev\/fd\/\d+)/.exec(text) ?? [];
  const target = existing(link?.endsWith("cwd") ? truth.cwd : truth.on);
  if (link !== undefined) {
    const whole = target && Buffer.concat([target, path.subarray(link.length)]);
    // Whether to follow a symbolic link there depends on the operation.
    return whole && !statsOf(whole)?.isSymbolicLink() ? plain(whole) : undefined;
  }
  if (text.startsWith("/")) return plain(path);
  const isAt = act.what.endsWith("at");
  const base = existing(isAt && act.fd >= 0 ? truth.on : truth.cwd);
  return base && plain(joined(base, path));
}

const kinds: Readonly<Record<string, string>> = {
  ...{ open: "open", openat: "open", creatat: "open", mkdir: "make", mkdirat: "make" },
  ...{ mknodat: "make", symlink: "make", symlinkat: "make", bind: "make" },
  ...{ unlink: "remove", unlinkat: "remove", rmdir: "remove", rmdirat: "remove" },
  ...{ rename: "rename", renameat: "rename", link: "link", linkat: "link" },
  ...{ truncate: "truncate", connect: "resolve_unix" },
};

function plainOf(path: string): string {
  return plain(bytesOf(path));
}

/** What is wrong with an observation; empty if it matches the kernel. */
function differenceOf(one: Acted, bound: ReadonlySet<string>): string | undefined {
  const { act, truth, seen } = one;
  const kind = kinds[act.what];
  if (kind === undefined) return seen.length === 0 ? undefined : "something was seen";
  const isSymlink = act.what.startsWith("symlink");
  const where = expected(one, isSymlink ? act.b : act.a);
  const to = kind === "rename" || kind === "link" ? expected(one, act.b) : undefined;
  const isKnown =
    where !== undefined &&
    (to !== undefined || (kind !== "rename" && kind !== "link")) &&
    truth.errno !== 9;
  if (!isKnown) return seen.length > 0 && truth.errno === 0 ? wrongSuccess(one) : undefined;
  if (kind === "resolve_unix" && seen.length === 0 && bound.has(where)) return undefined;
  const [only, ...more] = seen as [Attempt?, ...Attempt[]];
  if (only === undefined || more.length > 0) return `${seen.length} attempts`;
  const { operation, failed, found } = only;
  if (operation.kind !== kind || !("path" in operation)) return `kind ${operation.kind}`;
  if (plainOf(operation.path) !== where) return `path ${where}`;
  if (to !== undefined && "to" in operation && plainOf(operation.to) !== to) return `to ${to}`;
  if (failed !== (truth.errno === 0 ? undefined : errnoName(truth.errno)))
    return `errno ${truth.errno}`;
  return wrongSuccess({ ...one, seen: [only] }) ?? (found && !truth.opened ? "found" : undefined);
}

function wrongSuccess({ truth, seen }: Acted): string | undefined {
  const found = seen[0]?.found;
  if (truth.opened === undefined || found === undefined) return undefined;
  return bytesOf(found).equals(truth.opened) ? undefined : `found ${JSON.stringify(found)}`;
}

/** The result of a run. */
export interface Outcome {
  readonly operations: number;
  /** How many of the operations worked. */
  readonly worked: number;
  /** How many names had bytes that are not UTF-8. */
  readonly notText: number;
  readonly differences: readonly string[];
}

/**
 * Draws a run and performs it.
 *
 * @param program The result of `buildActor()`
 * @param folder A new folder
 */
export async function tryNames(
  program: string,
  folder: string,
  seed: number,
  count: number,
): Promise<Outcome> {
  const random = randomOf(seed);
  // A name may be a link to this folder, so `..` after it leads further up.
  const base = Buffer.from(`${realPath(folder)}/a/b/c`);
  mkdirSync(base, { recursive: true });
  const draw = drawer(random, base);
  const differences: string[] = [];
  const bound = new Set<string>();
  let [worked, notText] = [0, 0];
  await perform(program, base.toString(), count, (last) => {
    // Checked now, while the files are as the operation left them.
    if (last) {
      const difference = differenceOf(last, bound);
      if (difference !== undefined) differences.push(`${show(last)}: ${difference}`);
      if (last.act.what === "bind") bound.add(expected(last, last.act.a) ?? "");
      if (last.truth.errno === 0) worked++;
      if (!last.act.a.equals(Buffer.from(last.act.a.toString()))) notText++;
    }
    return draw();
  });
  return { operations: count, worked, notText, differences };
}

function show({ act, truth, seen }: Acted): string {
  const text = (bytes: Buffer | undefined) => JSON.stringify(bytes?.toString("latin1"));
  const told = seen.map((one) => JSON.stringify([one.operation, one.failed, one.found])).join();
  return `${act.what} ${act.fd} ${text(act.a)} ${text(act.b)} in ${text(truth.cwd)} on ${text(truth.on)}, errno ${truth.errno}, opened ${text(truth.opened)}, seen ${told}`;
}
