/** What the kernel's own trace events say of an enforcement: Documentation/trace/events-landlock.rst. */
import { expect } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { inSubprocess, testOnOwnMachine } from "../harness.ts";

const tracing = "/sys/kernel/tracing";
const workers = join(import.meta.dir, "../threads/inside/workers.ts");
type Workers = typeof import("../threads/inside/workers.ts");

/** Records one kind of event for as long as it is open. */
class TraceLog implements Disposable {
  readonly #name: string;
  readonly #enable: string;

  constructor(name: string) {
    this.#name = name;
    this.#enable = join(tracing, "events/landlock", name, "enable");
    writeFileSync(join(tracing, "trace"), "");
    writeFileSync(this.#enable, "1");
  }

  /** What the events of a thread say, as `domain=1 complete=1`. */
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
