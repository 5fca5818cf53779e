/** The caller's own code in a call of `spawn()`: getters, methods of values, callbacks. */
import { expect } from "bun:test";
import { inSubprocess, tempDir, testFromAbi } from "../harness.ts";

testFromAbi(1, "a getter that closes the ruleset is an error, and nothing starts", async () => {
  const seen = await inSubprocess({ dir: tempDir() }, ({ landlock, thrown }, { dir }) => {
    const { existsSync } = require("node:fs") as typeof import("node:fs");
    const results: Record<string, unknown> = {};
    const command = ["touch", `${dir}/started`];
    const ways: Record<string, (close: () => void) => unknown[]> = {
      "an option": (close) => [command, Object.defineProperty({}, "cwd", { get: close })],
      cmd: (close) => [Object.defineProperty({}, "cmd", { get: () => (close(), command) })],
      "a word": (close) => [[...command, { toString: () => (close(), "other") }]],
      "an entry of stdio": (close) => [
        command,
        { stdio: Object.defineProperty(["ignore"], "1", { get: close }) },
      ],
      "a variable": (close) => [
        command,
        { env: Object.defineProperty({}, "A", { enumerable: true, get: close }) },
      ],
      argv0: (close) => [command, { argv0: { toString: () => (close(), "a") } }],
      terminal: (close) => [
        command,
        { terminal: Object.defineProperty({}, "cols", { get: close }) },
      ],
    };
    for (const [name, argumentsOf] of Object.entries(ways)) {
      for (const way of ["spawn", "spawnSync"] as const) {
        const ruleset = landlock.config({ fs: ["make_dir"] }).ruleset();
        const close = () => ruleset[Symbol.dispose]();
        const start = ruleset[way] as (...args: unknown[]) => unknown;
        const error = thrown(() => start.apply(ruleset, argumentsOf(close)));
        results[`${way}, ${name}`] = error?.["message"];
      }
    }
    return { results, started: existsSync(`${dir}/started`) };
  });
  expect(seen.started).toBe(false);
  for (const [way, message] of Object.entries(seen.results)) {
    expect(message, way).toBe("This Ruleset is closed: make another one with config.ruleset()");
  }
});

testFromAbi(1, "callbacks of a command that did not start are not called", async () => {
  const seen = await inSubprocess({ dir: tempDir() }, async ({ landlock, outcome }, { dir }) => {
    const { readdirSync, writeFileSync } = await import("node:fs");
    const script = `${dir}/script`;
    writeFileSync(script, "#!/bin/sh\n", { mode: 0o755 });
    using ruleset = landlock.config({ fs: ["execute"] }).ruleset();
    const calls: string[] = [];
    const noted = (name: string) => () => void calls.push(name);
    const settings = {
      onExit: noted("onExit"),
      ipc: noted("ipc"),
      onDisconnect: noted("onDisconnect"),
      terminal: { exit: noted("terminal"), data: noted("data") },
      stdio: ["ignore", "pipe", "pipe", "socket-fd", "pipe"],
    } as const;
    const start = () => outcome(() => ruleset.spawn([script], settings as object));
    const outcomes = [start()];
    Bun.gc(true);
    await Bun.sleep(50);
    const before = readdirSync("/proc/self/fd").length;
    for (let i = 0; i < 50; i++) outcomes.push(start());
    for (let i = 0; i < 100 && readdirSync("/proc/self/fd").length > before; i++) {
      Bun.gc(true);
      await Bun.sleep(20);
    }
    const leaked = readdirSync("/proc/self/fd").length - before;
    return { outcomes: [...new Set(outcomes)], calls, leaked: Math.max(leaked, 0) };
  });
  expect(seen).toEqual({ outcomes: ["ERR_LANDLOCK_PATH"], calls: [], leaked: 0 });
});

testFromAbi(1, "onExit is called once for a command that ran, with its status", async () => {
  const seen = await inSubprocess({}, async ({ landlock }) => {
    using ruleset = landlock.config({ fs: ["make_reg"] }).ruleset();
    const calls: unknown[] = [];
    for (let i = 0; i < 20; i++) {
      const child = ruleset.spawn(["sh", "-c", `exit ${i}`], {
        onExit(subprocess, exitCode) {
          calls.push([subprocess === child, exitCode === i]);
        },
      });
      await child.exited;
    }
    await Bun.sleep(20);
    return calls;
  });
  expect(seen).toEqual(Array.from({ length: 20 }, () => [true, true]));
});

testFromAbi(1, "a command is not handed the descriptors of its own launcher", async () => {
  const seen = await inSubprocess({}, async ({ landlock, thrown }) => {
    const { readdirSync, readlinkSync } = await import("node:fs");
    using ruleset = landlock.config({ fs: ["make_reg"] }).ruleset();
    ruleset.spawnSync(["true"]);
    const own = readdirSync("/proc/self/fd").filter((fd) => {
      try {
        return readlinkSync(`/proc/self/fd/${fd}`).includes("landlock-ruleset");
      } catch {
        return false;
      }
    });
    const [fd] = own.map(Number);
    const inherited = [...Array.from({ length: fd! }, () => "ignore"), "inherit"];
    return {
      count: own.length,
      fd,
      byNumber: thrown(() => ruleset.spawnSync(["true"], { stdin: fd! })),
      byPlace: thrown(() => ruleset.spawn(["true"], { stdio: inherited } as object)),
    };
  });
  const message = (i: number) =>
    `Cannot start "true": stdio[${i}] is descriptor ${seen.fd}, which belongs to bun-landlock; name one of your own`;
  expect(seen.count).toBe(1);
  expect(seen.byNumber).toMatchObject({ code: "ERR_LANDLOCK_INVALID_RULE", message: message(0) });
  expect(seen.byPlace).toMatchObject({
    code: "ERR_LANDLOCK_INVALID_RULE",
    message: message(seen.fd!),
  });
});

testFromAbi(1, "what code has added to every object is no option", async () => {
  const seen = await inSubprocess({}, async ({ landlock }) => {
    using ruleset = landlock.config({ fs: ["make_reg"] }).ruleset();
    const added: Record<string, unknown> = {
      argv0: "added",
      cwd: "/usr",
      env: { ADDED: "1" },
      ipc: () => {},
      stdio: ["ignore", "ignore", "ignore"],
      stdin: "wrong",
      terminal: {},
      timeout: 1,
      uid: 65534,
      cmd: ["false"],
      exit: "added",
    };
    const command = ["sh", "-c", 'echo "$0 $ADDED $NODE_CHANNEL_FD"; pwd; ls /proc/$$/fd; id -u'];
    const run = async (starter: Pick<typeof Bun, "spawn" | "spawnSync">) => {
      const child = starter.spawn(command, { stdin: "ignore" });
      return [await child.stdout.text(), starter.spawnSync(command).stdout.toString()];
    };
    Object.assign(Object.prototype, added);
    try {
      return { own: await run(ruleset as unknown as typeof Bun), plain: await run(Bun) };
    } finally {
      for (const key of Object.keys(added))
        delete (Object.prototype as Record<string, unknown>)[key];
    }
  });
  expect(seen.own).toEqual(seen.plain);
  expect(seen.own[0]).toContain("0\n1\n2\n");
});
