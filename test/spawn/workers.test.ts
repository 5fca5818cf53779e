/** Commands started by Workers, and commands of other users. */
import { expect } from "bun:test";
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { inSubprocess, kernelAbi, tempDir, testFromAbi, testUnless } from "../harness.ts";

const library = join(import.meta.dir, "../../src/index.ts");

/** Starts commands on request; `early` starts one before it answers that it is ready. */
const worker = `
  const { landlock, roDirs, rwFiles } = require(${JSON.stringify(library)});
  const system = [roDirs("/usr", "/bin"), roDirs("/lib", "/lib64").ignoreIfMissing(), rwFiles("/dev/null")];
  let ruleset;
  function start(command, options) {
    ruleset ??= landlock.V1.ruleset(...system);
    const { stdout, stderr, exitCode } = ruleset.spawnSync(command, options);
    return [exitCode, stdout.toString(), stderr.toString()].join(" ").trim();
  }
  async function startLater(command, options) {
    ruleset ??= landlock.V1.ruleset(...system);
    const child = ruleset.spawn(command, { ...options, stderr: "pipe" });
    const [out, err] = await Promise.all([child.stdout.text(), child.stderr.text()]);
    return [await child.exited, out, err].join(" ").trim();
  }
  onmessage = async ({ data: { command, options } }) => {
    const answers = [];
    for (const way of [start, startLater]) {
      try {
        answers.push(await way(command, options));
      } catch (error) {
        answers.push(error.code + ": " + error.message);
      }
    }
    postMessage(answers);
  };
  postMessage("ready");`;

testFromAbi(1, "Workers from before restrictSelf() start commands after it", async () => {
  const secret = join(tempDir(), "secret");
  writeFileSync(secret, "text");
  const seen = await inSubprocess(
    { worker, secret },
    async ({ landlock, outcome, roDirs, rwFiles }, { worker, secret }) => {
      const { readFileSync } = await import("node:fs");
      const url = URL.createObjectURL(new Blob([worker], { type: "application/javascript" }));
      const started = () =>
        new Promise<Worker>((done) => {
          const one = new Worker(url);
          one.onmessage = () => done(one);
        });
      const ask = (one: Worker, command: string[]) =>
        new Promise<unknown>((done) => {
          one.onmessage = ({ data }) => done(data);
          one.postMessage({ command, options: {} });
        });
      const idle = await started();
      const used = await started();
      const before = await ask(used, ["cat", secret]);
      const system = [roDirs("/usr", "/bin", "/proc"), roDirs("/lib", "/lib64").ignoreIfMissing()];
      landlock.V1.restrictPaths(...system, rwFiles("/dev/null"));
      return {
        itself: outcome(() => readFileSync(secret)),
        before,
        idle: [await ask(idle, ["echo", "a"]), await ask(idle, ["cat", secret])],
        used: [await ask(used, ["echo", "a"]), await ask(used, ["cat", secret])],
      };
    },
  );
  const denied = `1  cat: ${secret}: Permission denied`;
  const both = [
    ["0 a", "0 a"],
    [denied, denied],
  ];
  expect(seen).toMatchObject({
    itself: "EACCES",
    before: [denied, denied],
    idle: both,
    used: both,
  });
});

testFromAbi(1, "commands of Workers and of the main thread leave no descriptor", async () => {
  const seen = await inSubprocess(
    { worker },
    async ({ landlock, roDirs }, { worker }) => {
      const { readdirSync } = await import("node:fs");
      const url = URL.createObjectURL(new Blob([worker], { type: "application/javascript" }));
      const inWorker = () =>
        new Promise<unknown>((done) => {
          const one = new Worker(url);
          one.onmessage = ({ data }) => {
            if (data === "ready") {
              for (let i = 0; i < 3; i++) one.postMessage({ command: ["true"], options: {} });
              one.postMessage({ command: ["echo", "last"], options: {} });
            } else if (String(data).includes("last")) {
              one.addEventListener("close", () => done(data));
              one.terminate();
            }
          };
        });
      using ruleset = landlock.V1.ruleset(roDirs("/"));
      const round = async () => {
        await inWorker();
        for (let i = 0; i < 50; i++) ruleset.spawnSync(["true"]);
        await Promise.all(Array.from({ length: 10 }, () => ruleset.spawn(["true"]).exited));
        Bun.gc(true);
        await Bun.sleep(50);
        return readdirSync("/proc/self/fd").map((fd) => {
          try {
            return require("node:fs").readlinkSync(`/proc/self/fd/${fd}`) as string;
          } catch {
            return "";
          }
        });
      };
      await round();
      const before = await round();
      for (let i = 0; i < 6; i++) await round();
      const after = await round();
      const ours = (all: string[]) => all.filter((link) => /eventfd|landlock|pipe/.test(link));
      return { before: ours(before).sort(), after: ours(after).sort() };
    },
    { timeoutMs: 40_000 },
  );
  // Each Worker must close its own Ruleset, and these did not.
  const rulesets = (all: string[]) => all.filter((link) => link.includes("landlock-ruleset"));
  const others = (all: string[]) => all.filter((link) => !link.includes("landlock-ruleset"));
  expect(others(seen.after)).toEqual(others(seen.before));
  expect(rulesets(seen.after).length).toBeGreaterThan(0);
});

const limits = [
  "grep",
  "-hE",
  "open files|^Sig(Blk|Ign)",
  "/proc/self/limits",
  "/proc/self/status",
];

testFromAbi(1, "limits and ignored signals of a command are those that Bun leaves it", async () => {
  const script = join(tempDir(), "limits.ts");
  writeFileSync(
    script,
    `import { landlock, roDirs, rwDirs } from ${JSON.stringify(library)};
    const command = ${JSON.stringify(limits)};
    function compare() {
      using ruleset = landlock.V1.ruleset(roDirs("/"), rwDirs("/dev"));
      const plain = Bun.spawnSync(command).stdout.toString();
      const own = ruleset.spawnSync(command).stdout.toString();
      return { same: own === plain, plain };
    }
    if (Bun.isMainThread) {
      const { same, plain } = compare();
      const inWorker = await new Promise((done) => {
        new Worker(import.meta.path).onmessage = ({ data }) => done(data);
      });
      console.log(JSON.stringify([same, inWorker.same, plain]));
      process.exit(0);
    } else postMessage(compare());`,
  );
  const shell = 'trap "" HUP USR1 PIPE; ulimit -Sn 900; exec "$0" "$1"';
  const child = Bun.spawnSync(["sh", "-c", shell, process.execPath, script], { stderr: "inherit" });
  const [same, inWorker, said] = JSON.parse(child.stdout.toString()) as [boolean, boolean, string];
  expect([same, inWorker]).toEqual([true, true]);
  expect(said).toMatch(/Max open files +\d+/);
  expect(said).toMatch(/SigIgn:\s+0000000000000000/);
});

const rootOnly = kernelAbi === 0 ? "needs Landlock" : process.getuid?.() === 0 ? "" : "needs root";

testUnless(rootOnly, "commands of another user and group start, and are restricted", async () => {
  const dir = tempDir();
  chmodSync(dir, 0o755);
  for (const name of ["allowed", "denied"]) {
    mkdirSync(join(dir, name), { mode: 0o755 });
    writeFileSync(join(dir, name, "file"), "text", { mode: 0o644 });
  }
  const seen = await inSubprocess({ dir }, async ({ landlock, roDirs, rwFiles }, { dir }) => {
    const system = [roDirs("/usr", "/bin"), roDirs("/lib", "/lib64").ignoreIfMissing()];
    using ruleset = landlock.V1.ruleset(...system, rwFiles("/dev/null"), roDirs(`${dir}/allowed`));
    const script = `id -u; id -g; cat ${dir}/allowed/file; cat ${dir}/denied/file`;
    const command = ["sh", "-c", script];
    const run = (options: object) => {
      const { stdout, stderr } = ruleset.spawnSync(command, options);
      return `${stdout.toString()} ${stderr.toString()}`;
    };
    const child = ruleset.spawn({ cmd: command, uid: 65534, gid: 65534, stderr: "pipe" });
    const text = `${await child.stdout.text()} ${await child.stderr.text()}`;
    const outcomes = [run({ uid: 65534, gid: 65534 }), run({ uid: 65534 }), run({ gid: 65534 })];
    // From here on, other processes cannot inspect this one.
    process.setgid!(65534);
    process.setuid!(65534);
    return { outcomes, text, dropped: run({}) };
  });
  const expected = (uid: number, gid: number) =>
    `${uid}\n${gid}\ntext cat: ${dir}/denied/file: Permission denied\n`;
  expect(seen).toEqual({
    outcomes: [expected(65534, 65534), expected(65534, 0), expected(0, 65534)],
    text: expected(65534, 65534),
    dropped: expected(65534, 65534),
  });
});

testFromAbi(1, "messages reach a command through the number that it was told", async () => {
  const script = join(tempDir(), "child.js");
  writeFileSync(
    script,
    `process.on("message", (message) => {
      const environment = require("node:fs").readFileSync("/proc/self/environ", "latin1");
      process.send({ message, fd: /NODE_CHANNEL_FD=(\\d+)/.exec(environment)[1] });
      process.disconnect();
    });`,
  );
  const seen = await inSubprocess({ script }, async ({ landlock }, { script }) => {
    using ruleset = landlock.config({ fs: ["make_reg"] }).ruleset();
    const answers: unknown[] = [];
    for (const serialization of ["advanced", "json"] as const) {
      for (const more of [[], ["pipe"], ["ignore", "ipc", "pipe"], ["ipc"]] as const) {
        const stdio = ["ignore", "ignore", "inherit", ...more];
        answers.push(
          await new Promise((done) => {
            const child = ruleset.spawn([process.execPath, script], {
              ipc: done,
              serialization,
              stdio,
            } as unknown as Bun.SpawnOptions.SpawnOptions<"ignore", "ignore", "inherit">);
            child.send({ a: 1 });
          }),
        );
      }
    }
    return answers;
  });
  const numbers = ["3", "4", "4", "3"];
  const answers = numbers.map((fd) => ({ message: { a: 1 }, fd }));
  expect(seen).toEqual([...answers, ...answers]);
});
