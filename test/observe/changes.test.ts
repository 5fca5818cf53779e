/** A path that the command redirects gets no option and no rule for its new target. */
import { describe, expect, test } from "bun:test";
import {
  mkdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import type { Operation } from "../../src/model/operation.ts";
import { Changes } from "../../src/trace/changes.ts";
import { tempDir, testUnless } from "../harness.ts";
import { explained, missingFor, runCli } from "./explained.ts";

const system = ["-ro", "/usr", "/bin", "/lib", "/lib64", "/etc", "-rwfiles", "/dev/null"];

function folder(): string {
  const path = realpathSync(tempDir());
  for (const name of ["box", "first", "second", "home/.ssh"]) {
    mkdirSync(join(path, name), { recursive: true });
  }
  writeFileSync(join(path, "first/key"), "first\n");
  writeFileSync(join(path, "home/.ssh/key"), "secret\n");
  symlinkSync("../first", join(path, "box/old"));
  return path;
}

const swapped: [name: string, script: string, path: string][] = [
  [
    "a link to a folder",
    "ln -sfn ../first box/k; echo 1 >box/k/new; ln -sfn ../home/.ssh box/k",
    "box/k/new",
  ],
  ["a link that stays as it was made", "ln -s ../home/.ssh box/k; cat box/k/key", "box/k/key"],
  [
    "a link at the end",
    "ln -s ../first/key box/k; cat box/k; ln -sfn ../home/.ssh/key box/k",
    "box/k",
  ],
  [
    "a link in a folder that is renamed",
    "mkdir box/d; ln -s ../../first box/d/k; cat box/d/k/key; mv box/d box/e; ln -s e box/d; ln -sfn ../../home/.ssh box/e/k",
    "box/d/k/key",
  ],
  [
    "a link of before that is replaced",
    "cat box/old/key; ln -sfn ../home/.ssh box/old",
    "box/old/key",
  ],
  [
    "a link beneath the current directory by /proc",
    "ln -s ../first box/k; cat /proc/self/cwd/box/k/key; ln -sfn ../home/.ssh box/k",
    "first/key|box/k/key|home/.ssh/key",
  ],
];

describe("explain names no option for what the command itself leads elsewhere", () => {
  for (const [name, script, path] of swapped) {
    testUnless(missingFor(1), name, () => {
      const cwd = folder();
      const { found, stderr } = explained(
        [...system, "-rw", join(cwd, "box"), "/proc"],
        ["sh", "-c", `exec 2>&1; ${script}`],
        { cwd },
      );
      expect(stderr).toBe("");
      expect([found.flags, found.denied, found.policy]).toEqual([[], [], ""]);
      const places = path.split("|").map((one) => join(cwd, one));
      expect(found.others).toMatchObject([{ cause: "changed" }]);
      expect(places).toContain(found.others[0]!.operation.path!);
      expect(found.notes.join()).toContain("The command changed where ");
    });
  }

  testUnless(missingFor(1), "a folder that is moved to a denied name", () => {
    const cwd = folder();
    const script = `cat first/key; mv first third; mv home/.ssh first`;
    const policy = join(cwd, "policy.toml");
    const access = ["make_dir", "remove_dir", "refer"];
    const paths = [cwd, join(cwd, "home")];
    writeFileSync(
      policy,
      `bestEffort = true\n[[paths]]\naccess = ${JSON.stringify(access)}\npaths = ${JSON.stringify(paths)}\n`,
    );
    const options = ["-policy", policy, ...system, "-rw", "/proc"];
    const { found } = explained(options, ["sh", "-c", script], { cwd });
    expect([found.flags, found.denied]).toEqual([[], []]);
    expect(found.others).toMatchObject([
      { cause: "changed", operation: { path: join(cwd, "first/key") } },
    ]);
  });

  testUnless(missingFor(1), "nothing is claimed in the headline", () => {
    const cwd = folder();
    const options = ["explain", ...system, "-rw", join(cwd, "box"), "/proc", "--"];
    const { stderr } = runCli([...options, "sh", "-c", `${swapped[0]![1]}; false`], { cwd });
    expect(stderr).toContain("landlock-restrict: Landlock may have denied something: see below.");
    expect(stderr).toContain("Failed for a reason not known: write ");
  });

  testUnless(missingFor(1), "but for files that it makes, and links of before", () => {
    const cwd = folder();
    const script =
      "mkdir box/d; rm -f box/d/none; : >box/f; mv box/f box/g; cat box/g; cat box/old/key";
    const { found } = explained(
      [...system, "-rw", join(cwd, "box"), "/proc"],
      ["sh", "-c", script],
      { cwd },
    );
    expect(found.flags).toEqual(["-rofiles", join(cwd, "first/key")]);
    expect(found.others).toEqual([]);
  });
});

testUnless(
  missingFor(1),
  "learn grants nothing where a link led that was changed afterwards",
  () => {
    const cwd = folder();
    const policy = join(cwd, "policy.toml");
    const script =
      "ln -s ../first box/k; mkdir box/k/d; rmdir box/k/d; ln -sfn ../home/.ssh box/k; ln -s ../first box/l; mkdir box/l/e";
    const { stderr, code } = runCli(["learn", "-o", policy, "--", "sh", "-c", script], { cwd });
    expect(code).toBe(0);
    expect(stderr).toContain("Used, but not granted: the command changed where it leads");
    const text = readFileSync(policy, "utf8");
    const granted = text
      .split("\n")
      .filter((line) => !line.startsWith("#"))
      .join("\n");
    expect(granted).not.toContain(".ssh");
    expect(granted).not.toContain("home");
    // The target of a link is known if the link was created and left alone.
    expect(granted).toContain("first");
  },
);

describe("Changes", () => {
  const use = (operation: Operation, at: number) => ({ operation, at });
  const read = (path: string): Operation => ({ kind: "open", path, read: true });
  const attempt = (operation: Operation) =>
    ({
      kind: "attempt",
      pid: 1,
      process: 1,
      program: "p",
      call: "c",
      operation,
      layers: 1,
    }) as const;

  test("a younger link counts even if the trace does not tell of it", () => {
    const cwd = folder();
    const before = Date.now() - 60_000;
    const changes = new Changes();
    expect(changes.madeWay(use(read(join(cwd, "box/old/key")), 0), before)).toBeTrue();
    expect(changes.madeWay(use(read(join(cwd, "first/key")), 0), before)).toBeFalse();
    expect(
      changes.madeWay(use(read(join(cwd, "box/old/key")), 0), Date.now() + 60_000),
    ).toBeFalse();
  });

  test("names of plain files and folders count once they are changed afterwards", () => {
    const cwd = folder();
    const later = Date.now() + 60_000;
    const changes = new Changes();
    const key = read(join(cwd, "first/key"));
    renameSync(join(cwd, "second"), join(cwd, "third"));
    changes.add(attempt({ kind: "rename", path: join(cwd, "second"), to: join(cwd, "third") }));
    expect(changes.madeWay(use(read(join(cwd, "third/key")), 0), later)).toBeTrue();
    expect(changes.madeWay(use(read(join(cwd, "third/key")), 1), later)).toBeFalse();
    rmSync(join(cwd, "first/key"));
    changes.add(attempt({ kind: "remove", path: join(cwd, "first/key"), directory: false }));
    // Removing the file itself redirects no path.
    expect(changes.madeWay(use(key, 0), later)).toBeFalse();
    changes.add(attempt({ kind: "remove", path: join(cwd, "first"), directory: true }));
    expect(changes.madeWay(use(key, 0), later)).toBeTrue();
    expect(
      changes.madeWay(use({ kind: "port", access: ["bind_tcp"], port: 1 }, 0), later),
    ).toBeFalse();
  });

  test("links are followed through renames and hard links; failures change nothing", () => {
    const later = Date.now() + 60_000;
    const changes = new Changes();
    const link = { kind: "make", path: "/l/a", type: "symlink" } as const;
    changes.add({ ...attempt(link), failed: "EEXIST" });
    expect(changes.madeWay(use(read("/l/a/x"), 9), later)).toBeFalse();
    changes.add(attempt(link));
    changes.add(attempt({ kind: "link", path: "/l/a", to: "/l/b" }));
    changes.add(attempt({ kind: "rename", path: "/l", to: "/m" }));
    for (const path of ["/l/a/x", "/l/b/x", "/m/a", "/m/b/x"])
      expect(changes.madeWay(use(read(path), 9), later)).toBeTrue();
    expect(changes.madeWay(use(read("/m/c"), 9), later)).toBeFalse();
  });
});
