/** The help of `landlock-restrict`, and its errors for unknown words. */
import { describe, expect, test } from "bun:test";
import { closest } from "../src/errors/closest.ts";
import { LandlockError, parsePolicy, pathAccess } from "../src/index.ts";
import { usage } from "../src/cli/usage.ts";
import { cli, run } from "./harness.ts";

const restrict = (...args: string[]) => run([...cli, ...args]);

describe("did you mean", () => {
  const cases: [args: string[], fix: string][] = [
    [["-rofile", "/", "--", "true"], "did you mean -rofiles?"],
    [["--ro", "/", "--", "true"], "did you mean -ro?"],
    [["-ro=/usr", "--", "true"], "did you mean -ro /usr?"],
    [["-conecttcp", "443", "--", "true"], "did you mean -connecttcp?"],
    [["-RW", "/", "--", "true"], "did you mean -rw?"],
    [["--strict", "--", "true"], "did you mean -strict?"],
    [["plan", "-prest", "dns"], "did you mean -preset?"],
    [["explain", "-polciy", "x", "--", "true"], "did you mean -policy?"],
    [["statsu"], "did you mean status?"],
    [["lern", "-o", "x.toml", "--", "true"], "did you mean learn?"],
    [["ls", "/"], "to run it, put -- before it"],
    [["-xyzzy", "--", "true"], "see landlock-restrict -h"],
    [["-ro", "+reffer", "/", "--", "true"], 'did you mean "+refer"?'],
    [["-ro", "+ignoremissing", "/", "--", "true"], 'did you mean "+ignore_missing"?'],
    [["-preset", "dsn", "--", "true"], 'did you mean "dns"?'],
    [["-preset", "bun=child", "--", "true"], 'did you mean "bun=children"?'],
    [["-preset", "excutable=git", "--", "true"], 'did you mean "executable=git"?'],
    [["-preset", "modules", "--", "true"], 'did you mean "modules=FILE"?'],
  ];
  for (const [args, fix] of cases) {
    test(`${args.join(" ")}: ${fix}`, () => {
      const { stdout, stderr, code } = restrict(...args);
      expect(stderr).toContain(fix);
      expect(stderr.trimEnd()).not.toContain("\n");
      expect({ stdout, code }).toEqual({ stdout: "", code: 125 });
    });
  }

  function complaint(action: () => unknown): string {
    try {
      action();
    } catch (error) {
      if (error instanceof LandlockError) return error.message;
      throw error;
    }
    return "";
  }

  test("of keys and rights, in policies and in code", () => {
    const of = (policy: object) => complaint(() => parsePolicy(policy));
    expect(of({ rwfile: ["/"] })).toBe(
      'parsePolicy(): "rwfile" is unknown: did you mean "rwFiles"?',
    );
    expect(of({ bind_tcp: [1] })).toEndWith('did you mean "bindTcp"?');
    expect(of({ paths: [{ access: "ro", path: ["/"] }] })).toEndWith('did you mean "paths"?');
    expect(of({ paths: [{ access: ["read_dri"], paths: ["/"] }] })).toEndWith(
      'did you mean "read_dir"?',
    );
    expect(complaint(() => pathAccess(["readfile" as "read_file"], "/"))).toEndWith(
      'did you mean "read_file"?',
    );
    expect(of({ nothing: 1 })).toContain("is unknown: use $schema, abi, ");
  });

  test("is silent where nothing is near, and picks the nearest", () => {
    const names = ["-ro", "-rw", "-l", "-v", "-bindtcp", "-connecttcp"];
    expect(closest("-x", names)).toBeUndefined();
    expect(closest("", names)).toBeUndefined();
    expect(closest("-xx", names)).toBeUndefined();
    expect(closest("-wr", names)).toBe("-rw");
    expect(closest("-bnidtcp", names)).toBe("-bindtcp");
    expect(closest("-conn", names)).toBe("-connecttcp");
    expect(closest("-listentcp", names)).toBeUndefined();
    expect(closest("x".repeat(100_000), names)).toBeUndefined();
  });
});

describe("help", () => {
  for (const command of ["explain", "learn", "plan", "status"]) {
    test(`of ${command} is its own, by -h, -help, --help and the word help`, () => {
      const help = restrict(command, "-h");
      expect({ code: help.code, stderr: help.stderr }).toEqual({ code: 0, stderr: "" });
      expect(help.stdout).toMatch(new RegExp(`^Usage:\n  landlock-restrict ${command} (\\[|-o)`));
      expect(
        help.stdout.split("\n").filter((line) => line.startsWith("  landlock-restrict ")),
      ).toHaveLength(1);
      for (const args of [
        [command, "-help"],
        [command, "--help"],
        ["help", command],
      ]) {
        expect(restrict(...args)).toEqual(help);
      }
    });
  }

  test("is the whole usage otherwise, wherever it stands before the command", () => {
    for (const args of [
      ["-h"],
      ["--help"],
      ["help"],
      ["help", "x"],
      ["-ro", "/usr", "-h", "--", "ls"],
    ]) {
      expect(restrict(...args)).toEqual({ stdout: `${usage}\n`, stderr: "", code: 0 });
    }
  });

  test("behind -- is the command's", () => {
    const options = ["-ro", "/", "--", "echo"];
    expect(restrict(...options, "-h").stdout).not.toContain("Usage");
    expect(restrict("-ro", "/", "--", "help").code).not.toBe(0);
  });

  test("fits 100 columns", () => {
    for (const args of [
      ["-h"],
      ["explain", "-h"],
      ["learn", "-h"],
      ["plan", "-h"],
      ["status", "-h"],
    ]) {
      const wide = restrict(...args)
        .stdout.split("\n")
        .filter((line) => line.length > 100);
      expect(wide).toEqual([]);
    }
  });
});
