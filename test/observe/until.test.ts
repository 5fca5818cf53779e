/** `explain --until-it-works` adds options that make real commands work, and never too many. */
import { describe, expect } from "bun:test";
import { existsSync, mkdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { tempDir, testUnless } from "../harness.ts";
import { explained, missingFor, PATH, runCli } from "./explained.ts";

const until = ["explain", "--until-it-works"];
/** A rule that no program needs: without any option, paths are not restricted. */
const nothing = ["-rofiles", "/dev/zero"];

function needs(...programs: string[]): string {
  const absent = programs.find((name) => Bun.which(name, { PATH }) === null);
  return absent === undefined ? missingFor(1) : `needs ${absent}`;
}

function folder(): string {
  const path = realpathSync(tempDir());
  writeFileSync(join(path, "file"), "b\na\n");
  return path;
}

/** The words of the final command line, as a shell reads them. */
function wordsOf(stderr: string): string[] {
  const line = /^The command line:\n {2}landlock-restrict (.*)$/m.exec(stderr)![1]!;
  const { stdout } = Bun.spawnSync(["bash", "-c", `printf '%s\\0' ${line}`]);
  return stdout.toString().split("\0").slice(0, -1);
}

testUnless(needs("sort", "mkdir", "cat"), "the command line it ends with works as it is", () => {
  const cwd = folder();
  const script = "mkdir -p out/sub && sort -o out/sub/sorted file && cat out/sub/sorted";
  const command = ["sh", "-c", script];
  const { stdout, stderr, code } = runCli([...until, ...nothing, "--", ...command], { cwd });
  expect([stdout, code]).toEqual(["a\nb\n", 0]);
  expect(stderr).toContain("run 1 ended with status 126; adding -preset executable=sh\n");
  expect(stderr).toContain("It worked: nothing needs adding.");
  const words = wordsOf(stderr);
  expect(words.slice(0, 2)).toEqual(nothing);
  expect(words.slice(words.indexOf("+create_missing") - 1)).toEqual([
    ...["-rw", "+create_missing", join(cwd, "out"), "--", ...command],
  ]);
  rmSync(join(cwd, "out"), { recursive: true });
  // The rule creates the directory first, so mkdir without -p would fail.
  expect(runCli(words, { cwd })).toMatchObject({ stdout: "a\nb\n", code: 0 });
  expect(runCli([...words.slice(0, words.indexOf("--")), "--", "ls", ".."], { cwd }).code).not.toBe(
    0,
  );
});

testUnless(needs("python3"), "with -o a policy says the same as the options", () => {
  const cwd = folder();
  const policy = join(realpathSync(tempDir()), "policy.toml");
  const command = ["python3", "-c", "import json, sqlite3; print(open('file').read())"];
  const port = missingFor(4) ? [] : ["-connecttcp", "443"];
  const words = [...until, "-o", policy, ...nothing, ...port, "-clearenv", "--", ...command];
  const { stderr, code } = runCli(words, { cwd });
  expect(code).toBe(0);
  expect(stderr).toContain(`\n  landlock-restrict -policy ${policy} -clearenv -- python3 -c `);
  const again = runCli(["-policy", policy, "-clearenv", "--", ...command], { cwd });
  expect(again).toMatchObject({ stdout: "b\na\n\n", code: 0 });
  const { unrestricted, connectTcp, presets } = Bun.TOML.parse(readFileSync(policy, "utf8")) as {
    unrestricted: string[];
    connectTcp?: number[];
    presets: string[];
  };
  expect(presets).toContain("executable=python3");
  expect([unrestricted, connectTcp]).toEqual(
    port.length > 0 ? [["scoped"], [443]] : [["net", "scoped"], undefined],
  );
  const other = runCli(["-policy", policy, "--", "python3", "-c", "open('/etc/hostname')"], {
    cwd,
  });
  expect(other.code).not.toBe(0);
});

describe("what is not safe", () => {
  testUnless(needs("cat"), "is asked for by name, and never added", () => {
    const home = folder();
    const cwd = join(home, "src/app");
    for (const name of [".ssh/id_ed25519", "src/other/.env", "src/app/.git/hooks/x"]) {
      mkdirSync(join(home, name, ".."), { recursive: true });
      writeFileSync(join(home, name), "secret");
    }
    const script =
      "cat ~/.ssh/id_ed25519 ../other/.env; echo x >~/.profile; echo x >new; ls ~ ..; exit 7";
    const words = ["--until-it-works", "--json", "-ro", "/usr", "/bin", "/lib", "/lib64", "/etc"];
    const run = runCli(["explain", ...words, "--", "bash", "-c", script], {
      cwd,
      env: { HOME: home },
    });
    expect(run.code).toBe(7);
    const found = JSON.parse(run.stderr.trimEnd().split("\n").at(-1)!) as {
      added: string[];
      flags: string[];
      runs: number;
      withheld: { what: string; reason: string }[];
    };
    const safe = ["/dev/tty", "/proc"];
    const paths = [...found.added, ...found.flags].filter((word) => word.startsWith("/"));
    expect(paths.filter((path) => !safe.some((one) => path.startsWith(one)))).toEqual([]);
    const withheld = found.withheld.map(({ what, reason }) => [reason, what]);
    expect(withheld).toEqual(
      expect.arrayContaining([
        ["secret", join(home, ".ssh/id_ed25519")],
        ["secret", join(home, "src/other/.env")],
        ["governing", cwd],
        ["listing", home],
        ["listing", join(home, "src")],
      ]),
    );
    expect(existsSync(join(cwd, "new"))).toBe(false);
  });

  testUnless(
    needs("bash") || missingFor(4),
    "is left to a person: ports, writing elsewhere, and node_modules",
    () => {
      const cwd = folder();
      mkdirSync(join(cwd, "app"));
      mkdirSync(join(cwd, "other"));
      for (const [script, words] of [
        ["exec 3<>/dev/tcp/127.0.0.1/9", "-connecttcp 9"],
        ["echo x >../other/x", `-rw ${cwd}/other`],
        ["mkdir node_modules", `-rw +create_missing ${cwd}/app/node_modules`],
      ] as const) {
        const options = [
          "-ro",
          "/usr",
          "/bin",
          "/lib",
          "/lib64",
          "/etc",
          "/proc",
          "-rwfiles",
          "/dev/tty",
        ];
        const { found } = explained(
          ["--until-it-works", ...options, "-connecttcp"],
          ["bash", "-c", script],
          { cwd: join(cwd, "app") },
        );
        expect([found.flags.join(" "), (found as unknown as { added: string[] }).added]).toEqual([
          words,
          [],
        ]);
      }
    },
  );

  testUnless(missingFor(1), "no policy is written for a command that did not begin", () => {
    const policy = join(folder(), "policy.toml");
    const { stderr, code } = runCli([...until, "-o", policy, "-ro", "/nowhere", "--", "true"]);
    expect([code, existsSync(policy)]).toEqual([125, false]);
    expect(stderr).toContain("No policy was written");
  });

  testUnless(
    needs("cat"),
    "ends the runs once nothing else is left, with what was added until then",
    () => {
      const cwd = folder();
      writeFileSync(join(cwd, ".env"), "secret");
      const { stderr, code } = runCli([...until, ...nothing, "--", "cat", "file", ".env"], { cwd });
      expect(code).toBe(1);
      expect(stderr).toContain(`Not advised: it is a secret`);
      expect(stderr).toMatch(
        new RegExp(
          `^It does not work yet.*\n {2}landlock-restrict .* ${cwd}/file .*-- cat file .env$`,
          "m",
        ),
      );
      expect(stderr).not.toMatch(new RegExp(`landlock-restrict .*${cwd}/\\.env`));
    },
  );
});

testUnless(needs("sh"), "a command that always asks for more is run 20 times at most", () => {
  const cwd = folder();
  for (let i = 0; i < 25; i++) writeFileSync(join(cwd, `f${i}`), "");
  mkdirSync(join(cwd, "n"));
  // Each run needs one more file, whose name the previous run could not reveal.
  const script = "n=$(ls n | wc -l); : >n/$n; cat f$n; exit 3";
  const options = ["-ro", "/usr", "/bin", "/lib", "/lib64", "/etc", "/proc", "-rw", join(cwd, "n")];
  const command = ["--", "sh", "-c", script];
  const { found, code } = explained(["--until-it-works", ...options], command.slice(1), { cwd });
  expect(code).toBe(3);
  expect((found as unknown as { runs: number }).runs).toBe(20);
});

describe("errors", () => {
  const cases: [name: string, words: (folder: string) => string[], message: string][] = [
    ["-o alone", (at) => ["-o", `${at}/p.toml`, "-ro", "/"], "-o FILE goes with --until-it-works"],
    [
      "-o for a file that exists",
      (at) => ["--until-it-works", "-o", `${at}/file.toml`, "-ro", "/"],
      "exists",
    ],
    [
      "-o beside -policy",
      (at) => ["--until-it-works", "-o", `${at}/p.toml`, "-policy", `${at}/file.toml`],
      "-o writes a new policy",
    ],
  ];
  for (const [name, words, message] of cases) {
    testUnless(missingFor(1), `${name}: 125, and nothing runs`, () => {
      const at = folder();
      writeFileSync(join(at, "file.toml"), 'bestEffort = true\nro = ["/"]\n');
      const { stderr, stdout, code } = runCli(["explain", ...words(at), "--", "echo", "ran"]);
      expect([stdout, code]).toEqual(["", 125]);
      expect(stderr).toContain(message);
    });
  }
});
