/** Each filesystem right on its own: granted alone, and restricted alone. */
import { expect, test } from "bun:test";
import { accessFs, type FsRight } from "../../src/index.ts";
import { inSubprocess, kernelAbi, tempDir, testFromAbi } from "../harness.ts";
import type { PathOperation } from "../inside.ts";

/** The rights that an operation needs, all of them at once. */
const needs: Record<PathOperation, readonly FsRight[]> = {
  // Executing a file also opens it for reading.
  execute: ["execute", "read_file"],
  read: ["read_file"],
  list: ["read_dir"],
  write: ["write_file"],
  truncate: ["truncate"],
  overwrite: ["write_file", "truncate"],
  create: ["make_reg", "write_file"],
  mkdir: ["make_dir"],
  mkfifo: ["make_fifo"],
  socket: ["make_sock"],
  symlink: ["make_sym"],
  character: ["make_char"],
  block: ["make_block"],
  link: ["make_reg"],
  linkAcross: ["make_reg", "refer"],
  rename: ["make_reg", "remove_file"],
  renameAcross: ["make_reg", "remove_file", "refer"],
  unlink: ["remove_file"],
  rmdir: ["remove_dir"],
};

type Outcomes = Record<PathOperation, string>;

/**
 * What `tryPaths()` returns if these rights are denied; `before` is its result without a sandbox.
 */
function expected(before: Outcomes, denied: readonly FsRight[]) {
  return Object.fromEntries(
    Object.entries(needs).map(([operation, rights]) => {
      const missing = rights.filter((right) => denied.includes(right));
      // Without CAP_MKNOD, a device fails with EPERM after Landlock allows it.
      const device = operation === "character" || operation === "block";
      if (missing.length === 0) return [operation, device ? before[operation] : "ok"];
      return [operation, missing.every((right) => right === "refer") ? "EXDEV" : "EACCES"];
    }),
  );
}

/** Restricts `handled` in a new tree and grants `granted` on it. */
function tryRights(handled: readonly FsRight[], granted: readonly FsRight[]) {
  return inSubprocess(
    { tree: `${tempDir()}/tree`, handled, granted },
    ({ landlock, pathAccess, makeTree, tryPaths }, { tree, handled, granted }) => {
      makeTree(tree);
      const before = tryPaths(tree);
      makeTree(tree);
      const rules = granted.length > 0 ? [pathAccess(granted, tree)] : [];
      const {
        enforcement,
        handled: { fs },
      } = landlock.config({ fs: handled }).restrictPaths(...rules);
      return { before, enforcement, fs, after: tryPaths(tree) };
    },
  );
}

/** Rights whose operations have their own tests, in devices.test.ts and sockets.test.ts. */
const elsewhere: readonly FsRight[] = ["ioctl_dev", "resolve_unix"];
const abiOfRight: Partial<Record<FsRight, number>> = {
  refer: 2,
  truncate: 3,
  ioctl_dev: 5,
  resolve_unix: 9,
};
const known = accessFs.filter((right) => kernelAbi >= (abiOfRight[right] ?? 1));

const grants: readonly (readonly FsRight[])[] = [
  ...accessFs.map((right) => [right]),
  ["execute", "read_file"],
  ["write_file", "truncate"],
  ["make_reg", "write_file"],
  ["make_reg", "remove_file"],
  ["make_reg", "refer"],
  ["make_reg", "remove_file", "refer"],
];

for (const granted of grants) {
  const abi = Math.max(2, ...granted.map((right) => abiOfRight[right] ?? 1));
  testFromAbi(
    abi,
    `pathAccess() of ${granted.join(" + ")} grants that and nothing else`,
    async () => {
      const seen = await tryRights(known, granted);
      const denied = accessFs
        .filter((right) => right === "refer" || known.includes(right))
        .filter((right) => !granted.includes(right));
      expect(seen as object).toEqual({
        before: expected(seen.before, []),
        enforcement: "full",
        fs: known,
        after: expected(seen.before, denied),
      });
    },
  );
}

for (const right of accessFs) {
  const abi = Math.max(2, abiOfRight[right] ?? 1);
  testFromAbi(
    abi,
    `config({ fs: ["${right}"] }) denies that and moving between directories`,
    async () => {
      const seen = await tryRights([right], []);
      expect(seen as object).toEqual({
        before: expected(seen.before, []),
        enforcement: "full",
        fs: [right],
        after: expected(seen.before, [right, "refer"]),
      });
    },
  );
}

test("every right has an operation that needs it", () => {
  const needed = new Set([...Object.values(needs).flat(), ...elsewhere]);
  expect([...needed].toSorted()).toEqual(accessFs.toSorted());
});

/** Apart from `refer`, a link or a move must not gain rights at its destination. */
testFromAbi(3, "withRefer() denies a link that would gain a right, with EXDEV", async () => {
  const dir = tempDir();
  const seen = await inSubprocess({ dir }, async ({ landlock, pathAccess, outcome }, { dir }) => {
    const { linkSync, mkdirSync, writeFileSync } = await import("node:fs");
    const [more, less] = [`${dir}/more`, `${dir}/less`];
    for (const one of [more, less]) {
      mkdirSync(one);
      writeFileSync(`${one}/file`, "text");
    }
    const link = (from: string, to: string, name: string) =>
      outcome(() => linkSync(`${from}/file`, `${to}/${name}`));
    const before = [link(less, more, "before"), link(more, less, "before")];
    landlock.V3.restrictPaths(
      pathAccess(["make_reg", "refer", "read_file", "execute"], more),
      pathAccess(["make_reg", "refer", "read_file"], less),
    );
    return { before, after: [link(less, more, "after"), link(more, less, "after")] };
  });
  expect(seen).toEqual({ before: ["ok", "ok"], after: ["EXDEV", "ok"] });
});
