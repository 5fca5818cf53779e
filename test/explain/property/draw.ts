/** Draws a world from a seed. */
import {
  accessFs,
  accessNet,
  fileRights,
  scopes,
  type FsRight,
  type Rights,
} from "../../../src/kernel/abi.ts";
import type { FileType, Operation } from "../../../src/model/operation.ts";
import { randomOf, type Random } from "../../random.ts";
import {
  ports,
  type DrawnLayer,
  type DrawnRule,
  type Privileges,
  type Step,
  type Trial,
  type World,
} from "./world.ts";

/**
 * Draws a world; equal seeds give equal worlds if privileges are equal.
 *
 * @param trials Number of operations
 */
export function drawWorld(seed: number, privileges: Privileges, trials: number): World {
  const random = randomOf(seed);
  const mounts = random.chance(0.5) && privileges.unshare.length > 0;
  const drawn = drawFiles(
    random,
    mounts ? { ...privileges, devices: privileges.devices } : privileges,
    mounts,
  );
  const layers = drawLayers(random, drawn);
  const next = trialsOf(random, drawn);
  return { steps: drawn.steps, layers, trials: Array.from({ length: trials }, next), mounts };
}

/** Paths by what they are after all steps. */
export interface Drawn {
  readonly steps: readonly Step[];
  readonly directories: readonly string[];
  readonly files: readonly string[];
  readonly regular: readonly string[];
  readonly sockets: readonly string[];
}

const join = (directory: string, name: string) =>
  directory === "." ? name : `${directory}/${name}`;

/** The text of a relative link. */
function linkText(from: string, to: string): string {
  const up = "../".repeat(from.split("/").length - 1);
  return to === "." ? up || "." : `${up}${to}`;
}

/** Draws directories and files, and mounts if this process can mount. */
export function drawFiles(random: Random, privileges: Privileges, mounts: boolean): Drawn {
  const steps: Step[] = [];
  const directories = ["."];
  const files: string[] = [];
  const regular: string[] = [];
  const sockets: string[] = [];
  /** A link to a directory or a mount gives files a second path. */
  const shown: (readonly [alias: string, directory: string])[] = [];
  const make = (step: Step) => steps.push(step);

  for (const name of ["a", "b", "c", "d", "e", "g", "h", "i"]) {
    const parent = directories.length < 4 ? "." : random.one(directories);
    const path = join(parent, name);
    make({ make: "directory", path });
    directories.push(path);
  }
  const serve = (path: string, datagram: boolean) => {
    make({ make: "socket", path, datagram });
    sockets.push(path);
  };
  const fill = (within: readonly string[], count: number, prefix: string) => {
    for (let i = 0; i < count; i++) {
      const path = join(random.one(within), `${prefix}${i}`);
      const kind = random.below(20);
      if (kind < 9 || files.length === 0) {
        make({ make: "regular", path });
        regular.push(path);
      } else if (kind < 11) make({ make: "fifo", path });
      else if (kind < 12) make({ make: "whiteout", path });
      else if (kind < 14) make({ make: privileges.devices ? "char" : "fifo", path });
      else if (kind < 16) {
        serve(path, random.chance(0.4));
      } else if (kind < 17) {
        make({ make: "link", path, to: random.one(files) });
      } else if (kind < 18) {
        make({ make: "symlink", path, to: linkText(path, random.one(files)) });
      } else if (kind < 19) {
        const to = random.one(directories);
        make({ make: "symlink", path, to: linkText(path, to) });
        shown.push([path, to]);
        continue;
      } else make({ make: "directory", path });
      files.push(path);
    }
  };
  fill(directories, 16, "f");
  for (const datagram of [true, false]) {
    serve(join(random.one(directories), datagram ? "datagrams" : "stream"), datagram);
  }
  for (let i = mounts ? 1 + random.below(3) : 0; i > 0; i--) {
    const path = random.one(directories.slice(1));
    if (random.chance(0.6)) {
      const from = random.one(directories);
      make({ make: "bind", path, from });
      shown.push([path, from]);
    } else {
      make({ make: "tmpfs", path });
      make({ make: "directory", path: `${path}/t${i}` });
      make({ make: "directory", path: `${path}/u${i}` });
      directories.push(`${path}/t${i}`, `${path}/u${i}`);
      fill([path, `${path}/t${i}`, `${path}/u${i}`], 4, `m${i}`);
    }
  }
  const aliases = shown.flatMap(([alias, directory]) => [
    alias,
    ...[...directories, ...files]
      .filter((path) => directory === "." || path.startsWith(`${directory}/`))
      .map((path) => join(alias, directory === "." ? path : path.slice(directory.length + 1)))
      .slice(-4),
  ]);
  return { steps, directories, regular, files: [...files, ...aliases], sockets };
}

function drawHandled(random: Random): Rights {
  const none: Rights = { fs: [], net: [], scoped: [] };
  const kind = random.below(20);
  if (kind < 7) return { fs: accessFs, net: accessNet, scoped: random.some(scopes) };
  if (kind < 10) return { ...none, fs: accessFs };
  if (kind < 12) return { ...none, net: someOf(random, accessNet) };
  if (kind < 13) return { ...none, scoped: [random.one(scopes)] };
  if (kind < 14) return { ...none, fs: [random.one(accessFs)] };
  if (kind < 15) return { ...none, fs: accessFs.filter((right) => right !== "refer") };
  return { fs: someOf(random, accessFs), net: random.some(accessNet), scoped: random.some(scopes) };
}

/** Picks at least one. */
function someOf<Right>(random: Random, all: readonly Right[]): Right[] {
  return [...new Set([random.one(all), ...random.some(all)])];
}

/** Picks a few rights, or nearly all. */
function drawRights(random: Random, all: readonly FsRight[], wide: boolean): FsRight[] {
  const share = random.one(wide ? [0.6, 0.95, 1] : [0.3, 0.85, 0.95, 1]);
  return all.filter(() => random.chance(share));
}

function drawPathRule(random: Random, drawn: Drawn, handled: Rights, wide: boolean): DrawnRule[] {
  const onFile = !wide && random.chance(0.35);
  const outside = ["/", "/", "..", "/usr", "/dev", "/dev/null"];
  let path = random.one(drawn.directories);
  if (wide) path = random.one([".", ".", "/", ".."]);
  else if (onFile) path = random.one([...drawn.files, ...drawn.sockets]);
  else if (random.chance(0.15)) path = random.one(outside);
  const fitting = onFile ? handled.fs.filter((right) => fileRights.includes(right)) : handled.fs;
  const access = drawRights(random, fitting, wide);
  return access.length === 0 ? [] : [{ path, access }];
}

function drawPortRule(random: Random, handled: Rights): DrawnRule[] {
  const access = handled.net.filter(() => random.chance(0.6));
  const port = random.one(Object.values(ports));
  return access.length === 0 ? [] : [{ port, access }];
}

/** A layer that allows nearly every move, so that moved files may gain rights. */
function drawMoving(random: Random, drawn: Drawn): Omit<DrawnLayer, "at"> {
  const handled = { fs: accessFs, net: [], scoped: [] };
  const access = accessFs.filter((right) => !fileRights.includes(right) || random.chance(0.5));
  const rules = Array.from({ length: 4 }, () => drawPathRule(random, drawn, handled, false));
  return { handled, rules: [{ path: ".", access }, ...rules.flat()] };
}

function drawLayer(random: Random, drawn: Drawn): Omit<DrawnLayer, "at"> {
  const handled = drawHandled(random);
  const rules: DrawnRule[] = [];
  if (handled.fs.length > 0) {
    if (random.chance(0.65)) rules.push(...drawPathRule(random, drawn, handled, true));
    for (let i = random.below(9); i > 0; i--) {
      rules.push(...drawPathRule(random, drawn, handled, false));
    }
  }
  if (handled.net.length > 0) {
    for (let i = random.below(5); i > 0; i--) rules.push(...drawPortRule(random, handled));
  }
  return { handled, rules };
}

export function drawLayers(random: Random, drawn: Drawn): DrawnLayer[] {
  const { length } = drawn.steps;
  const drawOne = random.chance(0.3) ? drawMoving : drawLayer;
  return Array.from({ length: random.one([1, 1, 2, 2, 3, 4]) }, () => ({
    ...drawOne(random, drawn),
    at: random.chance(0.8) ? length : random.below(length + 1),
  }));
}

const types: readonly FileType[] = [
  ...(["regular", "directory", "symlink", "fifo"] as const),
  ...(["socket", "char", "block", "whiteout"] as const),
];

/** Draws operations one by one. */
export function trialsOf(random: Random, drawn: Drawn): () => Trial {
  const file = () => random.one(drawn.files);
  const directory = () => random.one(drawn.directories);
  // Not ".", which cannot be renamed or removed.
  const named = () => random.one(drawn.directories.slice(1));
  // Files that stay, unless a directory above moves, so that some remain for later operations.
  const kept = drawn.regular.filter((_, i) => i % 2 === 0);
  const regular = () => random.one(random.chance(0.8) ? kept : drawn.files);
  const movable = drawn.files.filter((path) => !kept.includes(path));
  const made: string[] = [];
  const older = () =>
    made.length > 0 && random.chance(0.12) ? random.one(made) : random.one(movable);
  const entry = () => (random.chance(0.8) ? older() : named());
  const fresh = () => {
    const path = `${directory()}/n${made.length}`;
    made.push(path);
    return path;
  };
  const target = () => (random.chance(0.7) ? fresh() : entry());
  // Creates removed files again.
  const created = () => (random.chance(0.6) ? regular() : target());
  const sibling = (path: string) => `${path.slice(0, path.lastIndexOf("/") + 1)}s${made.length}`;
  const device = () => (random.chance(0.5) ? random.one(["/dev/null", "/dev/zero"]) : file());
  const moved = (): Operation => {
    const path = random.chance(0.87) ? older() : named();
    const to = random.chance(0.25) ? sibling(path) : target();
    return { kind: "rename", path, to };
  };
  const access = (): Operation => {
    const [read, write] = random.one([
      [true, false],
      [false, true],
      [true, true],
    ] as const);
    return {
      kind: "open",
      path: random.chance(0.9) ? regular() : device(),
      read,
      write,
      truncate: random.chance(0.3),
    };
  };

  const draws: readonly (readonly [weight: number, draw: () => Operation])[] = [
    [5, access],
    [4, () => ({ kind: "open", path: created(), write: true, create: true })],
    [
      2,
      () => ({
        kind: "open",
        path: created(),
        read: true,
        write: random.chance(0.5),
        create: true,
        truncate: random.chance(0.5),
      }),
    ],
    [
      2,
      () => ({
        kind: "open",
        path: directory(),
        read: random.chance(0.5),
        write: true,
        unnamed: true,
      }),
    ],
    [3, () => ({ kind: "open", path: directory(), read: true })],
    [3, () => ({ kind: "execute", path: regular() })],
    [
      6,
      () => ({
        kind: "make",
        path: random.chance(0.93) ? fresh() : entry(),
        type: random.one(types),
      }),
    ],
    [2, () => ({ kind: "remove", path: entry(), directory: false })],
    [2, () => ({ kind: "remove", path: random.chance(0.8) ? named() : entry(), directory: true })],
    [7, moved],
    [4, () => ({ kind: "rename", path: entry(), to: entry(), exchange: true })],
    [
      5,
      () => ({
        kind: "link",
        path: random.chance(0.9) ? random.one([older, regular])() : named(),
        to: random.chance(0.9) ? fresh() : entry(),
      }),
    ],
    [3, () => ({ kind: "truncate", path: regular() })],
    [3, () => ({ kind: "ioctl", path: device() })],
    [
      3,
      () => ({
        kind: "resolve_unix",
        path: random.chance(0.9) ? random.one(drawn.sockets) : file(),
      }),
    ],
    [3, () => portOperation(random)],
    [1, () => ({ kind: "scope", scope: random.one(["abstract_unix_socket", "signal"] as const) })],
  ];
  const wheel = draws.flatMap(([weight, draw]) => Array.from({ length: weight }, () => draw));
  return () => {
    const operation = random.one(wheel)();
    const { kind } = operation;
    if (kind === "make" && operation.type === "socket" && random.chance(0.5)) {
      return { operation, how: "bind" };
    }
    const sends = kind === "port" && operation.access.includes("connect_send_udp");
    return (sends || kind === "resolve_unix") && random.chance(0.5)
      ? { operation, how: "send" }
      : { operation };
  };
}

function portOperation(random: Random): Operation {
  const port = random.one(Object.values(ports));
  const right = random.one(["bind_tcp", "connect_tcp", "bind_udp", "connect_send_udp"] as const);
  const unbound = right === "connect_send_udp" && random.chance(0.5);
  return { kind: "port", access: [right], port, ...(unbound && { unbound }) };
}
