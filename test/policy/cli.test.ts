/** `landlock-restrict` with policies and presets, and its dry run. */
import { beforeAll, describe, expect, test } from "bun:test";
import { chownSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { cli, kernelAbi, run, tempDir, testFromAbi, testUnless } from "../harness.ts";

const dir = tempDir();
const system = ["/usr", "/bin", "/lib", "/lib64"];

beforeAll(async () => {
  await Bun.write(join(dir, "in/a"), "in");
  await Bun.write(join(dir, "no/a"), "no");
  const paths = [{ access: "ro", paths: system, ifMissing: "skip" }];
  const policies = {
    "policy.json": { abi: 3, ro: ["in"], paths },
    "package.json": { landlock: { abi: 3, bestEffort: true, ro: ["in"], paths } },
    "net.json": { abi: 4, unrestricted: ["paths", "scoped"] },
    "free.json": { abi: 4, unrestricted: ["net"], ro: ["/"] },
    "strict.json": { abi: 11, ro: ["/"] },
    "high.json": { abi: 3, paths: [{ access: ["truncate"], paths: ["in"] }] },
    "wrong.json": { ro: [1] },
  };
  for (const [name, policy] of Object.entries(policies)) {
    await Bun.write(join(dir, name), JSON.stringify(policy));
  }
});

function restrict(...args: string[]) {
  const { stdout, stderr, code } = run([...cli, ...args], dir);
  return { stdout: stdout.replaceAll(dir, ""), stderr: stderr.replaceAll(dir, ""), code };
}

const cat = (...options: string[]) => restrict(...options, "--", "cat", "in/a", "no/a");
const denied = "cat: no/a: Permission denied\n";

testFromAbi(3, "-policy restricts and allows what the file says", () => {
  expect(restrict("-ro", "/", "--", "cat", "in/a", "no/a").stdout).toBe("inno");
  for (const file of ["policy.json", "package.json"]) {
    expect(cat("-policy", file)).toEqual({ stdout: "in", stderr: denied, code: 1 });
  }
  return Promise.resolve();
});

testFromAbi(3, "-policy and other options add up", async () => {
  expect(cat("-policy", "policy.json", "-ro", "no")).toMatchObject({ stdout: "inno", code: 0 });
  expect(cat("-rofiles", "no/a", "-policy", "policy.json")).toMatchObject({ stdout: "inno" });
});

testFromAbi(4, "-policy leaves alone what it says, until an option is about it", async () => {
  using server = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
  const script = `exec 3<>/dev/tcp/127.0.0.1/${server.port} && echo connected`;
  const connect = (...options: string[]) => restrict(...options, "--", "bash", "-c", script).stdout;
  expect(connect("-policy", "free.json")).toBe("connected\n");
  expect(connect("-policy", "free.json", "-connecttcp", "1")).toBe("");
  expect(connect("-policy", "net.json")).toBe("");
  expect(connect("-policy", "net.json", "-connecttcp", `${server.port}`)).toBe("connected\n");
  const read = restrict("-policy", "net.json", "--", "cat", "no/a");
  expect(read.stdout).toBe("no");
  expect(
    restrict("-policy", "net.json", "-ro", ...system.slice(0, 3), "--", "cat", "no/a").code,
  ).not.toBe(0);
});

testFromAbi(4, "any takes a restriction of the policy away, and ports add one", async () => {
  using server = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
  const script = `exec 3<>/dev/tcp/127.0.0.1/${server.port} && echo connected`;
  const connect = (...options: string[]) => restrict(...options, "--", "bash", "-c", script).stdout;
  await Bun.write(
    join(dir, "ports.json"),
    '{ "abi": 4, "unrestricted": ["paths", "scoped"], "bindTcp": [1], "connectTcp": [1] }',
  );
  await Bun.write(
    join(dir, "half.json"),
    '{ "abi": 4, "unrestricted": ["paths", "scoped", "connectTcp"] }',
  );
  expect(connect("-policy", "ports.json")).toBe("");
  expect(connect("-policy", "ports.json", "-connecttcp", "any")).toBe("connected\n");
  expect(connect("-policy", "half.json")).toBe("connected\n");
  expect(connect("-policy", "half.json", "-bindtcp", "1")).toBe("connected\n");
  expect(connect("-policy", "half.json", "-connecttcp", "1")).toBe("");
  const none = restrict("-policy", "half.json", "-bindtcp", "any", "--", "true");
  expect(none.stderr).toContain("There is nothing to restrict: leave out any, or name a path");
  expect(none.code).toBe(125);
});

describe("complaints", () => {
  const cases: [name: string, args: string[], message: string][] = [
    ["no file", ["-policy"], "-policy takes one file, once"],
    ["two files", ["-policy", "policy.json", "net.json"], "-policy takes one file, once"],
    ["it twice", ["-policy", "net.json", "-policy", "net.json"], "-policy takes one file, once"],
    ["a missing file", ["-policy", "x.json"], 'Cannot read the policy "/x.json": open failed'],
    ["a wrong policy", ["-policy", "wrong.json"], '"/wrong.json": ro[0]: 1 is not a path'],
    ["a lower ABI", ["-2", "-policy", "high.json"], '"/high.json": paths[0].access[0]: truncate'],
    ["no such preset", ["-preset", "no such preset"], '"no such preset"'],
    ["--json elsewhere", ["-ro", "/", "--json"], "--json needs one of the commands plan"],
    ["ABI 12", ["-12"], '"-12" is not an option'],
  ];
  for (const [name, args, message] of cases) {
    test(`${name}: 125`, () => {
      const { code, stderr, stdout } = restrict(...args, "--", "echo", "done");
      expect(stderr).toContain(message);
      expect({ code, stdout }).toEqual({ code: 125, stdout: "" });
    });
  }
});

describe("plan", () => {
  testFromAbi(3, "prints rules, rights and what is not covered, and needs no command", async () => {
    const { stdout, stderr, code } = restrict(
      "plan",
      "-policy",
      "policy.json",
      "-rwfiles",
      "/dev/null",
    );
    expect({ stderr, code }).toEqual({ stderr: "", code: 0 });
    const lines = stdout.split("\n");
    expect(lines[0]).toBe(`enforcement: full (ABI 3; the kernel has ${kernelAbi})`);
    expect(lines[1]).toStartWith("denied:      execute write_file read_file");
    expect(lines).toContain("granted:     /in: execute read_file read_dir");
    expect(lines).toContain("granted:     /usr (if it exists): execute read_file read_dir");
    expect(lines).toContain("granted:     /dev/null: execute write_file read_file truncate");
    expect(lines).toContain("not covered: files and sockets that are open already");
  });

  test("--json gives the plan, wherever it stands", () => {
    const options = ["-ro", "/nowhere", "-connecttcp", "443", "-strict", "-4"];
    for (const args of [
      ["plan", "--json", ...options],
      ["plan", ...options, "--json"],
    ]) {
      const { stdout, code } = restrict(...args);
      const plan = JSON.parse(stdout);
      expect(plan).toMatchObject({ abi: { kernel: kernelAbi, requested: 4 } });
      if (kernelAbi < 4) return expect(code).toBe(125);
      expect(code).toBe(0);
      expect(plan).toMatchObject({ enforcement: "full", unenforced: { net: [] } });
      expect(
        plan.rules.map((rule: { path?: string; port?: number }) => rule.path ?? rule.port),
      ).toEqual(["/nowhere", 443]);
    }
  });

  test("does nothing to the command", () => {
    const { stdout, code } = restrict("plan", "-ro", "/", "--", "touch", join(dir, "made"));
    expect(code).toBe(0);
    expect(stdout).toStartWith("enforcement: ");
    expect(restrict("-ro", "/", "--", "ls").stdout).not.toContain("made");
  });

  test("says what a strict policy would fail with, beside the plan without it", () => {
    const { stdout, stderr, code } = restrict("plan", "-policy", "strict.json");
    expect(stdout).toStartWith("enforcement: ");
    if (kernelAbi >= 11) return expect({ stderr, code }).toEqual({ stderr: "", code: 0 });
    expect(stderr).toStartWith('landlock-restrict: "/strict.json": Cannot restrict ');
    expect(code).toBe(125);
    if (kernelAbi > 0) expect(stdout).toContain("unenforced: ");
  });

  testFromAbi(1, "has a line for each path, whatever characters are in it", async () => {
    const { stdout } = restrict("plan", "-1", "-ro", "/a\ngranted:     /b", "/c\u001b[2K");
    const granted = stdout.split("\n").filter((line) => line.startsWith("granted:"));
    const rights = "execute read_file read_dir";
    expect(granted).toEqual([
      `granted:     /a\\u000agranted:     /b: ${rights}`,
      `granted:     /c\\u001b[2K: ${rights}`,
    ]);
  });

  test("complains about rules that do not fit", () => {
    const { stdout, stderr, code } = restrict("plan", "-3", "-connecttcp", "443");
    expect({ stdout, code }).toEqual({ stdout: "", code: 125 });
    expect(stderr).toContain("Cannot grant connect_tcp on port 443");
  });

  testFromAbi(
    3,
    "an ABI option replaces the policy's abi, and -strict its bestEffort",
    async () => {
      const plan = (...options: string[]) => {
        const { stdout, code } = restrict("plan", "--json", "-policy", ...options);
        return { code, abi: JSON.parse(stdout).abi.requested as number };
      };
      expect(plan("policy.json")).toEqual({ code: 0, abi: 3 });
      expect(plan("policy.json", "-2")).toEqual({ code: 0, abi: 2 });
      expect(plan("package.json", "-11")).toEqual({ code: 0, abi: 11 });
      const code = kernelAbi >= 11 ? 0 : 125;
      expect(plan("package.json", "-11", "-strict")).toEqual({ code, abi: 11 });
    },
  );
});

const asRoot = process.getuid?.() === 0 ? "" : "needs root: others may not give files away";

testUnless(asRoot, "a policy file of another user is refused by name, and nothing runs", () => {
  const file = join(dir, "strangers.json");
  writeFileSync(file, JSON.stringify({ abi: 1, ro: ["/"] }));
  const words = ["-policy", file, "--", "echo", "ran"];
  if (kernelAbi > 0) expect(restrict(...words)).toMatchObject({ stdout: "ran\n", code: 0 });
  chownSync(file, 65534, 65534);
  const { stdout, stderr, code } = restrict(...words);
  expect({ stdout, code }).toEqual({ stdout: "", code: 125 });
  expect(stderr).toContain(
    `Cannot trust the policy "/strangers.json": "/strangers.json" belongs to user 65534`,
  );
});
