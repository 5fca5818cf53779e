/** Draws operations: mostly such as succeed where nothing is denied. */
import type { FileType, Operation } from "../../../src/model/operation.ts";
import type { Random } from "../../random.ts";
import type { Drawn } from "./draw-files.ts";
import { ports, type Trial } from "./world.ts";

const types: readonly FileType[] = [
  ...(["regular", "directory", "symlink", "fifo"] as const),
  ...(["socket", "char", "block", "whiteout"] as const),
];

/** Draws one operation after the other. */
export function trialsOf(random: Random, drawn: Drawn): () => Trial {
  const file = () => random.one(drawn.files);
  const directory = () => random.one(drawn.directories);
  // Not ".", by which nothing is renamed or removed.
  const named = () => random.one(drawn.directories.slice(1));
  // Files that stay where they are, unless a directory above moves: not all shall be gone soon.
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
  // Files that are gone come back.
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
