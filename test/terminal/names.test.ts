/** Names with characters that a terminal obeys: none reaches it raw. */
import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import { quoted } from "../../src/errors/errors.ts";
import { explain, landlock, planFor, roFiles } from "../../src/index.ts";
import { tempDir, testFromAbi } from "../harness.ts";

const cli = join(import.meta.dir, "..", "..", "src", "cli.ts");
/** Orders in C0, C1 and DEL, a change of direction, and the ends of a line. */
const evil = "a\u001b[31m\u009b2J\u007f\u202eb\u2028c\u0085";
const raw = /(?!\n)[\p{Cc}\p{Bidi_Control}\p{Zl}\p{Zp}]/u;

function run(args: readonly string[]) {
  const done = Bun.spawnSync([process.execPath, cli, ...args], { timeout: 20_000 });
  return done.stdout.toString() + done.stderr.toString();
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
      const text = run(args);
      expect(text).toContain("\\u009b");
      expect(text).not.toMatch(raw);
    });
  }

  testFromAbi(1, "and a plan as JSON has the name as it is", async () => {
    expect(JSON.parse(run(["plan", "--json", "-ro", `/${evil}`])).rules[0].path).toBe(`/${evil}`);
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
