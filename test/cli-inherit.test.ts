/** What a command inherits from `landlock-restrict`: arguments, environment and open files. */
import { describe, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { environmentOf } from "../src/cli/prepare-exec.ts";
import { tempDir, testFromAbi } from "./harness.ts";

const cli = `"${process.execPath}" "${join(import.meta.dir, "..", "src", "cli.ts")}"`;

/** Runs a shell line in which `landlock-restrict` is the tool. */
function shell(line: string, env: Record<string, string> = {}, cwd = "/") {
  const path = { PATH: process.env["PATH"] ?? "" };
  const script = `${line.replaceAll("landlock-restrict", cli)}; exit`;
  return Bun.spawnSync(["sh", "-c", script], { env: { ...path, ...env }, cwd }).stdout.toString();
}

testFromAbi(1, "landlock-restrict leaves the command what a plain exec would", async () => {
  const script = [
    "grep -E '^Sig(Ign|Blk|Pnd|Cgt)|^Threads' /proc/self/status",
    "ulimit -Sn; ulimit -Hn; ulimit -Sc; ulimit -Ss",
    "ls /proc/self/fd | wc -l; env | sort; umask; pwd",
  ].join("; ");
  const start = "ulimit -Sn 300; exec 7</dev/null; trap '' USR1;";
  const env = { HOME: "/", MARK: "a b" };
  const cwd = tempDir();
  await Bun.write(join(cwd, ".env"), "FROM_DOTENV=1");
  const quoted = `sh -c '${script.replaceAll("'", `'\\''`)}'`;
  const plain = shell(`${start} ${quoted}`, env, cwd);
  expect(plain).toContain("300\n");
  expect(plain).toContain("MARK=a b");
  expect(shell(`${start} landlock-restrict -rw / -fd 7 -- ${quoted}`, env, cwd)).toBe(plain);
});

testFromAbi(1, "landlock-restrict hands on arguments and environment byte by byte", async () => {
  const line = `landlock-restrict -rw / -- printf '%s' "$(printf 'a\\377b')"`;
  const { stdout } = Bun.spawnSync(["sh", "-c", line.replace("landlock-restrict", cli)]);
  expect([...stdout]).toEqual([0x61, 0xff, 0x62]);
});

describe("open files", () => {
  const folder = tempDir();
  const secret = join(folder, "secret");
  const open = `exec 7<"${secret}" 9<"${secret}";`;
  const list = "ls /proc/self/fd | tr '\\n' ' '";

  testFromAbi(1, "only 0, 1 and 2 reach the command, with or without /proc", async () => {
    await Bun.write(secret, "text");
    // ls itself opens the folder that it lists: descriptor 3.
    expect(shell(`${open} ${list}`)).toBe("0 1 2 3 7 9 ");
    expect(shell(`${open} landlock-restrict -rw / -- sh -c "${list}"`)).toBe("0 1 2 3 ");
    const cat = `sh -c 'cat <&7 2>&1 || echo closed'`;
    expect(shell(`${open} ${cat}`)).toBe("text");
    expect(shell(`${open} landlock-restrict -ro /usr /bin /lib -- ${cat}`)).toContain("closed");
  });

  testFromAbi(1, "-fd hands on those it names, readable without a rule for them", async () => {
    await Bun.write(secret, "text");
    const restricted = `${open} landlock-restrict -ro /usr /bin /lib -fd 9 --`;
    expect(shell(`${restricted} sh -c 'cat <&9'`)).toBe("text");
    expect(shell(`${restricted} sh -c 'cat "${secret}" 2>&1'`)).toContain("Permission denied");
    const named = `${open} landlock-restrict -rw / -fd 7 -fd 9 1 --`;
    expect(shell(`${named} sh -c "${list}"`)).toBe("0 1 2 3 7 9 ");
  });
});

describe("environment", () => {
  const env = { HOME: "/", TOKEN: "secret", EMPTY: "" };
  const restrict = (options: string) =>
    shell(`landlock-restrict -rw / ${options} -- /usr/bin/env`, env).trimEnd().split("\n").sort();

  testFromAbi(1, "-clearenv leaves only what -env names", async () => {
    expect(restrict("")).toEqual(expect.arrayContaining(["HOME=/", "TOKEN=secret", "EMPTY="]));
    expect(restrict("-clearenv")).toEqual([""]);
    const named = "-clearenv -env HOME EMPTY NOT_SET LANG=C -env A='x=y z' A2=";
    expect(restrict(named)).toEqual(["A2=", "A=x=y z", "EMPTY=", "HOME=/", "LANG=C"]);
  });

  testFromAbi(1, "-env alone sets and adds, and the last of a name counts", async () => {
    const seen = restrict("-env TOKEN=none NEW=1 -env NEW=2 HOME");
    expect(seen).toEqual(expect.arrayContaining(["HOME=/", "TOKEN=none", "NEW=2", "EMPTY="]));
    expect(seen.filter((line) => /^(TOKEN|NEW)=/.test(line))).toHaveLength(2);
  });

  testFromAbi(1, "-env PATH= is where the command is found", async () => {
    const folder = tempDir();
    writeFileSync(join(folder, "tool"), "#!/bin/sh\necho found\n", { mode: 0o755 });
    expect(shell("landlock-restrict -rw / -- tool 2>&1")).toContain("not on PATH");
    expect(shell(`landlock-restrict -rw / -env PATH=${folder} -- tool`)).toBe("found\n");
  });

  testFromAbi(1, "values keep bytes that are no UTF-8", async () => {
    const line = `B="$(printf 'c\\377')" landlock-restrict -rw / -clearenv -env "A=$(printf 'a\\377b')" B -- /usr/bin/env -0`;
    const { stdout } = Bun.spawnSync(["sh", "-c", line.replace("landlock-restrict", cli)]);
    const bytes = [0x41, 0x3d, 0x61, 0xff, 0x62, 0, 0x42, 0x3d, 0x63, 0xff, 0];
    expect([...stdout]).toEqual(bytes);
  });

  test("environmentOf() takes names as bytes, and keeps what it is not asked about", () => {
    const bytes = (...lines: string[]) => lines.map((line) => Buffer.from(`${line}\0`, "latin1"));
    const inherited = bytes("A=1", "A=2", "B\xff=3", "no-equals-sign", "=x");
    const made = (cleared: boolean, ...named: string[]) =>
      environmentOf(inherited, cleared, bytes(...named)).map((entry) =>
        Buffer.from(entry).toString("latin1").slice(0, -1),
      );
    expect(made(false)).toEqual(["A=1", "A=2", "B\xff=3", "no-equals-sign", "=x"]);
    expect(made(true)).toEqual([]);
    expect(made(true, "B\xff", "B\xfe")).toEqual(["B\xff=3"]);
    expect(made(false, "A=", "C=4")).toEqual(["B\xff=3", "no-equals-sign", "=x", "A=", "C=4"]);
  });
});
