/** Denials on programs, databases, modules and devices, and children that fail early. */
import { presets, roDirs, roFiles, rwFiles } from "../../src/index.ts";
import type { Rows } from "./rows.ts";

const anyDevNull = [rwFiles("/dev/null")];

export const programRows: Rows = {
  "Bun.spawn()": {
    action: ({ dir }) => Bun.spawn([`${dir}/run`]).exited,
    rules: anyDevNull,
    code: 'presets.executable("DIR/run")',
  },
  "Bun.spawn(), denied /dev/null too": {
    action: ({ dir }) => Bun.spawn([`${dir}/run`]).exited,
    code: 'presets.executable("DIR/run"), rwFiles("/dev/null")',
  },
  "Bun.spawnSync(), denied /dev/null too": {
    action: ({ dir }) => Bun.spawnSync([`${dir}/run`]),
    rules: [roFiles("/dev/null")],
    code: 'presets.executable("DIR/run"), rwFiles("/dev/null")',
  },
  "Bun.spawn(), denied the loader": {
    action: () => Bun.spawn(["env"], { stdout: "ignore" }).exited,
    rules: [roFiles(Bun.which("env")!)],
    code: 'presets.executable("env"), rwFiles("/dev/null")',
  },
  "child_process.spawnSync(), denied the loader": {
    action: ({ childProcess }) => {
      const { error } = childProcess.spawnSync("env", { stdio: "inherit", env: {} });
      if (error) throw error;
    },
    rules: [roFiles(Bun.which("env")!)],
    code: 'presets.executable("env")',
  },
  "Bun.spawn(), denied /dev/null": {
    action: ({ dir }) => Bun.spawn([`${dir}/run`]).exited,
    rules: [roFiles("DIR/run")],
    code: 'rwFiles("/dev/null")',
  },
  "child_process.spawnSync()": {
    action: ({ dir, childProcess }) => {
      const { error } = childProcess.spawnSync(`${dir}/run`, { stdio: "inherit" });
      if (error) throw error;
    },
    code: 'presets.executable("DIR/run")',
  },
  "Bun.$ in a directory that cannot be listed": {
    action: () => Bun.$`true`.quiet(),
    cwd: true,
    code: 'roDirs("DIR")',
  },
  "bun:sqlite, with { path }": {
    action: ({ dir, Database }) => new Database(`${dir}/db`).run("insert into t values (1)"),
    options: { path: "DIR/db" },
    code: 'rwDirs("DIR")',
    uncertain: true,
  },
  "bun:sqlite on what can be read": {
    action: ({ dir, Database }) => new Database(`${dir}/db`).run("insert into t values (1)"),
    rules: [roDirs("DIR")],
    options: { path: "DIR/db" },
    code: 'rwDirs("DIR")',
  },
  "import()": {
    action: ({ dir }) => import(`${dir}/module.ts`),
    code: 'presets.modules("DIR/module.ts")',
  },
  "require()": {
    action: ({ dir, module }) => module.createRequire(`${dir}/other.ts`)("./module.ts"),
    code: 'presets.modules("DIR/module.ts")',
  },
  "Worker, with { path }": {
    action: ({ dir }) =>
      new Promise((done, fail) => {
        const worker = new Worker(`${dir}/worker.ts`);
        Object.assign(worker, { onerror: fail, onmessage: done });
      }),
    options: { path: "DIR/worker.ts" },
    code: 'presets.modules("DIR/worker.ts")',
  },
  "process.memoryUsage()": { action: () => process.memoryUsage(), code: "presets.bun()" },
  "process.kill()": {
    action: ({ pid }) => process.kill(pid, 0),
    abi: 6,
    code: undefined,
    uncertain: true,
  },
  "ioctl(2), with { path, access }": {
    action: ({ fs, inside }) => {
      const fd = fs.openSync("/dev/urandom", "r");
      // RNDGETENTCNT: reads how much entropy there is.
      inside.call("ioctl", fd, 0x8004_5200n, new Uint8Array(4));
    },
    rules: [roFiles("/dev/urandom")],
    options: { path: "/dev/urandom", access: "ioctl_dev" },
    abi: 5,
    code: 'pathAccess(["ioctl_dev"], "/dev/urandom")',
  },
};

export const childRows: Rows = {
  "ruleset.spawnSync()": {
    action: ({ dir, rules, inside }) => {
      using ruleset = inside.landlock.V11.bestEffort().ruleset(...rules);
      ruleset.spawnSync([`${dir}/run`]);
    },
    inner: true,
    code: 'presets.executable("DIR/run")',
  },
  "a Bun that aborts": {
    action: ({ dir, rules, inside }) => {
      using ruleset = inside.landlock.V11.bestEffort().ruleset(...rules);
      const child = ruleset.spawnSync([process.execPath, "-e", "1"], { cwd: `${dir}/folder` });
      if (child.exitCode !== 0) throw child;
    },
    rules: [presets.executable(process.execPath), presets.bun(), roDirs("DIR/folder")],
    inner: true,
    code: "presets.bun({ children: true })",
  },
  "a Bun that aborts, of Bun.spawnSync()": {
    action: ({ dir }) => {
      const child = Bun.spawnSync([process.execPath, "-e", "1"], { cwd: `${dir}/folder` });
      if (child.exitCode !== 0) throw child;
    },
    rules: [presets.executable(process.execPath), presets.bun(), roDirs("DIR/folder")],
    code: "presets.bun({ children: true })",
    uncertain: true,
  },
  "a Bun that cannot list its directory": {
    action: ({ dir, rules, inside }) => {
      using ruleset = inside.landlock.V11.bestEffort().ruleset(...rules);
      const child = ruleset.spawnSync([process.execPath, "module.ts"], { cwd: dir });
      if (child.exitCode !== 0) throw child;
    },
    rules: [presets.executable(process.execPath), presets.bun({ children: true })],
    inner: true,
    code: 'roDirs("DIR")',
  },
  "a program without its libraries": {
    action: async ({ rules, inside }) => {
      using ruleset = inside.landlock.V11.bestEffort().ruleset(...rules);
      const child = ruleset.spawn(["env"], { stdout: "ignore", stderr: "ignore" });
      if ((await child.exited) !== 0) throw child;
    },
    rules: [roFiles(Bun.which("env")!, ...loaders())],
    inner: true,
    code: 'presets.executable("env")',
    uncertain: true,
  },
};

/** All possible dynamic loaders: with its loader, a program gets as far as its libraries. */
function loaders(): string[] {
  const [program] = presets.executable("env").rules;
  return program?.kind === "fs" ? [...program.paths] : [];
}
