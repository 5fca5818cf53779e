/** A policy is read only if nobody but root and the caller can change it. */
import { describe, expect, test } from "bun:test";
import {
  chmodSync,
  chownSync,
  lchownSync,
  mkdirSync,
  renameSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { LandlockError } from "../../src/index.ts";
import { outcome, systemCall } from "../inside.ts";
import { readFile } from "../../src/policy/read.ts";
import { inSubprocess, patience, tempDir, testUnless } from "../harness.ts";
import { testInRootsNamespace, withFiles } from "../presets/namespace.ts";

const asRoot = process.getuid?.() === 0 ? "" : "needs root: others may not give files away";
const stranger = 65534;

/** Folders with policies, and the outcome of naming one of them. */
function scene() {
  const dir = tempDir();
  const path = (name: string) => `${dir}/${name}`;
  for (const name of ["own", "other", "theirs"]) mkdirSync(path(name));
  writeFileSync(path("own/p.json"), '{ "ro": ["/own"] }');
  writeFileSync(path("other/p.json"), '{ "ro": ["/other"] }');
  /** The paths that it grants, or why it is refused. */
  const outcome = (name: string): string => {
    try {
      const { rules } = readFile(path(name), { ifForeign: "FIX" });
      return rules.flatMap((rule) => (rule.kind === "fs" ? rule.paths : [])).join();
    } catch (error) {
      if (!(error instanceof LandlockError)) throw error;
      return error.message.replaceAll(dir, "");
    }
  };
  const refusal = (name: string, why: string) =>
    expect(outcome(name)).toBe(`Cannot trust the policy "/${name}": ${why}; FIX`);
  return { dir, path, outcome, refusal };
}

describe("a policy that links lead to", () => {
  test("is read through links to files and directories, absolute, relative and with ..", () => {
    const { path, outcome } = scene();
    symlinkSync("../other/./p.json", path("own/first.json"));
    symlinkSync(path("own/first.json"), path("second.json"));
    symlinkSync("own/", path("folder"));
    for (const name of ["own/first.json", "second.json", "folder/../second.json"]) {
      expect(outcome(name)).toBe("/other");
    }
    expect(outcome("folder/p.json")).toBe("/own");
    expect(outcome("own//.././own/p.json")).toBe("/own");
  });

  testUnless(asRoot, "is refused if a link in the middle of a chain is a stranger's", () => {
    const { path, outcome, refusal } = scene();
    symlinkSync("../other/p.json", path("own/middle"));
    symlinkSync("own/middle", path("named.json"));
    expect(outcome("named.json")).toBe("/other");
    lchownSync(path("own/middle"), stranger, stranger);
    refusal("named.json", `"/own/middle" belongs to user ${stranger}`);
  });

  testUnless(asRoot, "is refused if a link lies in a stranger's directory", () => {
    const { path, outcome, refusal } = scene();
    symlinkSync("../other/p.json", path("theirs/middle"));
    symlinkSync("theirs/middle", path("named.json"));
    expect(outcome("named.json")).toBe("/other");
    chownSync(path("theirs"), stranger, stranger);
    refusal("named.json", `"/theirs" belongs to user ${stranger}`);
  });

  testUnless(asRoot, "is refused if a link to a directory is a stranger's", () => {
    const { path, outcome, refusal } = scene();
    symlinkSync("../other", path("theirs/x"));
    symlinkSync("theirs/x", path("folder"));
    expect(outcome("folder/p.json")).toBe("/other");
    lchownSync(path("theirs/x"), stranger, stranger);
    refusal("folder/p.json", `"/theirs/x" belongs to user ${stranger}`);
  });

  testUnless(asRoot, "is refused if the way leads through a stranger's directory and back", () => {
    const { path, outcome, refusal } = scene();
    expect(outcome("theirs/../own/p.json")).toBe("/own");
    chownSync(path("theirs"), stranger, stranger);
    refusal("theirs/../own/p.json", `"/theirs" belongs to user ${stranger}`);
    symlinkSync("theirs/../own/p.json", path("named.json"));
    refusal("named.json", `"/theirs" belongs to user ${stranger}`);
  });

  test("is refused if the links lead in a circle, or nowhere", () => {
    const { path, outcome } = scene();
    symlinkSync("b.json", path("a.json"));
    symlinkSync("a.json", path("b.json"));
    expect(outcome("a.json")).toContain("open failed with ELOOP");
    expect(outcome("missing/p.json")).toContain("open failed with ENOENT");
    expect(outcome("own/p.json/p.json")).toContain("open failed with ENOTDIR");
  });
});

testUnless(
  asRoot,
  "a policy that is replaced again and again is read if it is the caller's, and else refused",
  async () => {
    const { dir, path, outcome, refusal } = scene();
    writeFileSync(path("theirs.json"), '{ "ro": ["/theirs"] }');
    chownSync(path("theirs.json"), stranger, stranger);
    refusal("theirs.json", `"/theirs.json" belongs to user ${stranger}`);
    const loop = `const { linkSync, renameSync } = require("node:fs");
      for (;;) for (const name of ["own/p.json", "theirs.json"]) {
        linkSync(name, "next");
        renameSync("next", "p.json");
      }`;
    const child = Bun.spawn([process.execPath, "-e", loop], {
      ...{ cwd: dir, stderr: "inherit", timeout: patience(20_000), killSignal: "SIGKILL" as const },
    });
    while (!(await Bun.file(path("p.json")).exists())) await Bun.sleep(1);
    const seen = new Set<string>();
    for (let i = 0; i < 2000; i++) seen.add(outcome("p.json"));
    child.kill("SIGKILL");
    await child.exited;
    expect([...seen].sort()).toEqual([
      "/own",
      `Cannot trust the policy "/p.json": "/p.json" belongs to user ${stranger}; FIX`,
    ]);
  },
);

describe("a directory above a policy", () => {
  testUnless(asRoot, "is refused if a group of several users may change it", () => {
    const { path, outcome, refusal } = scene();
    chmodSync(path("own"), 0o775);
    expect(outcome("own/p.json")).toBe("/own");
    chownSync(path("own"), 0, 100);
    refusal("own/p.json", '"/own" is a directory that group 100 may change');
    chmodSync(path("own"), 0o1775);
    expect(outcome("own/p.json")).toBe("/own");
    chmodSync(path("own"), 0o755);
    expect(outcome("own/p.json")).toBe("/own");
  });

  testUnless(asRoot, "is refused if it belongs to another user", () => {
    const { path, refusal } = scene();
    renameSync(path("own"), path("theirs/own"));
    chownSync(path("theirs"), stranger, stranger);
    refusal("theirs/own/p.json", `"/theirs" belongs to user ${stranger}`);
  });
});

/** Entries of `acl(5)`: a tag, its rights, and an id. */
type Acl = readonly (readonly [tag: number, rights: number, id?: number])[];
const [USER_OBJ, USER, GROUP_OBJ, GROUP, MASK, OTHER] = [1, 2, 4, 8, 16, 32];

function setAcl(path: string, named: Acl, mask = 6): void {
  const entries = [[USER_OBJ, 7], ...named, [MASK, mask], [OTHER, 0]] as Acl;
  const bytes = Buffer.alloc(4 + 8 * entries.length);
  bytes.writeUInt32LE(2);
  entries.forEach(([tag, rights, id = 0xffff_ffff], i) => {
    bytes.writeUInt16LE(tag, 4 + 8 * i);
    bytes.writeUInt16LE(rights, 6 + 8 * i);
    bytes.writeUInt32LE(id, 8 + 8 * i);
  });
  const setxattr = { x64: 188, arm64: 5 };
  systemCall(setxattr, path, "system.posix_acl_access", bytes, bytes.length, 0);
}

const noAcl =
  asRoot ||
  (outcome(() => setAcl(tempDir(), [[GROUP_OBJ, 0]])) === "ok"
    ? ""
    : "needs a file system with access control lists");

testUnless(noAcl, "a policy is refused if an access control list lets others change it", () => {
  for (const [name, kind] of [
    ["own/p.json", "can be written by"],
    ["own", "is a directory that"],
  ] as const) {
    const { path, outcome, refusal } = scene();
    const refused = (who: string, acl: Acl) => {
      setAcl(path(name), acl);
      const what = name === "own" ? `${kind} ${who} may change` : `${kind} ${who}`;
      refusal("own/p.json", `"/${name}" ${what}`);
    };
    const read = (acl: Acl, mask?: number) => {
      setAcl(path(name), acl, mask);
      expect(outcome("own/p.json")).toBe("/own");
    };
    refused("user 1600", [
      [USER, 6, 1600],
      [GROUP_OBJ, 4],
    ]);
    refused("user 1600", [
      [USER, 6, 0],
      [USER, 2, 1600],
      [GROUP_OBJ, 4],
    ]);
    refused("group 1600", [
      [GROUP_OBJ, 4],
      [GROUP, 6, 1600],
    ]);
    read([
      [USER, 4, 1600],
      [GROUP_OBJ, 6],
    ]);
    read(
      [
        [USER, 6, 1600],
        [GROUP_OBJ, 6],
        [GROUP, 6, 1600],
      ],
      4,
    );
    read([
      [USER, 6, 0],
      [GROUP_OBJ, 4],
      [GROUP, 6, 0],
    ]);
  }
});

describe("a policy that is no regular file is refused at once", () => {
  const root = join(import.meta.dir, "..", "..");
  const run = (command: string[], env: Record<string, string> = {}) => {
    const { exitCode, stdout, stderr } = Bun.spawnSync([process.execPath, ...command], {
      ...{ env: { ...process.env, ...env }, timeout: patience(10_000) },
    });
    return { stdout: `${stdout}`, stderr: `${stderr}`, code: exitCode };
  };
  const cases: [name: string, make: (path: string) => void][] = [
    ["a FIFO", (path) => expect(Bun.spawnSync(["mkfifo", path]).exitCode).toBe(0)],
    [
      "a link to a FIFO",
      (path) => {
        expect(Bun.spawnSync(["mkfifo", `${path}.fifo`]).exitCode).toBe(0);
        symlinkSync(`${path}.fifo`, path);
      },
    ],
    ["a device", (path) => symlinkSync("/dev/zero", path)],
    ["a directory", (path) => mkdirSync(path)],
  ];
  for (const [name, make] of cases) {
    test(`${name}: by -policy, the preload and loadPolicy()`, () => {
      const dir = tempDir();
      const policy = join(dir, "p.json");
      make(policy);
      const script = join(dir, "main.js");
      writeFileSync(
        script,
        `const { loadPolicy } = require(${JSON.stringify(join(root, "src/index.ts"))});
        try { loadPolicy(${JSON.stringify(policy)}); } catch ({ message }) { console.error(message); }`,
      );
      const why = `Cannot read the policy ${JSON.stringify(policy)}: it is not a regular file`;
      const plan = run([join(root, "src/cli.ts"), "plan", "-policy", policy]);
      expect(plan).toMatchObject({ stdout: "", code: 125 });
      const preload = ["--preload", join(root, "src/preload.ts"), script];
      const preloaded = run(preload, { BUN_LANDLOCK_POLICY: policy });
      expect(preloaded).toMatchObject({ stdout: "", code: 1 });
      const loaded = run([script]);
      for (const { stderr } of [plan, preloaded, loaded]) expect(stderr).toContain(why);
    });
  }
});

const users = "root:x:0:0:root:/root:/bin/sh\nbob:x:7001:7001::/:/bin/sh\n";
const groups = "root:x:0:root\nother:x:100:eve\nbob:x:7001:eve\n";

/** Other members of root's group, according to these files, and the outcome for its policies. */
const cases: [what: string, passwd: string, group: string, trusted: boolean][] = [
  ["nobody", users, groups, true],
  ["nobody, by no list at all", "", "", true],
  ["a listed member", users, groups.replace("root:x:0:root", "root:x:0:root,eve"), false],
  ["a member of a second name", users, `${groups}wheel:x:0:eve\n`, false],
  ["a user whose first group it is", `${users}eve:x:7002:0::/:/bin/sh\n`, groups, false],
];

/**
 * Needs real root: an ordinary user's namespace has a root that does not own the directories above.
 */
for (const [what, passwd, group, trusted] of cases) {
  testInRootsNamespace(
    ["unshare"],
    `a policy that its owner's group may change is ${trusted ? "read" : "refused"}: in it is ${what}`,
    async () => {
      const dir = tempDir();
      mkdirSync(join(dir, "own"));
      for (const name of ["p.json", "own/p.json"]) writeFileSync(join(dir, name), "{}");
      chmodSync(join(dir, "p.json"), 0o664);
      chmodSync(join(dir, "own"), 0o775);
      const prefix = await withFiles({ "/etc/passwd": passwd, "/etc/group": group });
      const seen = await inSubprocess(
        { dir, module: join(import.meta.dir, "../../src/policy/read.ts") },
        async (inside, { dir, module }) => {
          const { readFile } = (await import(module)) as typeof import("../../src/policy/read.ts");
          const read = (name: string) =>
            inside.thrown(() => readFile(`${dir}/${name}`, { ifForeign: "FIX" }))?.["message"] ??
            "read";
          return ["p.json", "own/p.json"].map(read);
        },
        { prefix },
      );
      if (trusted) expect(seen).toEqual(["read", "read"]);
      else {
        expect(seen[0]).toContain(`"${dir}/p.json" can be written by group 0`);
        expect(seen[1]).toContain(`"${dir}/own" is a directory that group 0 may change`);
      }
    },
  );
}
