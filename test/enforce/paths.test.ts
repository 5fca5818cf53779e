/** Every kind of access to paths under every preset, on a file and on a directory. */
import { expect } from "bun:test";
import { inSubprocess, tempDir, testFromAbi } from "../harness.ts";
import type { PathOperation } from "../inside.ts";

const operations = [
  "execute read list write truncate overwrite create mkdir mkfifo socket symlink character",
  "block link linkAcross rename renameAcross unlink rmdir",
].flatMap((names) => names.split(" ")) as PathOperation[];
const across: readonly PathOperation[] = ["linkAcross", "renameAcross"];
const withinOneDirectory = operations.filter((name) => !across.includes(name));
const devices: readonly PathOperation[] = ["character", "block"];

interface Case {
  readonly abi: 1 | 2 | 3 | 5;
  readonly preset?: "roFiles" | "rwFiles" | "roDirs" | "rwDirs";
  readonly on?: "file" | "tree";
  readonly refer?: boolean;
  readonly allowed: readonly PathOperation[];
  /** Operations that fail only because `refer` is missing. */
  readonly exdev?: readonly PathOperation[];
}

const cases: readonly Case[] = [
  { abi: 1, allowed: ["truncate"] },
  { abi: 1, preset: "roFiles", on: "file", allowed: ["execute", "read", "truncate"] },
  {
    abi: 1,
    preset: "rwFiles",
    on: "file",
    allowed: ["execute", "read", "write", "truncate", "overwrite"],
  },
  { abi: 1, preset: "roDirs", on: "file", allowed: ["execute", "read", "truncate"] },
  {
    abi: 1,
    preset: "rwDirs",
    on: "file",
    allowed: ["execute", "read", "write", "truncate", "overwrite"],
  },
  { abi: 1, preset: "roFiles", on: "tree", allowed: ["execute", "read", "truncate"] },
  {
    abi: 1,
    preset: "rwFiles",
    on: "tree",
    allowed: ["execute", "read", "write", "truncate", "overwrite"],
  },
  { abi: 1, preset: "roDirs", on: "tree", allowed: ["execute", "read", "list", "truncate"] },
  { abi: 1, preset: "rwDirs", on: "tree", allowed: withinOneDirectory, exdev: across },
  { abi: 2, allowed: ["truncate"] },
  { abi: 2, preset: "rwDirs", on: "tree", allowed: withinOneDirectory, exdev: across },
  { abi: 2, preset: "rwDirs", on: "tree", refer: true, allowed: operations },
  { abi: 3, allowed: [] },
  { abi: 3, preset: "roFiles", on: "file", allowed: ["execute", "read"] },
  {
    abi: 3,
    preset: "rwFiles",
    on: "file",
    allowed: ["execute", "read", "write", "truncate", "overwrite"],
  },
  { abi: 3, preset: "roDirs", on: "file", allowed: ["execute", "read"] },
  {
    abi: 3,
    preset: "rwDirs",
    on: "file",
    allowed: ["execute", "read", "write", "truncate", "overwrite"],
  },
  { abi: 3, preset: "roFiles", on: "tree", allowed: ["execute", "read"] },
  {
    abi: 3,
    preset: "rwFiles",
    on: "tree",
    allowed: ["execute", "read", "write", "truncate", "overwrite"],
  },
  { abi: 3, preset: "roDirs", on: "tree", allowed: ["execute", "read", "list"] },
  { abi: 3, preset: "rwDirs", on: "tree", allowed: withinOneDirectory, exdev: across },
  { abi: 3, preset: "rwDirs", on: "tree", refer: true, allowed: operations },
  { abi: 5, preset: "rwDirs", on: "tree", refer: true, allowed: operations },
];

function titleOf({ abi, preset, on, refer, allowed }: Case): string {
  const rule = preset ? `${preset}(${on})${refer ? ".withRefer()" : ""}` : "";
  const most = allowed === withinOneDirectory ? "everything within one directory" : "everything";
  const what = allowed.length < withinOneDirectory.length ? allowed.join(", ") : most;
  return `restrictPaths(${rule}) under V${abi} allows ${what || "nothing"} there, and denies the rest`;
}

for (const one of cases) {
  const { abi, preset, on, refer, allowed, exdev = [] } = one;
  // ABI 1 returns EXDEV where later ones return EACCES.
  testFromAbi(Math.max(abi, 2), titleOf(one), async () => {
    const dir = tempDir();
    const seen = await inSubprocess(
      {
        version: `V${abi}` as const,
        preset,
        refer,
        tree: `${dir}/tree`,
        outside: `${dir}/outside`,
        path: on === "file" ? `${dir}/tree/file` : `${dir}/tree`,
      },
      (inside, { version, preset, refer, tree, outside, path }) => {
        const { landlock, makeTree, tryPaths } = inside;
        makeTree(tree);
        const before = tryPaths(tree);
        for (const one of [tree, outside]) makeTree(one);
        const rule = preset && inside[preset](path);
        landlock[version].restrictPaths(...(rule ? [refer ? rule.withRefer() : rule] : []));
        return { before, there: tryPaths(tree), outside: tryPaths(outside) };
      },
    );
    const { before } = seen;
    const expected = (test: (name: PathOperation) => string) =>
      Object.fromEntries(operations.map((name) => [name, test(name)]));
    // Without CAP_MKNOD, a device fails with EPERM after Landlock allows it.
    const works = (name: PathOperation) => (devices.includes(name) ? before[name] : "ok");
    expect(seen as object).toEqual({
      before: expected(works),
      there: expected((name) => {
        if (exdev.includes(name)) return "EXDEV";
        return allowed.includes(name) ? works(name) : "EACCES";
      }),
      outside: expected((name) => (name === "truncate" && abi < 3 ? "ok" : "EACCES")),
    });
  });
}
