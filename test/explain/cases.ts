/** Files, layers and words for tables of what the model says. */
import { describe, expect, test } from "bun:test";
import { layerOf, type KernelVersion, type Layer } from "../../src/model/layer.ts";
import { evaluate } from "../../src/model/model.ts";
import type { FileOperation, Operation } from "../../src/model/operation.ts";
import { accessFs, type FsRight, type NetRight, type Rights } from "../../src/kernel/abi.ts";
import { filesOf } from "./memory.ts";

const files = filesOf({
  "/a/file": "regular",
  "/a/other": "regular",
  "/a/sub/deep": "regular",
  "/a/pipe": "fifo",
  "/a/hard": { same: "/b/file" },
  "/a/out": { link: "/b/file" },
  "/b/file": "regular",
  "/b/dir/x": "regular",
  "/b/in": { link: "/a" },
  "/b/white": "whiteout",
  "/b/dangling": { link: "/a/new" },
  "/dev/null": "char",
  "/m/mnt": "mount",
  "/m/mnt/file": "regular",
  "/m/mnt/one/file": "regular",
  "/m/mnt/two": "directory",
  "/run/socket": "socket",
});

type Grants = Readonly<Record<string, readonly FsRight[]>>;

/** A layer that handles all rights on files, or some. */
export function fs(grants: Grants, handled: readonly FsRight[] = accessFs): Layer {
  const rules = Object.entries(grants).map(([path, access]) => ({ path, access, ...plain }));
  return layerOf({ handled: { fs: handled, net: [], scoped: [] }, rules }, files);
}
const plain = { onFile: "narrow", onMissing: "fail", quiet: false } as const;

export function net(grants: Readonly<Record<number, readonly NetRight[]>>): Layer {
  const rules = Object.entries(grants).map(([port, access]) => ({
    port: Number(port),
    access,
    quiet: false,
  }));
  const handled: Rights = {
    fs: [],
    net: ["bind_tcp", "connect_tcp", "bind_udp", "connect_send_udp"],
    scoped: [],
  };
  return layerOf({ handled, rules }, files);
}

export const scoped: Layer = layerOf(
  { handled: { fs: [], net: [], scoped: ["signal"] }, rules: [] },
  files,
);
export const every = (...but: FsRight[]) => accessFs.filter((right) => !but.includes(right));

/** `"allowed"`, or the errno and each denial as `layer right place`. */
export function say(
  operation: Operation,
  layers: readonly Layer[],
  kernel?: KernelVersion,
): string {
  const verdict = evaluate(operation, layers, files, kernel);
  if (verdict.allowed) return "allowed";
  const denials = verdict.denials.map(({ layer, right, path, port, gained }) =>
    [layer, right, path ?? port, ...(gained ? [`gains ${gained}`] : [])].join(" ").trim(),
  );
  return `${verdict.errno}: ${denials.join(", ")}`;
}

type Case = readonly [title: string, operation: Operation, layers: readonly Layer[], said: string];

export function cases(group: string, rows: readonly Case[]): void {
  describe(group, () => {
    for (const [title, operation, layers, said] of rows) {
      test(title, () => expect(say(operation, layers)).toBe(said));
    }
  });
}

export const read = (path: string): Operation => ({ kind: "open", path, read: true });
export const write = (path: string): Operation => ({ kind: "open", path, write: true });
export const move = (path: string, to: string): FileOperation => ({ kind: "rename", path, to });
export const swap = (path: string, to: string): FileOperation =>
  ({ ...move(path, to), exchange: true }) as FileOperation;
export const link = (path: string, to: string): FileOperation => ({ kind: "link", path, to });
