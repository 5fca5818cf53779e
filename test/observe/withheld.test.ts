/** What explain never advises, and what it says instead. */
import { expect, test } from "bun:test";
import { mkdirSync, realpathSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { tempDir, testUnless } from "../harness.ts";
import { plainUser, userMissing } from "../other-user.ts";
import { isHarmlessProbe } from "../../src/advise/judgement.ts";
import { isOfOutside } from "../../src/explain/run/outside.ts";
import { explained, missingFor, PATH, runCli } from "./explained.ts";

const system = ["-ro", "/usr", "/bin", "/lib", "/lib64", "/etc", "-rwfiles", "/dev/null"];

testUnless(missingFor(1), "no option is named for writing to what runs later", () => {
  const home = realpathSync(tempDir());
  const project = join(home, "project");
  for (const name of [".git/hooks", ".vscode"]) {
    mkdirSync(join(project, name), { recursive: true });
  }
  for (const name of [".bun/install/cache/@t@", ".config"]) {
    mkdirSync(join(home, name), { recursive: true });
  }
  writeFileSync(join(home, ".bashrc"), "");
  symlinkSync(join(home, ".bashrc"), join(project, "rc"));
  const paths = [
    ...[".bashrc", ".profile", ".bun/install/cache/@t@/x.pile", ".config/a.conf", "project/rc"],
    ...["project/.git/hooks/pre-commit", "project/.git/config", "project/.vscode/tasks.json"],
  ];
  const script = [...paths, "project/out"].map((path) => `true >~/${path}`).join("; ");
  const command = ["sh", "-c", script];
  const settings = { cwd: project, env: { HOME: home } };
  const { found } = explained(system, command, settings);
  const flags = found.denied.map(({ operation, flags: words }) => [operation.path, ...words]);
  expect(flags).toEqual([
    ...paths.map((path) => [join(home, path)]),
    // A rule for the project would include its hooks.
    [join(project, "out")],
  ]);
  expect([found.flags, found.policy]).toEqual([[], ""]);
  expect(found.notes.join()).toContain("it decides what runs later, outside of the sandbox");
  expect(found.notes.join()).toContain(`add it for writing: ${home}/.config, ${project}.`);
  const { stderr } = runCli(["explain", ...system, "--", ...command], settings);
  expect(stderr).toContain("yours to decide, see below");
  const cache = explained(system, ["sh", "-c", "true >~/.bun/install/cache/@t@/x.pile"], settings);
  expect(cache.found.notes.join()).toContain(`: ${home}/.bun/install/cache/@t@.`);
});

testUnless(missingFor(1), "a link is named with the file that it leads to", () => {
  const folder = realpathSync(tempDir());
  writeFileSync(join(folder, "file"), "");
  mkdirSync(join(folder, "open"));
  symlinkSync("../file", join(folder, "open/link"));
  const options = [...system, "-ro", join(folder, "open")];
  const { stderr } = runCli(["explain", ...options, "--", "cat", join(folder, "open/link")], {
    env: { COLUMNS: "300" },
  });
  expect(stderr).toContain(`${join(folder, "open/link")} (a link to ${join(folder, "file")})`);
  const plain = runCli(["explain", ...system, "--", "cat", join(folder, "file")]);
  expect(plain.stderr).not.toContain("a link to");
});

// Root's capabilities open it anyway.
testUnless(missingFor(1) || userMissing, "a process outside is named: no rule opens it", () => {
  const { prefix, bun, project } = plainUser();
  const script = 'sleep 20 & sleep 0.1; "$@" -- cat /proc/$!/environ; kill $!';
  const words = [bun, join(project, "src/cli.ts"), "explain", "-ro", "/", "-rwfiles", "/dev/null"];
  const { stderr } = Bun.spawnSync([...prefix, "sh", "-c", script, "sh", ...words], {
    cwd: "/",
    env: { PATH, HOME: "/" },
    stdout: "ignore",
  });
  expect(stderr.toString()).toMatch(
    /no rule can allow it: read \/proc\/\d+\/environ \(cat: a process outside the sandbox\)/,
  );
});

test("files that show what is in a process are told apart from those for everybody", () => {
  expect(isOfOutside("/proc/1/maps")).toBe(true);
  for (const path of ["/proc/1/stat", "/proc/self/maps", "/etc/proc/1/maps"]) {
    expect([path, isOfOutside(path)]).toEqual([path, false]);
  }
});

test("naming a thread makes no difference", () => {
  const names = ["/proc/self/task/11666/comm", "/proc/self/comm", "/proc/77/task/78/comm"];
  for (const path of names) {
    expect(isHarmlessProbe({ kind: "open", path, write: true }, "pandoc", "/")).toBe(true);
    expect(isHarmlessProbe({ kind: "open", path, read: true }, "pandoc", "/")).toBe(false);
  }
  const other = { kind: "open", path: "/proc/self/oom_score_adj", write: true } as const;
  expect(isHarmlessProbe(other, "pandoc", "/")).toBe(false);
});

testUnless(missingFor(1), "threads that are named get no advice", () => {
  const { found } = explained(system, ["sh", "-c", "(echo x >/proc/self/comm); true"]);
  expect([found.denied, found.flags]).toEqual([[], []]);
});
