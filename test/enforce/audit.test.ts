/**
 * The kernel's audit log under the three logging flags and quiet rules. Mirrors `audit_test.c` of
 * the kernel's selftests, for whole processes.
 */
import { expect } from "bun:test";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { AuditLog } from "../audit.ts";
import { inSubprocess, tempDir, testOnOwnMachine } from "../harness.ts";

type LogMethod =
  | "disableLoggingForOriginatingProcess"
  | "enableLoggingForSubprocesses"
  | "disableLoggingForSubdomains";

/** What the log names after each of these was denied once. */
type Denial = "own" | "child" | "nested";

const cases: readonly { methods: readonly LogMethod[]; logged: readonly Denial[] }[] = [
  { methods: [], logged: ["own", "nested"] },
  { methods: ["disableLoggingForOriginatingProcess"], logged: ["nested"] },
  { methods: ["enableLoggingForSubprocesses"], logged: ["own", "child", "nested"] },
  { methods: ["disableLoggingForSubdomains"], logged: ["own"] },
  {
    methods: ["disableLoggingForOriginatingProcess", "enableLoggingForSubprocesses"],
    logged: ["child", "nested"],
  },
];

/** A folder with one file for each denial, and one that is never denied. */
function denialFolder(): string {
  const dir = tempDir();
  for (const name of ["own", "child", "nested", "quiet"]) {
    mkdirSync(`${dir}/${name}`);
    writeFileSync(`${dir}/${name}/file`, "text");
  }
  return dir;
}

/** The files of this folder that the log names. */
function loggedIn(dir: string, denials: readonly string[]): string[] {
  return ["own", "child", "nested", "quiet"].filter((name) =>
    denials.some((denial) => denial.startsWith(`fs.read_file path="${dir}/${name}/file"`)),
  );
}

for (const { methods, logged } of cases) {
  const calls = methods.map((method) => `.${method}()`).join("") || "no log flag";
  testOnOwnMachine(7, `the audit log after ${calls} has ${logged.join(", ")}`, async () => {
    using log = new AuditLog();
    const dir = denialFolder();
    log.denials();
    const seen = await inSubprocess({ methods, dir }, async (inside, { methods, dir }) => {
      const { landlock, outcome, roDirs, rwFiles } = inside;
      const { readFileSync } = await import("node:fs");
      const read = (name: string) => outcome(() => readFileSync(`${dir}/${name}/file`));
      const before = ["own", "child", "nested"].map(read);
      const system = ["/usr", "/bin", "/lib"];
      const rules = [roDirs(...system), roDirs("/lib64").ignoreIfMissing(), rwFiles("/dev/null")];
      let config = landlock.V1;
      for (const method of methods) config = config[method]();
      config.restrictPaths(...rules, roDirs(`${dir}/nested`));
      const own = read("own");
      const child = Bun.spawnSync(["cat", `${dir}/child/file`]).exitCode;
      const allowed = read("nested");
      landlock.V1.restrictPaths(...rules);
      return { before, own, child, allowed, nested: read("nested") };
    });
    expect(seen).toEqual({
      before: ["ok", "ok", "ok"],
      own: "EACCES",
      child: 1,
      allowed: "ok",
      nested: "EACCES",
    });
    expect(loggedIn(dir, log.denials())).toEqual([...logged]);
  });
}

testOnOwnMachine(10, "the audit log has no denial beneath a quiet() rule", async () => {
  using log = new AuditLog();
  const dir = denialFolder();
  log.denials();
  const seen = await inSubprocess({ dir }, async ({ landlock, outcome, pathAccess }, { dir }) => {
    const { readFileSync } = await import("node:fs");
    const read = (name: string) => outcome(() => readFileSync(`${dir}/${name}/file`));
    const before = [read("own"), read("quiet")];
    landlock.V10.restrictPaths(pathAccess([], `${dir}/quiet`).quiet());
    return { before, after: [read("own"), read("quiet")] };
  });
  expect(seen).toEqual({ before: ["ok", "ok"], after: ["EACCES", "EACCES"] });
  expect(loggedIn(dir, log.denials())).toEqual(["own"]);
});

testOnOwnMachine(10, "the audit log has no denial of a port with a quiet() rule", async () => {
  using log = new AuditLog();
  log.denials();
  const seen = await inSubprocess({}, async ({ bindTcp, call, landlock, loopback, outcome }) => {
    // No server listens there, so an allowed connection is refused.
    const connect = (port: number) =>
      outcome(() => call("connect", call("socket", 2, 1, 0), loopback(port), 16));
    const before = [connect(9), connect(10)];
    landlock.V10.restrictNet(bindTcp(10).quiet());
    return { before, after: [connect(9), connect(10)] };
  });
  expect(seen).toEqual({
    before: ["ECONNREFUSED", "ECONNREFUSED"],
    after: ["EACCES", "EACCES"],
  });
  const denials = log.denials();
  const logged = (port: number) =>
    denials.some((denial) => /^net\.connect_tcp .*dest=(\d+)/.exec(denial)?.[1] === `${port}`);
  expect([logged(9), logged(10)]).toEqual([true, false]);
});

const tracing = "/sys/kernel/tracing";
const workers = join(import.meta.dir, "../threads/inside/workers.ts");
type Workers = typeof import("../threads/inside/workers.ts");

/** Records one kind of event while it is open. */
class TraceLog implements Disposable {
  readonly #name: string;
  readonly #enable: string;

  constructor(name: string) {
    this.#name = name;
    this.#enable = join(tracing, "events/landlock", name, "enable");
    writeFileSync(join(tracing, "trace"), "");
    writeFileSync(this.#enable, "1");
  }

  /** A thread's events as text, such as `domain=1 complete=1`. */
  of(tid: number): string[] {
    const lines = readFileSync(join(tracing, "trace"), "utf8").split("\n");
    return lines
      .filter((line) => line.includes(`-${tid} `) && line.includes(`${this.#name}: `))
      .map((line) => line.slice(line.indexOf(`${this.#name}: `) + this.#name.length + 2));
  }

  [Symbol.dispose](): void {
    writeFileSync(this.#enable, "0");
  }
}

testOnOwnMachine(
  11,
  "the kernel traces restrict() as one domain, complete, of the whole process, with no_new_privs",
  async () => {
    using log = new TraceLog("landlock_enforce_domain");
    const seen = await inSubprocess({ workers }, async (inside, { workers }) => {
      const { landlock, outcome } = inside;
      const { readdirSync } = await import("node:fs");
      const { webWorker } = (await import(workers)) as Workers;
      const before = outcome(() => readdirSync("/"));
      await Promise.all(Array.from({ length: 4 }, webWorker));
      const report = landlock.V11.restrict();
      return {
        before,
        pid: process.pid,
        threads: report.threads,
        after: outcome(() => readdirSync("/")),
      };
    });
    expect(seen).toMatchObject({ before: "ok", threads: { method: "tsync" }, after: "EACCES" });
    expect(seen.threads.count).toBeGreaterThan(4);
    expect(log.of(seen.pid)).toEqual([
      expect.stringMatching(/^domain=[0-9a-f]+ complete=1 process_wide=1 no_new_privs=1$/),
    ]);
  },
);

testOnOwnMachine(
  11,
  "the kernel traces spawn() as a domain of the child's one thread, before its command runs",
  async () => {
    using log = new TraceLog("landlock_enforce_domain");
    const seen = await inSubprocess({}, async ({ landlock, roDirs, rwFiles }) => {
      using ruleset = landlock.V11.ruleset(roDirs("/"), rwFiles("/dev/null"));
      const child = ruleset.spawn(["cat", "/proc/self/status"]);
      return { pid: process.pid, child: child.pid, status: await child.stdout.text() };
    });
    expect(seen.status).toMatch(/^NoNewPrivs:\t1$/m);
    expect(log.of(seen.pid)).toEqual([]);
    expect(log.of(seen.child)).toEqual([
      expect.stringMatching(/^domain=[0-9a-f]+ complete=1 process_wide=\d no_new_privs=1$/),
    ]);
  },
);
