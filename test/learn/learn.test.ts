/** `landlock-restrict learn` as users run it. */
import { describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { kernelAbi, tempDir, testUnless } from "../harness.ts";
import { needsStrace } from "../observe/strace.ts";
import { onTerminal } from "../pty.ts";
import { Scene } from "./scene.ts";

const missing = needsStrace || (kernelAbi < 1 ? "needs Landlock" : "");

type Policy = Record<string, unknown> & { presets?: string[]; unrestricted?: string[] };

function policyOf(scene: Scene): Policy {
  return Bun.TOML.parse(readFileSync(scene.policy, "utf8")) as Policy;
}

describe("what cannot be learned is said before anything runs", () => {
  const folder = tempDir();
  const exists = join(folder, "exists.toml");
  const foreign = join(folder, "foreign.toml");
  const broken = join(folder, "broken.toml");
  writeFileSync(exists, "bestEffort = true\n");
  writeFileSync(
    foreign,
    "abi = 4\n[[path_beneath]]\nallowed_access = ['read_file']\nparent = ['/usr']\n",
  );
  writeFileSync(broken, "presets = ['none']\n");
  const ran = ["--", "touch", join(folder, "ran")];
  const cases: [string, string[], number, string][] = [
    ["no file", [...ran], 125, "add -o FILE"],
    ["no command", ["-o", join(folder, "a.toml")], 125, "put it after --"],
    ["an unknown option", ["-x", ...ran], 125, '"-x"'],
    ["two files", ["-o", "a.toml", "-o", "b.toml", ...ran], 125, '"-o"'],
    ["another format", ["-o", join(folder, "a.json"), ...ran], 125, "something.toml"],
    ["no folder", ["-o", join(folder, "none/a.toml"), ...ran], 125, "create it"],
    ["a file that exists", ["-o", exists, ...ran], 125, "add -merge"],
    ["landlockconfig", ["-merge", "-o", foreign, ...ran], 125, "landlockconfig"],
    ["a broken policy", ["-merge", "-o", broken, ...ran], 125, '"none" is not a preset'],
    ["no such command", ["-o", join(folder, "a.toml"), "--", "no-such-command"], 127, "on PATH"],
  ];
  const cli = join(import.meta.dir, "../../src/cli.ts");
  for (const [name, words, code, message] of cases) {
    test(name, () => {
      const done = Bun.spawnSync([process.execPath, cli, "learn", ...words], { cwd: folder });
      expect(done.stderr.toString()).toContain(message);
      expect(done.exitCode).toBe(code);
      expect(existsSync(join(folder, "ran"))).toBe(false);
      expect(readFileSync(exists, "utf8")).toBe("bestEffort = true\n");
    });
  }
});

testUnless(
  missing,
  "the command keeps its output and its status, and is learned though it fails",
  async () => {
    const scene = new Scene(tempDir());
    scene.write("data", "text");
    const command = ["sh", "-c", "cat data; cat none; exit 7"];
    const { stdout, stderr, code } = await scene.learn(command);
    expect([stdout, code]).toEqual(["text", 7]);
    expect(stderr).toStartWith("cat: none: No such file or directory\n");
    expect(policyOf(scene)["roFiles"]).toContain("${PROJECT}/data");
    const again = await scene.restricted(command);
    expect(again).toEqual({ stdout, stderr: "cat: none: No such file or directory\n", code });
  },
);

testUnless(missing, "a signal to learn ends the command, and leaves a policy", async () => {
  const scene = new Scene(tempDir());
  scene.write("data", "text");
  const drive = async (child: Bun.Subprocess<Blob | "ignore", "pipe", "pipe">) => {
    while (!existsSync(join(scene.project, "ready"))) await Bun.sleep(10);
    child.kill("SIGTERM");
  };
  const { code } = await scene.learn(["sh", "-c", "cat data; touch ready; exec sleep 60"], {
    drive,
  });
  expect(code).toBe(143);
  expect(policyOf(scene).presets).toContain("executable=touch");
});

testUnless(missing, "--json says it all on one line", async () => {
  const scene = new Scene(tempDir());
  writeFileSync(join(scene.home, ".netrc"), "machine x");
  const command = ["cat", join(scene.home, ".netrc")];
  const { stdout, stderr } = await scene.learn(command, {}, ["--json"]);
  expect(stdout).toBe("machine x");
  expect(JSON.parse(stderr)).toMatchObject({
    policy: scene.policy,
    changed: true,
    ending: { exitCode: 0, signal: null },
    withheld: [{ what: join(scene.home, ".netrc"), rights: ["read_file"], reason: "secret" }],
  });
});

testUnless(
  missing,
  "-merge extends a policy by what another run needs, and shows how",
  async () => {
    const scene = new Scene(tempDir());
    scene.write("a", "a");
    scene.write("b", "b");
    await scene.learn(["cat", "a"]);
    const first = `# Mine.\n${readFileSync(scene.policy, "utf8")}`;
    writeFileSync(scene.policy, first);
    expect((await scene.restricted(["cat", "a", "b"])).stderr).toBe("cat: b: Permission denied\n");
    const { stderr, code } = await scene.learn(["cat", "a", "b"], {}, ["-merge"]);
    expect(code).toBe(0);
    expect(stderr).toMatch(/^\+.*"\$\{PROJECT\}\/b"/m);
    const text = readFileSync(scene.policy, "utf8");
    const kept = text.split("\n").filter((line) => !line.includes("PROJECT}/b"));
    expect(kept.join("\n")).toContain("# Mine.\n");
    expect(await scene.restricted(["cat", "a", "b"])).toEqual({
      stdout: "ab",
      stderr: "",
      code: 0,
    });
    const third = await scene.learn(["cat", "a", "b"], {}, ["-merge"]);
    expect(third.stderr).toContain("needs nothing more");
    expect(readFileSync(scene.policy, "utf8")).toBe(text);
  },
);

testUnless(
  missing,
  "files that go from one directory to another keep the rights they had",
  async () => {
    const scene = new Scene(tempDir());
    mkdirSync(join(scene.project, "in"));
    mkdirSync(join(scene.project, "out"));
    const command = [
      "sh",
      "-c",
      "mv in/a out/a && echo more >>out/a && cat out/a && mv out/a in/b && ln in/b out/c",
    ];
    const prepare = () => {
      scene.write("in/a", "text\n");
      for (const name of ["in/b", "out/c"]) Bun.spawnSync(["rm", "-f", join(scene.project, name)]);
    };
    prepare();
    expect(await scene.learn(command)).toMatchObject({ stdout: "text\nmore\n", code: 0 });
    prepare();
    expect(await scene.restricted(command)).toMatchObject({
      stdout: "text\nmore\n",
      stderr: "",
      code: 0,
    });
  },
);

testUnless(missing, "signals to others, sockets and ports: only what was used", async () => {
  const scene = new Scene(tempDir());
  using server = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
  const other = Bun.spawn(["sleep", "60"]);
  try {
    const script = (pid: number) => `</dev/tcp/127.0.0.1/${server.port}; kill -0 ${pid}`;
    expect((await scene.learn(["bash", "-c", script(other.pid)])).code).toBe(0);
    expect(policyOf(scene)).toMatchObject({ connectTcp: [server.port], unrestricted: ["scoped"] });
    expect((await scene.restricted(["bash", "-c", script(other.pid)])).code).toBe(0);
  } finally {
    other.kill();
  }
});

testUnless(missing, "a port that the kernel picked is no rule", async () => {
  const scene = new Scene(tempDir());
  const script = `
    const server = Bun.serve({ port: 0, fetch: () => new Response("hi") });
    console.log(await (await fetch(server.url)).text());
    process.exit(0);`;
  const { stdout, stderr } = await scene.learn(["bun", "-e", script]);
  expect(stdout).toBe("hi\n");
  expect(policyOf(scene)).toMatchObject({ bindTcp: [0] });
  expect(policyOf(scene)).not.toContainKey("connectTcp");
  expect(stderr).toMatch(/the kernel picks another port each time[^]*connect_tcp \d+/);
});

testUnless(
  missing,
  "on a terminal: a line that says how far it is, colours, and ^C ends the command and not learn",
  async () => {
    const scene = new Scene(tempDir());
    const { HOME } = process.env;
    const cli = join(import.meta.dir, "../../src/cli.ts");
    const command = ["sh", "-c", ": </dev/null; echo ready; while :; do : </dev/null; done"];
    const { text, code } = await onTerminal(
      [process.execPath, cli, "learn", "-o", scene.policy, "--", ...command],
      80,
      { HOME: HOME ?? scene.home },
      { after: /ready[^]*learning: |learning: [^]*ready/, type: "\u0003" },
    );
    expect(text).toMatch(/\r\u001b\[2Klearning: \d+ operations/);
    expect(text).toContain(`\u001b[1m${scene.policy}\u001b[22m: written`);
    expect(code).toBe(130);
    expect(policyOf(scene)["roFiles"]).toContain("/dev/null");
  },
);
