/** `landlock-restrict` and explain with and without a terminal; no name can control it. */
import { describe, expect, test } from "bun:test";
import { mkdirSync, realpathSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { printable, quoted } from "../../src/errors/errors.ts";
import { explain, landlock, planFor, roFiles } from "../../src/index.ts";
import { cli, kernelAbi, run, tempDir, testFromAbi, testUnless } from "../harness.ts";
import { missingFor, PATH, runCli } from "../observe/explained.ts";
import { onTerminal, plainEnvironment } from "../pty.ts";

const options = ["-ro", "/usr", "/bin", "-rw", "/tmp"];
const sgr = /\x1b\[\d+m/;

function piped(args: readonly string[], env: Record<string, string> = {}) {
  return run([...cli, ...args], undefined, { ...plainEnvironment(), TERM: "xterm", ...env });
}

/** The text without the effects of wrapping. */
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
  const message = '"-foo" is not an option: see landlock-restrict -h\n';
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
  expect(piped(["status", "--jsno"]).stderr).toContain('status takes --json, not "--jsno"');
});

const cwd = realpathSync(tempDir());
const folder = join(cwd, "b", "long ".repeat(30));
mkdirSync(folder, { recursive: true });
// A name that would colour the following text red.
const files = ["\x1b[31mone", "two"].map((name) => join(folder, name));
for (const file of files) writeFileSync(file, "");
const system = ["-ro", "/usr", "/bin", "/lib", "/lib64", "/etc"];
const words = ["explain", ...system, "--", "cat", ...files];

for (const columns of [40, 80, 120]) {
  testUnless(
    missingFor(1),
    `explain fits a terminal ${columns} wide; what is to paste is whole`,
    async () => {
      const { text, code } = await onTerminal(["env", "-C", cwd, ...cli, ...words], columns, {
        PATH,
      });
      expect(code).toBe(1);
      const findings = text.slice(text.indexOf("\x1b[33mlandlock-restrict:"));
      const [table, rest] = findings.split("To allow it, add:\n") as [string, string];
      const lines = Bun.stripANSI(table).split("\n");
      expect(lines[0]).toBe("landlock-restrict: Landlock denied 2 operations:");
      expect(lines.slice(1).filter((line) => Bun.stringWidth(line) > columns)).toEqual([]);
      expect(lines.filter((line) => line.includes("read_file"))).toHaveLength(2);
      // The name's own escape sequence must not get through.
      expect(findings).not.toContain("\x1b[31m");
      expect(table).toContain("\\u001b");
      const paste = Bun.stripANSI(rest).split("\n")[0]!;
      const { stdout } = Bun.spawnSync(["bash", "-c", `printf '%s\\0' ${paste}`]);
      expect(stdout.toString().split("\0").slice(0, -1)).toEqual(["-ro", folder]);
    },
  );
}

testUnless(missingFor(1), "is whole and plain elsewhere, behind what the command says", () => {
  const { stderr } = runCli(words, { cwd });
  expect(stderr).not.toContain("\x1b[3");
  expect(stderr).toStartWith("cat: ");
  const lines = stderr.split("\n");
  expect(lines.find((line) => line.startsWith("DENIED"))).toMatch(
    /^DENIED +RIGHT +WHERE +TIMES +PROGRAM +ALLOWED BY$/,
  );
  expect(lines.some((line) => line.includes(`${printable(files[1]!)}  `))).toBe(true);
  const allowed = runCli(["explain", "-rw", "/", "--", "cat", ...files]);
  expect(allowed).toEqual({
    stdout: "",
    stderr: "\nlandlock-restrict: It worked: nothing needs adding.\n",
    code: 0,
  });
});

testUnless(
  missingFor(1),
  "an interrupt is the command's; the table comes nevertheless",
  async () => {
    const script = 'trap "cat b/*/*; exit 3" INT; echo ready; sleep 20 & wait';
    const command = [...cli, "explain", ...system, "-rwfiles", "/dev/null"];
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

/** Controls in C0, C1 and DEL, a change of direction, and line ends. */
const evil = "a\u001b[31m\u009b2J\u007f\u202eb\u2028c\u0085";
const raw = /(?!\n)[\p{Cc}\p{Bidi_Control}\p{Zl}\p{Zp}]/u;

function said(args: readonly string[]) {
  const { stdout, stderr } = run([...cli, ...args]);
  return stdout + stderr;
}

const dir = tempDir();
const policy = join(dir, "policy.json");
await Bun.write(join(dir, evil), "text");
await Bun.write(policy, JSON.stringify({ [evil]: [] }));

describe("landlock-restrict escapes names", () => {
  const cases: [name: string, args: readonly string[]][] = [
    ["of a command that is nowhere", ["-ro", "/", "--", evil]],
    ["of a command's path", ["-ro", "/", "--", `/${evil}`]],
    ["of a command to learn", ["learn", "-o", join(dir, "p.toml"), "--", evil]],
    ["of a missing path", ["-ro", `/${evil}`, "--", "true"]],
    ["of an option", [`-${evil}`, "--", "true"]],
    ["of a modifier", ["-ro", `+${evil}`, "--", "true"]],
    ["of a port", ["-bindtcp", evil, "--", "true"]],
    ["of a preset", ["-preset", evil, "--", "true"]],
    ["of a program for a preset", ["-preset", `executable=${evil}`, "--", "true"]],
    ["of a policy's file", ["-policy", `${evil}.json`, "--", "true"]],
    ["of a policy's key", ["-policy", policy, "--", "true"]],
    ["of a word for status", ["status", evil]],
    ["of a word for learn", ["learn", evil, "--", "true"]],
    ["in a plan", ["plan", "-ro", `/${evil}`]],
    ["in a plan as JSON", ["plan", "--json", "-ro", `/${evil}`]],
  ];
  for (const [name, args] of cases) {
    testFromAbi(1, name, async () => {
      const text = said(args);
      expect(text).toContain("\\u009b");
      expect(text).not.toMatch(raw);
    });
  }

  testFromAbi(1, "and a plan as JSON has the name as it is", async () => {
    expect(JSON.parse(said(["plan", "--json", "-ro", `/${evil}`])).rules[0].path).toBe(`/${evil}`);
  });
});

describe("the library escapes names", () => {
  test("in what explain() says, in its code and in its policy", () => {
    const kernel = { abi: 7, errata: 15, state: "enabled" } as const;
    const layers = [planFor(landlock.V1, [], kernel)];
    const error = Object.assign(new Error("EACCES"), {
      ...{ code: "EACCES", syscall: "open", path: join(dir, evil) },
    });
    const found = explain(error, { layers, access: "read_file" });
    for (const text of [found.message, ...found.notes, Bun.inspect(found)])
      expect(text).not.toMatch(raw);
    expect(found.message).toContain("\\u009b");
    for (const { code, policy } of found.fixes) expect(code + policy).not.toMatch(raw);
    expect(found.fixes.length).toBeGreaterThan(0);
    expect(Bun.TOML.parse(found.fixes[0]!.policy)).toEqual({ roFiles: [join(dir, evil)] });
  });

  testFromAbi(1, "in a printed rule, and in an error that nobody catches", async () => {
    const rule = roFiles(`/${evil}`);
    expect(Bun.inspect(rule)).not.toMatch(raw);
    expect(Bun.inspect(rule)).toContain("\\u009b");
    const module = join(import.meta.dir, "../../src/index.ts");
    const script = `import { landlock, roFiles } from "${module}";
      landlock.V1.ruleset(roFiles(${quoted(`/${evil}`)}));`;
    const file = join(dir, "uncaught.ts");
    await Bun.write(file, script);
    const { stderr } = Bun.spawnSync([process.execPath, file], { cwd: dir });
    // The frame quotes the script, in which the name is escaped.
    expect(stderr.toString()).toContain("LandlockError: ");
    expect(stderr.toString()).not.toMatch(raw);
  });

  test("and quoted() is the same text in JSON, TypeScript and TOML", () => {
    expect(quoted(evil)).not.toMatch(raw);
    expect(JSON.parse(quoted(evil))).toBe(evil);
    expect(Bun.TOML.parse(`a = ${quoted(evil)}`)).toEqual({ a: evil });
  });
});
