/** `landlock-restrict` as users run it: what it allows, what it leaves behind, how it exits. */
import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import { cli, kernelAbi, run, tempDir, testFromAbi, testUnless } from "./harness.ts";

const system = ["/usr", "/bin", "/lib", "/etc"];

function landlockRestrict(args: string[], options: { cwd?: string; prefix?: string[] } = {}) {
  return run([...(options.prefix ?? []), ...cli, ...args], options.cwd);
}

function sh(script: string, options: string[] = [], cwd?: string) {
  const args = ["-ro", ...system, "-rw", "/dev", ...options, "--", "sh", "-c", script];
  return landlockRestrict(args, cwd ? { cwd } : {});
}

testFromAbi(1, "landlock-restrict runs the talk's session: ls works, ls .. does not", async () => {
  const home = tempDir();
  await Bun.write(join(home, "note"), "text");
  const options = ["-ro", "/usr", "/lib", "/etc", "-rw", home, "-rwfiles", "/dev/null", "/dev/tty"];
  const script = "ls; pwd; touch new && ls; ls ..; echo $?";
  const run = landlockRestrict([...options, "--", "/bin/bash", "-c", script], { cwd: home });
  expect(run.stdout).toBe(`note\n${home}\nnew\nnote\n2\n`);
  expect(run.stderr).toBe("ls: cannot open directory '..': Permission denied\n");
});

testFromAbi(1, "landlock-restrict ends as the command ends", async () => {
  expect(sh("exit 7").code).toBe(7);
  expect(sh("echo out; echo err >&2")).toEqual({ stdout: "out\n", stderr: "err\n", code: 0 });
});

describe("landlock-restrict's own exit codes", () => {
  const folder = tempDir();
  const cases: [string, string[], number, string][] = [
    ["no arguments", [], 125, "Usage:"],
    ["no command", ["-ro", "/usr"], 125, "There is no command: put it after --"],
    ["an unknown option", ["-xyz", "--", "true"], 125, '"-xyz" is not an option'],
    ["an unknown modifier", ["-ro", "+all", "/", "--", "true"], 125, '"+all" is not a modifier'],
    ["a port too large", ["-bindtcp", "65616", "--", "true"], 125, "65616 is not a port"],
    ["a port in hexadecimal", ["-bindtcp", "0x50", "--", "true"], 125, '"0x50" is not a port'],
    ["a variable without a name", ["-env", "=x", "--", "true"], 125, '"=x" has no name'],
    ["a descriptor that is none", ["-fd", "out", "--", "true"], 125, '"out" is not a descriptor'],
    ["descriptors not open", ["-fd", "77", "78", "--", "true"], 125, "77, 78 are not open"],
    ["a descriptor that Bun opened", ["-fd", "3", "--", "true"], 125, "3 is not open: open it"],
    ["a missing path", ["-ro", "/nowhere", "--", "true"], 125, '"/nowhere"'],
    ["refer under ABI 1", ["-1", "-rw", "+refer", "/", "--", "true"], 125, "refer"],
    ["a command not on PATH", ["-ro", "/", "--", "no-such-command"], 127, "on PATH"],
    ["a command that is not there", ["-ro", "/", "--", "/no/such"], 127, "ENOENT"],
    ["a command without execute", ["-ro", folder, "--", "/bin/true"], 126, "EACCES"],
  ];
  for (const [name, args, code, message] of cases) {
    const missing = kernelAbi === 0 && code !== 125 ? "needs Landlock" : "";
    testUnless(missing, `${name}: ${code}`, () => {
      const run = landlockRestrict(args);
      expect(run.stderr).toContain(message);
      expect(run.code).toBe(code);
    });
  }
});

testFromAbi(
  4,
  "landlock-restrict -connecttcp restricts the network, and without it does not",
  async () => {
    using server = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
    const connect = (options: string[]) => {
      const script = `exec 3<>/dev/tcp/127.0.0.1/${server.port} && echo connected`;
      const args = ["-rw", "/", ...options, "--", "bash", "-c", script];
      return landlockRestrict(args);
    };
    expect(connect([]).stdout).toBe("connected\n");
    expect(connect(["-connecttcp", `${server.port}`]).stdout).toBe("connected\n");
    const denied = connect(["-connecttcp", "1"]);
    expect(denied.stdout).toBe("");
    expect(denied.stderr).toContain("Permission denied");
  },
);

testFromAbi(4, "any leaves one network right alone, and the others stay restricted", async () => {
  using server = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
  const connect = `exec 3<>/dev/tcp/127.0.0.1/${server.port} && echo connected`;
  // Bun binds port 0 before it connects; only a bind to a named port is restricted.
  const bind = `const server = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
    server.stop(true); console.log("bound");`;
  const run = (...options: string[]) => {
    const bash = ["-rw", "/", ...options, "--", "bash", "-c", connect];
    const bun = ["-rw", "/", ...options, "--", process.execPath, "-e", bind];
    const [one, other] = [landlockRestrict(bash), landlockRestrict(bun)];
    return [one.stdout.trim() || one.code, other.stdout.trim() || other.code];
  };
  expect(run()).toEqual(["connected", "bound"]);
  expect(run("-bindtcp", "0")).toEqual([1, "bound"]);
  expect(run("-bindtcp", "0", "-connecttcp", "any")).toEqual(["connected", "bound"]);
  expect(run("-bindtcp", "1", "-connecttcp", "any")).toEqual(["connected", 1]);
  expect(run("-connecttcp", "any")).toEqual(["connected", 1]);
  expect(run("-bindtcp", "any")).toEqual([1, "bound"]);
  expect(run("-bindtcp", "any", "-connecttcp", "1")).toEqual([1, "bound"]);
});

test("any is said to be left alone, and does not go with ports", () => {
  const { stdout } = landlockRestrict(["plan", "-7", "-connecttcp", "any"]);
  if (kernelAbi >= 4) expect(stdout).toMatch(/^denied: .* bind_tcp$/m);
  if (kernelAbi >= 4) expect(stdout).toMatch(/^left alone: +connect_tcp /m);
  for (const words of [
    ["-connecttcp", "any", "80"],
    ["-connecttcp", "80", "any"],
    ["-connecttcp", "any", "-connecttcp", "80"],
    ["-connecttcp", "80", "-connecttcp", "any"],
    ["-connecttcp", "-connecttcp", "any"],
  ]) {
    const { stderr, code } = landlockRestrict([...words, "--", "true"]);
    expect(stderr).toContain("-connecttcp: any means every port, but ");
    expect(code).toBe(125);
  }
});

describe("+ignore_missing skips paths that do not exist, and grants the others", () => {
  const folder = tempDir();
  for (const option of ["-ro", "-rw", "-rofiles", "-rwfiles"]) {
    testFromAbi(1, option, async () => {
      const file = join(folder, "file");
      await Bun.write(file, "text");
      const paths = [file, join(folder, "gone")];
      const cat = (...words: string[]) => sh(`cat ${file}`, words);
      expect(cat().stderr).toContain("Permission denied");
      expect(cat(option, ...paths).code).toBe(125);
      expect(cat(option, "+ignore_missing", ...paths)).toEqual({
        stdout: "text",
        stderr: "",
        code: 0,
      });
      // A path that exists but cannot be opened must not be reported as missing.
      expect(cat(option, "+ignore_missing", "a".repeat(256)).code).toBe(125);
      const plan = landlockRestrict(["plan", option, "+ignore_missing", ...paths]);
      expect(plan.stdout).toContain(`granted:     ${paths[1]} (if it exists): execute`);
    });
  }
});

testFromAbi(6, "landlock-restrict -scoped keeps signals inside", async () => {
  const script = `kill -0 ${process.pid} && echo reached`;
  expect(sh(script).stdout).toBe("reached\n");
  expect(sh(script, ["-scoped"]).stderr).toContain("Operation not permitted");
});

testFromAbi(1, "landlock-restrict nests, and only narrows", async () => {
  const inner = [...cli, "-rw", "/", "--", "cat", "/etc/hostname"];
  const outer = (paths: string[]) => landlockRestrict(["-ro", ...paths, "--", ...inner]);
  expect(outer(["/"]).code).toBe(0);
  const bun = join(process.execPath, "..");
  const source = join(import.meta.dir, "..");
  const narrow = outer(["/usr", "/bin", "/lib", "/proc", "/sys", bun, source]);
  expect(narrow.stderr).toContain("Permission denied");
});

test("landlock-restrict status names the ABI, or the reason there is none", () => {
  const text = landlockRestrict(["status"]);
  expect(text.code).toBe(0);
  expect(text.stdout).toContain(kernelAbi > 0 ? `ABI ${kernelAbi}` : "Remedy:");
  const json = JSON.parse(landlockRestrict(["status", "--json"]).stdout);
  expect(json).toMatchObject({ abi: kernelAbi, state: expect.any(String) });
});
