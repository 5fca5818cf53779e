/** Terminals have numbers, and the next run gets another one. */
import { expect } from "bun:test";
import { readFileSync } from "node:fs";
import { tempDir, testUnless } from "../harness.ts";
import { needsStrace } from "../observe/strace.ts";
import { onTerminal } from "../pty.ts";
import { Scene } from "./scene.ts";

testUnless(
  needsStrace,
  "no terminal is granted but the one of the command, and a note says so",
  async () => {
    const scene = new Scene(tempDir());
    const learning = scene.learning(scene.policy, [
      ...["sh", "-c", 'cat <"$(tty)" & kill $!; echo hi >"$(tty)"; echo hi >/dev/tty'],
    ]);
    const { code, text } = await onTerminal(learning, 200, { HOME: scene.home });
    expect(code).toBe(0);
    expect(text).toContain("a terminal, and the next run has another one");
    expect(text).toContain('"/dev/pts/N": write_file');
    const policy = readFileSync(scene.policy, "utf8");
    expect(policy.replaceAll(/^#.*$/gm, "")).not.toContain("/dev/pts");
    expect(policy).toContain('rwFiles = ["/dev/tty"]');
  },
);

testUnless(
  needsStrace || (Bun.which("script") ? "" : "needs script"),
  "a program that makes terminals gets all of them, and a note says so",
  async () => {
    const scene = new Scene(tempDir());
    const { code, stderr } = await scene.learn(["script", "-qc", "echo hi", "/dev/null"]);
    expect(code).toBe(0);
    expect(stderr).toContain("so it can use all terminals of its user:\n  /dev/pts\n");
    const policy = Bun.TOML.parse(readFileSync(scene.policy, "utf8")) as {
      paths: { access: string[]; paths: string[] }[];
    };
    const granted = policy.paths.filter(({ paths }) => paths.includes("/dev/pts"));
    const rights = ["write_file", "read_file", "ioctl_dev"];
    expect(granted.map(({ access }) => access)).toEqual([rights]);
  },
);
