/** `landlock-restrict` on a terminal, and without one. */
import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import { kernelAbi, patience } from "../harness.ts";
import { onTerminal, plainEnvironment } from "../pty.ts";

const cli = [process.execPath, join(import.meta.dir, "..", "..", "src", "cli.ts")];
const options = ["-ro", "/usr", "/bin", "-rw", "/tmp"];
const sgr = /\x1b\[\d+m/;

function piped(args: readonly string[], env: Record<string, string> = {}) {
  const done = Bun.spawnSync([...cli, ...args], {
    env: { ...plainEnvironment(), TERM: "xterm", ...env },
    timeout: patience(20_000),
  });
  return { stdout: done.stdout.toString(), stderr: done.stderr.toString() };
}

/** Text without what wrapping does to it. */
const unwrapped = (text: string) => text.replaceAll(/\s+/g, " ").trim();

for (const args of [["status"], ["plan", ...options]]) {
  const plain = piped(args).stdout;

  describe(args[0]!, () => {
    for (const columns of [40, 80, 120]) {
      test(`fits a terminal ${columns} wide, says the same, and has colours`, async () => {
        const { text, code } = await onTerminal([...cli, ...args], columns);
        expect(code).toBe(0);
        expect(text).toMatch(sgr);
        const lines = Bun.stripANSI(text).split("\n");
        expect(lines.filter((line) => line.length > columns)).toEqual([]);
        expect(unwrapped(lines.join("\n"))).toBe(unwrapped(plain));
      });
    }

    test("is plain and whole elsewhere", () => {
      expect(plain).not.toMatch(sgr);
      expect(Math.max(...plain.split("\n").map((line) => line.length))).toBeGreaterThan(80);
    });

    test("has no colours with NO_COLOR, and has them with FORCE_COLOR", async () => {
      const { text } = await onTerminal([...cli, ...args], 80, { NO_COLOR: "1" });
      expect(text).not.toContain("\x1b");
      const { stdout } = piped(args, { FORCE_COLOR: "1" });
      expect(stdout).toMatch(sgr);
      expect(Bun.stripANSI(stdout)).toBe(plain);
    });

    test("is the same JSON everywhere", async () => {
      const { text } = await onTerminal([...cli, ...args, "--json"], 40);
      expect(JSON.parse(text)).toEqual(JSON.parse(piped([...args, "--json"]).stdout));
    });
  });
}

test("errors are red on a terminal, and only there", async () => {
  const message = '"-foo" is no option: see landlock-restrict -h\n';
  const { text, code } = await onTerminal([...cli, "-foo"], 80);
  expect({ text, code }).toEqual({
    text: `\x1b[31mlandlock-restrict:\x1b[39m ${message}`,
    code: 125,
  });
  expect(piped(["-foo"]).stderr).toBe(`landlock-restrict: ${message}`);
});

test.skipIf(kernelAbi === 0)("-v has colours on a terminal, and the command its own", async () => {
  const { text } = await onTerminal([...cli, "-v", "-rw", "/", "--", "echo", "done"], 80);
  expect(text).toMatch(/^\x1b\[2menforcement:\x1b\[22m/);
  expect(text).toEndWith("\ndone\n");
});

test("status refuses what it does not know", () => {
  expect(piped(["status", "--jsno"]).stderr).toContain('status takes --json and not "--jsno"');
});
