/** What one run learns holds in the next, and grants nothing that only looked needed. */
import { describe, expect, test } from "bun:test";
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { loadPolicy, type FsRule, type Rule } from "../../src/index.ts";
import { Coverage } from "../../src/advise/coverage.ts";
import { draft } from "../../src/advise/draft.ts";
import { Collector } from "../../src/advise/collector.ts";
import { Places } from "../../src/advise/places.ts";
import { GoverningPlaces } from "../../src/advise/governing-places.ts";
import { Secrets } from "../../src/advise/secrets.ts";
import { isTemporary } from "../../src/advise/zones.ts";
import type { Observation } from "../../src/trace/observation.ts";
import { kernelAbi, tempDir, testUnless } from "../harness.ts";
import { needsStrace } from "../observe/strace.ts";
import { Scene } from "./scene.ts";

const missing = needsStrace || (kernelAbi < 1 ? "needs Landlock" : "");

function fsRules(rules: readonly Rule[]): readonly FsRule[] {
  return rules.filter((rule) => rule.kind === "fs") as FsRule[];
}

/** All rights that rules grant on a path, including those for directories above it. */
function rightsOn(scene: Scene, path: string): string[] {
  const rules = fsRules(loadPolicy(scene.policy).rules);
  const found = rules.filter(({ paths }) =>
    paths.some((one) => path === one || path.startsWith(`${one}/`)),
  );
  return [...new Set(found.flatMap(({ access }) => access))].sort();
}

function presetsOf(scene: Scene): string[] {
  const policy = Bun.TOML.parse(readFileSync(scene.policy, "utf8")) as { presets?: string[] };
  return policy.presets ?? [];
}

describe("secrets", () => {
  testUnless(missing, "a move out of a folder of secrets grants nothing on it", async () => {
    for (const [command, prepare] of [
      ["mv ../home/.ssh/new q/kh", []],
      ["ln ../home/.ssh/new q/kh", []],
      ["mv q/old ../home/.ssh/old", ["q/old"]],
      ["mv -T ../home/.ssh q/all", []],
    ] as const) {
      const scene = new Scene(tempDir());
      mkdirSync(join(scene.project, "q"));
      writeFileSync(join(scene.home, ".ssh/new"), "x");
      for (const name of prepare) scene.write(name, "x");
      const { code, stderr } = await scene.learn(["sh", "-c", command]);
      expect([command, code]).toEqual([command, 0]);
      expect(rightsOn(scene, join(scene.home, ".ssh/id"))).toEqual([]);
      expect(stderr).toContain("Used, but not granted");
    }
  });

  testUnless(
    missing,
    "a secret of the project that goes by another name grants nothing",
    async () => {
      for (const command of ["mv .env q/e && cat q/e", "ln .env q/e && cat q/e", "mv q/x .env"]) {
        const scene = new Scene(tempDir());
        for (const name of [".env", "q/x", "other"]) scene.write(name, name);
        const { code, stderr } = await scene.learn(["sh", "-c", command]);
        expect([command, code]).toEqual([command, 0]);
        expect(stderr).toContain('"${PROJECT}/.env": refer');
        for (const name of [".env", "other"]) {
          expect([name, rightsOn(scene, join(scene.project, name))]).toEqual([name, []]);
        }
      }
    },
  );

  test("a tree that is too large to look through may hold a secret", () => {
    const folder = tempDir();
    const secrets = new Secrets(undefined);
    for (let i = 0; i < 30; i++) writeFileSync(join(folder, `f${i}`), "");
    expect(secrets.within(folder, { limit: 30 })).toEqual({ found: [], complete: true });
    expect(secrets.within(folder, { limit: 29 })).toEqual({ found: [], complete: false });
  });

  test("names that are not UTF-8 and names with line breaks are looked at too", () => {
    const folder = tempDir();
    const inside = Buffer.concat([Buffer.from(`${folder}/d`), Buffer.of(0xff)]);
    mkdirSync(inside);
    writeFileSync(Buffer.concat([inside, Buffer.from("/id_rsa")]), "");
    writeFileSync(join(folder, ".env.a\nb"), "");
    const { found } = new Secrets(undefined).within(folder);
    expect(found.toSorted()).toEqual([`${folder}/.env.a\nb`, `${folder}/d\udcff/id_rsa`]);
  });
});

describe("programs", () => {
  testUnless(
    missing,
    "bun=children is for what was a Bun, by its file and not by its name",
    async () => {
      const scene = new Scene(tempDir());
      await scene.learn(["sh", "-c", "cat /proc/self/comm; true"]);
      expect(presetsOf(scene)).not.toContain("bun=children");
      expect(rightsOn(scene, "/proc/1")).toEqual([]);
      rmSync(scene.policy);
      copyFileSync("/bin/cat", join(scene.project, "bun"));
      await scene.learn(["sh", "-c", "./bun /proc/self/comm; true"]);
      expect(presetsOf(scene)).not.toContain("bun=children");
      rmSync(scene.policy);
      symlinkSync(process.execPath, join(scene.project, "tool"));
      await scene.learn(["sh", "-c", "./tool -e 0"]);
      expect(presetsOf(scene)).toContain("bun=children");
    },
  );

  testUnless(missing, "a program is named only if PATH finds the same file", async () => {
    const scene = new Scene(tempDir());
    for (const name of ["tool", "cat"]) {
      scene.write(name, "#!/bin/sh\necho mine\n");
      chmodSync(join(scene.project, name), 0o755);
    }
    for (const inside of [true, false]) {
      const policy = inside ? join(scene.project, "p.toml") : scene.policy;
      const command = ["sh", "-c", "./tool; ./cat"];
      expect((await scene.run(scene.learning(policy, command))).code).toBe(0);
      const { presets } = Bun.TOML.parse(readFileSync(policy, "utf8")) as { presets: string[] };
      const folder = inside ? "./" : "${PROJECT}/";
      expect(presets).toEqual(
        expect.arrayContaining([`executable=${folder}tool`, `executable=${folder}cat`]),
      );
      expect(presets).not.toContain("executable=cat");
    }
  });
});

testUnless(
  missing,
  "a program of the project is named by its path, though PATH has it",
  async () => {
    const scene = new Scene(tempDir());
    scene.write("node_modules/.bin/tool", "#!/bin/sh\necho mine\n");
    chmodSync(join(scene.project, "node_modules/.bin/tool"), 0o755);
    const learning = scene.learning(scene.policy, ["tool"]);
    const { code } = await scene.run([
      "sh",
      "-c",
      'PATH=$PWD/node_modules/.bin:$PATH exec "$@"',
      "sh",
      ...learning,
    ]);
    expect(code).toBe(0);
    expect(presetsOf(scene)).toContain("executable=${PROJECT}/node_modules/.bin/tool");
  },
);

test("names drawn at random are no paths of a policy, but for those the project goes by", () => {
  const around = { project: "/tmp/work-a1B2c3/p", home: "/tmp/tmp.Xy12Zw/home" };
  const drawn = ["tmp.V8bXq3aZ1k", "ssh-XXXXXX9f3k/agent.17", "x-aBcDeF/y", "_MEIx9Y2kk"];
  const plain = [
    "input.txt",
    "work-a1B2c3/p/a",
    "work-a1B2c3/q",
    "tmp.Xy12Zw/home",
    "foo-backup",
    "a/b.c1d2e3",
  ];
  const isDrawn = (name: string) => isTemporary(`/tmp/${name}`, ["/tmp"], around);
  expect(drawn.filter((name) => !isDrawn(name))).toEqual([]);
  expect(plain.filter(isDrawn)).toEqual([]);
  expect(isTemporary("/srv/tmp.V8bXq3aZ1k", ["/tmp"], around)).toBe(false);
});

describe("what is another one each time", () => {
  testUnless(
    missing,
    "processes, control groups and terminals are no paths of a policy",
    async () => {
      const scene = new Scene(tempDir());
      const { stderr } = await scene.learn([
        "sh",
        "-c",
        "cat /proc/$$/stat /proc/1/stat; cat /proc/self/comm; : </proc/self/status; true",
      ]);
      const text = readFileSync(scene.policy, "utf8");
      expect(text).not.toMatch(/\/proc\/\d/);
      expect(stderr).toContain("it is the /proc directory of one process");
      expect(stderr).toContain('"/proc/PID/stat": read_file');
      // The first process of a run later loads the policy, so its files are granted as /proc/self.
      expect(rightsOn(scene, "/proc/self/status")).toContain("read_file");
      expect(rightsOn(scene, "/proc/1/stat")).toEqual([]);
    },
  );

  test("the path of a control group stands for all of them", () => {
    const places = new Places(0n);
    const path = "/sys/fs/cgroup/user.slice/session-4711.scope/cpu.max";
    expect(places.anchor(path)).toMatchObject({ path: "/sys/fs/cgroup", instead: true });
    expect(places.anchor("/dev/pts/7")).toMatchObject({ path: "/dev/pts", instead: true });
  });

  testUnless(missing, "a fixed port is a rule, wherever it is", async () => {
    const scene = new Scene(tempDir());
    // Ports above and below the range that the kernel picks from.
    const ports = [51_820, 33_000, 60_999, 5353];
    const script = ports.map((port) => `echo x >/dev/udp/127.0.0.1/${port}`).join("; ");
    await scene.learn(["bash", "-c", script]);
    const { bindUdp, connectSendUdp } = Bun.TOML.parse(readFileSync(scene.policy, "utf8")) as {
      bindUdp: number[];
      connectSendUdp: number[];
    };
    expect([bindUdp, connectSendUdp]).toEqual([[0], ports.toSorted((a, b) => a - b)]);
  });

  testUnless(missing, "a port that the kernel picked for the run is none, in UDP too", async () => {
    const scene = new Scene(tempDir());
    const script = `
      const server = require("node:dgram").createSocket("udp4");
      server.bind(0, "127.0.0.1", () => {
        const client = require("node:dgram").createSocket("udp4");
        client.send("x", server.address().port, "127.0.0.1", () => client.close());
      });
      server.on("message", () => process.exit(0));`;
    const { code, stderr } = await scene.learn(["bun", "-e", script]);
    expect(code).toBe(0);
    const policy = Bun.TOML.parse(readFileSync(scene.policy, "utf8"));
    expect(policy).toMatchObject({ bindUdp: [0] });
    expect(policy).not.toContainKey("connectSendUdp");
    expect(stderr).toMatch(/the kernel picks another port each time[^]*connect_send_udp \d+/);
  });
});

/** Builds like most tools: empties its output folder, then fills it. */
const build = "mkdir -p dist/assets && rm -rf dist/assets/* && cp src/a dist/assets/a && ls dist";

describe("directories that a run makes", () => {
  testUnless(missing, "are made by the policy: twice, and after they were removed", async () => {
    const scene = new Scene(tempDir());
    for (const name of ["src/a", ".git/hooks/pre-commit", ".git/config"]) scene.write(name, name);
    const output = join(scene.project, "dist");
    const command = ["sh", "-c", build];
    expect(await scene.learn(command)).toMatchObject({ stdout: "assets\n", code: 0 });
    const good = { stdout: "assets\n", stderr: "", code: 0 };
    expect(await scene.restricted(command)).toEqual(good);
    expect((await scene.learn(command, {}, ["-merge"])).stderr).toContain("needs nothing more");
    rmSync(output, { recursive: true });
    expect(await scene.restricted(command)).toEqual(good);
    expect(await scene.restricted(command)).toEqual(good);
    for (const path of ["", ".git/hooks/pre-commit", ".git/new", "src/a", "new"]) {
      const rights = rightsOn(scene, join(scene.project, path));
      expect([path, rights.filter((right) => !/^(execute|read_)/.test(right))]).toEqual([path, []]);
    }
  });

  testUnless(missing, "may be removed too if they were there when it was learned", async () => {
    const scene = new Scene(tempDir());
    for (const name of ["src/a", "dist/old"]) scene.write(name, name);
    const command = ["sh", "-c", `rm -f dist/* 2>/dev/null; echo new >dist/a; cat dist/a`];
    expect((await scene.learn(command)).code).toBe(0);
    rmSync(join(scene.project, "dist"), { recursive: true });
    expect(await scene.restricted(command)).toEqual({ stdout: "new\n", stderr: "", code: 0 });
  });

  testUnless(missing, "and that a person granted as they are, are told about", async () => {
    const scene = new Scene(tempDir());
    scene.write("src/a", "a");
    writeFileSync(
      scene.policy,
      `bestEffort = true\nro = ["/usr", "/etc"]\nrw = ["project/dist"]\n`,
    );
    const { stderr } = await scene.learn(["sh", "-c", build], {}, ["-merge"]);
    expect(stderr).toContain('Put them under paths with ifMissing = "create":');
    expect(stderr).toContain("  ${PROJECT}/dist\n");
  });

  testUnless(missing, "in a home directory come with those above them", async () => {
    const scene = new Scene(tempDir());
    const command = ["sh", "-c", "mkdir -p ~/.cache/tool/v1 && echo x >~/.cache/tool/v1/a"];
    expect((await scene.learn(command)).code).toBe(0);
    rmSync(join(scene.home, ".cache"), { recursive: true });
    expect(await scene.restricted(command)).toEqual({ stdout: "", stderr: "", code: 0 });
    expect(rightsOn(scene, join(scene.home, ".bashrc"))).toEqual([]);
    expect(rightsOn(scene, join(scene.home, ".cache/other"))).toEqual([]);
  });

  testUnless(missing, "and that it removes again are no rules of their own", async () => {
    const scene = new Scene(tempDir());
    scene.write("src/.keep", "");
    const command = ["sh", "-c", "mkdir src/t && echo x >src/t/a && mv src/t src/u && rm -r src/u"];
    expect((await scene.learn(command)).code).toBe(0);
    expect(readFileSync(scene.policy, "utf8")).not.toMatch(/src\/[tu]/);
    expect(await scene.restricted(command)).toEqual({ stdout: "", stderr: "", code: 0 });
  });
});

testUnless(
  missing,
  "one file beside .git makes neither hooks nor the project writable, and is told about",
  async () => {
    const scene = new Scene(tempDir());
    for (const name of [".git/hooks/pre-commit", "a"]) scene.write(name, name);
    const command = ["sh", "-c", "echo new >out.txt; cat out.txt; ls"];
    const { stderr } = await scene.learn(command);
    expect(stderr).toContain("decide what runs later");
    expect(stderr).toContain('"${PROJECT}": write_file, read_file, make_reg, truncate');
    const none = (path: string) =>
      rightsOn(scene, join(scene.project, path)).filter((right) => right !== "read_dir");
    for (const path of [".git/hooks/pre-commit", ".git/hooks/new", "a", "new"]) {
      expect([path, none(path)]).toEqual([path, []]);
    }
    // It may rewrite the file it created, while that exists.
    expect(await scene.restricted(command)).toMatchObject({ code: 0, stderr: "" });
    rmSync(join(scene.project, "out.txt"));
    expect((await scene.restricted(command)).stderr).toContain("Permission denied");
  },
);

/** The policy drafted from observations in a project with these files. */
function drafted(project: string, operations: readonly object[]) {
  const collector = new Collector();
  for (const operation of operations) {
    const one = { kind: "attempt", pid: 1, process: 1, program: "/bin/x", call: "x", layers: 0 };
    collector.add({ ...one, operation } as Observation);
  }
  const secrets = new Secrets(undefined, project);
  const governing = new GoverningPlaces(undefined, project);
  const around = { project, home: undefined, secrets, governing };
  const needs = collector.needs(new Places(BigInt(Date.now() + 60_000) * 1_000_000n), around);
  return draft(needs, new Coverage(), around);
}

testUnless(missing, "files that became something else meanwhile do not end the run", async () => {
  const scene = new Scene(tempDir());
  scene.write("d/a", "x");
  const loop = "rm -r f; ln -s f f; cat d/a; rm -r d; echo y >d";
  const command = ["sh", "-c", `mkdir f; echo x >f/a; cat f/a; ${loop}`];
  const { code, stderr } = await scene.learn(command);
  expect([code, stderr]).toEqual([0, expect.stringContaining(": written, after")]);
});

test("what is written does not fold to a directory with hooks in it", () => {
  const project = tempDir();
  const files = ["a", "b", "c", "d"].map((name) => join(project, "deep", name));
  mkdirSync(join(project, "deep"));
  for (const path of files) writeFileSync(path, "");
  const writes = files.map((path) => ({ kind: "open", path, write: true }));
  expect([...drafted(project, writes).grants.keys()]).toEqual([join(project, "deep")]);
  mkdirSync(join(project, "deep/.husky"));
  expect([...drafted(project, writes).grants.keys()].sort()).toEqual(files);
  const { withheld } = drafted(project, [
    { kind: "open", path: join(project, "deep/.husky"), write: true },
  ]);
  expect(withheld).toMatchObject([{ what: join(project, "deep/.husky"), reason: "later" }]);
  writeFileSync(join(project, "package.json"), "{}");
  const made = { kind: "make", path: join(project, "new"), type: "regular" };
  expect(drafted(project, [made]).withheld.map(({ reason }) => reason)).toEqual(["governing"]);
  rmSync(join(project, "deep/.husky"), { recursive: true });
  expect(drafted(project, [made]).governing).toEqual([join(project, "package.json")]);
});
