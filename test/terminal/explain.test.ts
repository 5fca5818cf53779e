/** The table of `landlock-restrict explain` on a terminal, and without one. */
import { expect } from "bun:test";
import { mkdirSync, realpathSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { tempDir, testUnless } from "../harness.ts";
import { cli, missingFor, PATH, runCli } from "../observe/explained.ts";
import { onTerminal } from "../pty.ts";

const cwd = realpathSync(tempDir());
// A name that would turn what follows red, and one that is long.
const names = ["\x1b[31mred", "long ".repeat(30)];
mkdirSync(join(cwd, "b"));
for (const name of names) writeFileSync(join(cwd, "b", name), "");
const files = names.map((name) => join(cwd, "b", name));
const options = ["-ro", "/usr", "/bin", "/lib", "/lib64", "/etc"];
const words = ["explain", ...options, "--", "cat", ...files];

for (const columns of [40, 80, 120]) {
  testUnless(
    missingFor(1),
    `fits a terminal ${columns} wide; what is to paste is whole`,
    async () => {
      const { text, code } = await onTerminal([...cli, ...words], columns, { PATH });
      expect(code).toBe(1);
      const findings = text.slice(text.indexOf("\x1b[33mlandlock-restrict:"));
      const [table, rest] = findings.split("To allow it, add:\n") as [string, string];
      const lines = Bun.stripANSI(table).split("\n");
      expect(lines[0]).toBe("landlock-restrict: Landlock denied 2 operations:");
      expect(lines.slice(1).filter((line) => Bun.stringWidth(line) > columns)).toEqual([]);
      expect(lines.filter((line) => line.includes("read_file"))).toHaveLength(2);
      // The name's own escape sequence does not get through.
      expect(findings).not.toContain("\x1b[31m");
      expect(table).toContain("\\u001b");
      const paste = Bun.stripANSI(rest).split("\n")[0]!;
      const { stdout } = Bun.spawnSync(["bash", "-c", `printf '%s\\0' ${paste}`]);
      expect(stdout.toString().split("\0").slice(0, -1)).toEqual(["-rofiles", ...files]);
    },
  );
}

testUnless(missingFor(1), "is whole and plain elsewhere, behind what the command says", () => {
  const { stderr } = runCli(words);
  expect(stderr).not.toContain("\x1b[3");
  expect(stderr).toStartWith("cat: ");
  const lines = stderr.split("\n");
  expect(lines.find((line) => line.startsWith("DENIED"))).toMatch(
    /^DENIED +RIGHT +WHERE +TIMES +PROGRAM +ALLOWED BY$/,
  );
  expect(lines.some((line) => line.includes(`${files[1]}  `))).toBe(true);
  const allowed = runCli(["explain", "-rw", "/", "--", "cat", ...files]);
  expect(allowed).toEqual({
    stdout: "",
    stderr: "\nlandlock-restrict: Landlock denied nothing.\n",
    code: 0,
  });
});

testUnless(
  missingFor(1),
  "an interrupt is the command's; the table comes nevertheless",
  async () => {
    const script = 'trap "cat b/*; exit 3" INT; echo ready; sleep 20 & wait';
    const command = [...cli, "explain", ...options, "-rwfiles", "/dev/null"];
    const { text, code } = await onTerminal(
      ["env", "-C", cwd, ...command, "--", "sh", "-c", script],
      80,
      { PATH },
      { after: "ready", type: "\x03" },
    );
    expect(code).toBe(3);
    expect(Bun.stripANSI(text)).toContain("landlock-restrict: Landlock denied 1 operation:");
  },
);
