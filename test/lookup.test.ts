/** Command look-up on PATH, compared with execvp(3), which env(1) calls. */
import { expect, test } from "bun:test";
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { lookUpCommand } from "../src/kernel/lookup.ts";
import { inSubprocess, tempDir, testUnless } from "./harness.ts";

/** Folders with various things named `tool`; the programs print where they are. */
function makeFolders(): string {
  const root = tempDir();
  const folder = (name: string, mode: number) => {
    mkdirSync(join(root, name));
    const tool = join(root, name, "tool");
    writeFileSync(tool, `#!/bin/sh\necho ${name}\n`);
    chmodSync(tool, mode);
  };
  folder("first", 0o755);
  folder("second", 0o755);
  folder("plain", 0o644);
  folder("foreign", 0o700);
  folder("closed", 0o755);
  mkdirSync(join(root, "empty"));
  mkdirSync(join(root, "directory", "tool"), { recursive: true });
  for (const name of ["loop", "dangling", "linked"]) mkdirSync(join(root, name));
  symlinkSync("tool", join(root, "loop/tool"));
  symlinkSync("nothing", join(root, "dangling/tool"));
  symlinkSync("../second/tool", join(root, "linked/tool"));
  mkdirSync(join(root, "second/sub"));
  writeFileSync(join(root, "second/sub/tool"), "#!/bin/sh\necho sub\n");
  chmodSync(join(root, "second/sub/tool"), 0o755);
  chmodSync(join(root, "closed"), 0o700);
  chmodSync(root, 0o755);
  return root;
}

/** Entries of PATH, where `@` is the root of the folders, and what runs in `@/second`. */
const searches: readonly [PATH: string, name: string, expected: string][] = [
  ["@/first:@/second", "tool", "first"],
  ["@/empty:@/second", "tool", "second"],
  ["@/nowhere:@/second", "tool", "second"],
  ["@/plain:@/second", "tool", "second"],
  ["@/directory:@/second", "tool", "second"],
  ["@/first/tool:@/second", "tool", "second"],
  ["@/dangling:@/first", "tool", "first"],
  ["@/linked", "tool", "second"],
  ["@/plain", "tool", "126"],
  ["@/directory", "tool", "126"],
  ["@/plain:@/empty", "tool", "126"],
  ["@/empty:@/nowhere", "tool", "127"],
  ["@/dangling", "tool", "127"],
  ["@/loop:@/first", "tool", "126"],
  ["", "tool", "second"],
  [":@/first", "tool", "second"],
  ["@/first:", "tool", "first"],
  ["@/empty::@/first", "tool", "second"],
  ["@/empty:", "tool", "second"],
  [".", "tool", "second"],
  ["sub:@/first", "tool", "sub"],
  ["../first", "tool", "first"],
  ["@/first", "./tool", "second"],
  ["@/second", "sub/tool", "sub"],
  ["@/first", "nothing", "127"],
];

const asNobody: readonly [PATH: string, name: string, expected: string][] = [
  ["@/foreign:@/second", "tool", "second"],
  ["@/closed:@/second", "tool", "second"],
  ["@/foreign", "tool", "126"],
  ["@/closed:@/empty", "tool", "126"],
];

function executed(command: readonly string[], cwd: string): string {
  const child = Bun.spawnSync([...command], { cwd });
  return child.exitCode === 0 ? child.stdout.toString().trim() : `${child.exitCode}`;
}

/** What starting the result of a look-up would execute, or its exit status. */
function outcomeOf(found: string | number, cwd: string): string {
  if (typeof found === "string") return executed(["/usr/bin/env", found], cwd);
  return found === 2 ? "127" : "126";
}

const root = makeFolders();
const cwd = join(root, "second");
const spelled = (PATH: string) => PATH.replaceAll("@", root);

test("commands are looked up as execvp(3) does it", () => {
  for (const [entries, name, expected] of searches) {
    const PATH = spelled(entries);
    const label = `${name} on "${entries}"`;
    expect(executed(["/usr/bin/env", `PATH=${PATH}`, name], cwd), label).toBe(expected);
    expect(outcomeOf(lookUpCommand(name, PATH, cwd), cwd), label).toBe(expected);
  }
});

const rootOnly = process.getuid?.() === 0 ? "" : "needs root";

testUnless(rootOnly, "commands that another user may execute are passed over", async () => {
  const setpriv = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"];
  const lookup = join(import.meta.dir, "../src/kernel/lookup.ts");
  const paths = asNobody.map(([entries]) => spelled(entries));
  const found = await inSubprocess({ lookup, paths, cwd }, async (_, { lookup, paths, cwd }) => {
    const { lookUpCommand } = (await import(lookup)) as typeof import("../src/kernel/lookup.ts");
    // Loads its modules first, since the checkout may be closed to the other user.
    lookUpCommand("true");
    process.setegid!(65534);
    process.seteuid!(65534);
    return paths.map((PATH) => lookUpCommand("tool", PATH, cwd));
  });
  for (const [i, [entries, name, expected]] of asNobody.entries()) {
    const command = [...setpriv, "/usr/bin/env", `PATH=${spelled(entries)}`, name];
    expect(executed(command, cwd), entries).toBe(expected);
    expect(outcomeOf(found[i]!, cwd), entries).toBe(expected);
  }
});

test("without a PATH commands are looked up where the system's are", async () => {
  const lookup = join(import.meta.dir, "../src/kernel/lookup.ts");
  const found = await inSubprocess({ lookup }, async (_, { lookup }) => {
    const { lookUpCommand } = (await import(lookup)) as typeof import("../src/kernel/lookup.ts");
    delete process.env["PATH"];
    return lookUpCommand("env");
  });
  expect(found).toBe("/usr/bin/env");
});

test("a name that no file can have is not found", () => {
  expect(lookUpCommand("", "/usr/bin")).toBe(2);
  expect(lookUpCommand("env\0x", "/usr/bin")).toBe(2);
  expect(lookUpCommand("x".repeat(256), "/usr/bin")).toBe(36);
});

test("an entry of PATH that Bun has lost bytes of ends the look-up, for it is another folder", () => {
  const folders = makeFolders();
  mkdirSync(join(folders, "\ufffd"));
  writeFileSync(join(folders, "\ufffd", "tool"), "#!/bin/sh\n", { mode: 0o755 });
  expect(lookUpCommand("tool", `${folders}/\ufffd:${folders}/first`)).toBe(84);
  expect(lookUpCommand("tool", `${folders}/first:${folders}/\ufffd`)).toBe(`${folders}/first/tool`);
});
