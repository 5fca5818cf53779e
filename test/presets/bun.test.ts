/** `presets.bun()` and `presets.cwd()`: Bun restricts itself, and Bun starts inside a sandbox. */
import { expect } from "bun:test";
import { join } from "node:path";
import { presets, roFiles } from "../../src/index.ts";
import { inSubprocess, tempDir, testFromAbi } from "../harness.ts";
import { run } from "./programs.ts";

/** Things that a Bun process does late, each with the preset and without. */
async function late(granted: boolean) {
  return inSubprocess({ granted }, async (inside, { granted }) => {
    const { landlock, outcome, presets } = inside;
    const { cpus } = await import("node:os");
    const { openSync } = await import("node:fs");
    const rules = granted ? [presets.bun()] : [];
    landlock.V11.bestEffort().restrictPaths(presets.executable("true"), ...rules);
    const memory = () => {
      try {
        return process.memoryUsage().rss > 0;
      } catch (error) {
        return (error as Error).message;
      }
    };
    return {
      memory: memory(),
      spawn: outcome(() => Bun.spawnSync(["true"], { stdio: ["ignore", "ignore", "ignore"] })),
      random: outcome(() => openSync("/dev/urandom", "r")),
      null: outcome(() => openSync("/dev/null", "w")),
      cpus: outcome(() => openSync("/sys/devices/system/cpu/online", "r")),
      speed: cpus().length > 0,
      zone: outcome(() => openSync("/usr/share/zoneinfo/UTC", "r")),
      // Files that Bun does not need.
      other: outcome(() => openSync("/proc/1/status", "r")),
      list: outcome(() => openSync("/etc/passwd", "r")),
      device: outcome(() => openSync("/dev/zero", "r")),
    };
  });
}

testFromAbi(1, "with bun(), Bun finds its memory, starts children and finds CPUs", async () => {
  const zone = (await Bun.file("/usr/share/zoneinfo/UTC").exists()) ? "ok" : "ENOENT";
  expect(await late(true)).toEqual({
    ...{ memory: true, spawn: "ok", random: "ok", null: "ok", cpus: "ok", speed: true, zone },
    ...{ other: "EACCES", list: "EACCES", device: "EACCES" },
  });
});

testFromAbi(1, "without bun(), memoryUsage() throws and Bun.spawnSync() fails", async () => {
  expect(await late(false)).toMatchObject({
    ...{ memory: "Failed to get memory usage", spawn: "EACCES", random: "EACCES", null: "EACCES" },
    ...{ cpus: "EACCES", other: "EACCES" },
  });
});

// Without it the kernel may free the inode that the rule holds, and create a new one later.
testFromAbi(1, "bun() keeps the directory of this process in /proc open", async () => {
  const open = await inSubprocess({}, async ({ presets }) => {
    const { readdirSync, readlinkSync } = await import("node:fs");
    presets.bun();
    presets.bun();
    const targets = readdirSync("/proc/self/fd").flatMap((fd) => {
      try {
        return readlinkSync(`/proc/self/fd/${fd}`);
      } catch {
        return [];
      }
    });
    return targets.filter((path) => path === `/proc/${process.pid}`).length;
  });
  expect(open).toBe(1);
});

const program = `
  const { Database } = require("bun:sqlite");
  const worker = new Worker("data:text/javascript,postMessage(6)");
  const answer = await new Promise((done) => (worker.onmessage = ({ data }) => done(data)));
  worker.terminate();
  const { length } = new Database(":memory:").query("select length(randomblob(8)) length").get();
  const inner = Bun.spawnSync([process.execPath, "-e", "process.exit(7)"]).exitCode;
  console.log(answer, length, inner);`;

testFromAbi(
  1,
  "Bun starts inside with bun({ children: true }), executable() and cwd()",
  async () => {
    const folder = tempDir();
    await Bun.write(join(folder, "main.ts"), program);
    const there = { cwd: folder };
    const home = process.cwd();
    process.chdir(folder);
    const cwd = presets.cwd();
    process.chdir(home);
    const bun = presets.executable(process.execPath);
    const command = [process.execPath, "main.ts"];
    const all = await run([bun, presets.bun({ children: true }), cwd], command, there);
    expect(all).toEqual({ status: 0, stdout: "6 8 7\n", stderr: "" });
    const noProc = await run([bun, cwd], command, there);
    expect(noProc).toMatchObject({ status: "SIGABRT", stdout: "" });
    const ownProc = await run([bun, presets.bun(), cwd], command, there);
    expect(ownProc).toMatchObject({ status: "SIGABRT", stdout: "" });
    const noCwd = await run([bun, presets.bun({ children: true })], command, there);
    expect(noCwd).toMatchObject({ status: 1, stdout: "" });
    expect(noCwd.stderr).toContain("CouldntReadCurrentDirectory");
    const noProgram = await run([presets.bun({ children: true }), cwd], command, there);
    expect(noProgram).toMatchObject({ status: "EACCES", stdout: "" });
    const fileOnly = await run([roFiles(process.execPath), cwd], command, there);
    expect(fileOnly).toMatchObject({ status: "EACCES", stdout: "" });
  },
);

testFromAbi(
  1,
  "cwd() lets the current directory be read, cwd({ write: true }) changed",
  async () => {
    const tryAll = (how: "none" | "read" | "write") =>
      inSubprocess(
        { how },
        async ({ landlock, outcome, presets }, { how }) => {
          const { readdirSync, readFileSync, writeFileSync } = await import("node:fs");
          writeFileSync("there", "text");
          const rules = how === "none" ? [] : [presets.cwd({ write: how === "write" })];
          landlock.V11.bestEffort().restrictPaths(...rules);
          return [
            outcome(() => readFileSync("there")),
            outcome(() => readdirSync(".")),
            outcome(() => writeFileSync("new", "")),
            outcome(() => readdirSync("..")),
          ];
        },
        { cwd: tempDir() },
      );
    expect(await tryAll("none")).toEqual(["EACCES", "EACCES", "EACCES", "EACCES"]);
    expect(await tryAll("read")).toEqual(["ok", "ok", "EACCES", "EACCES"]);
    expect(await tryAll("write")).toEqual(["ok", "ok", "ok", "EACCES"]);
  },
);

testFromAbi(1, "tmp() lets files be made where os.tmpdir() says, and nowhere else", async () => {
  const folder = tempDir();
  const tryAll = (granted: boolean) =>
    inSubprocess(
      { granted },
      async ({ landlock, outcome, presets }, { granted }) => {
        const { mkdtempSync, rmdirSync, writeFileSync } = await import("node:fs");
        const { tmpdir } = await import("node:os");
        landlock.V11.bestEffort().restrictPaths(...(granted ? [presets.tmp()] : []));
        return [
          outcome(() => rmdirSync(mkdtempSync(`${tmpdir()}/one-`))),
          outcome(() => writeFileSync(`${tmpdir()}/file`, "text")),
          outcome(() => writeFileSync(`${tmpdir()}/../outside`, "text")),
        ];
      },
      { env: { TMPDIR: folder } },
    );
  expect(await tryAll(true)).toEqual(["ok", "ok", "EACCES"]);
  expect(await tryAll(false)).toEqual(["EACCES", "EACCES", "EACCES"]);
});

/** A process restricts itself, then uses a database and an image in a folder. */
async function filesOf(granted: boolean) {
  const folder = tempDir();
  return inSubprocess({ folder, granted }, async (inside, { folder, granted }) => {
    const { landlock, outcomeOf, presets, rwDirs } = inside;
    const { Database } = await import("bun:sqlite");
    const pixel =
      "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";
    await Bun.write(`${folder}/pixel.png`, Uint8Array.fromBase64(pixel));
    const rules = granted ? [presets.bun(), rwDirs(folder)] : [presets.bun()];
    landlock.V11.bestEffort().restrictPaths(...rules);
    return {
      database: await outcomeOf(async () => {
        using database = new Database(`${folder}/data.sqlite`);
        database.run("create table t (a)");
        database.run("insert into t values (random())");
      }),
      image: await outcomeOf(() => new Bun.Image(`${folder}/pixel.png`).resize(2, 2).bytes()),
    };
  });
}

testFromAbi(
  1,
  "bun:sqlite and Bun.Image need their files beside bun(), and no others",
  async () => {
    expect(await filesOf(true)).toEqual({ database: "ok", image: "ok" });
    expect(await filesOf(false)).toEqual({ database: "SQLITE_CANTOPEN", image: "EACCES" });
  },
);
