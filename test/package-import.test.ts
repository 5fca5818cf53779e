/**
 * Compares importing the published package with importing a module that only exports a number.
 * strace(1) shows every system call of every thread.
 */
import { beforeAll, describe, expect, test } from "bun:test";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { installPacked } from "./packed.ts";
import { run } from "./harness.ts";

const wanted = Bun.which("strace") !== null || process.env["CI"] !== undefined;

/** What a process did, over all its threads. */
interface Trace {
  /**
   * Paths that were opened; those in the package are relative to it, and folders end with a slash.
   */
  readonly opened: string[];
  /** Names of all its system calls, one entry for each call. */
  readonly calls: string[];
}

let folder = "";

function write(path: string, text: string): void {
  mkdirSync(dirname(join(folder, path)), { recursive: true });
  writeFileSync(join(folder, path), text);
}

const isFolder = (line: string) => (line.includes("O_DIRECTORY") ? "/" : "");

function traceImport(name: string): Trace {
  const log = join(folder, `${name}.log`);
  write("main.js", `import { landlock } from "${name}";\nvoid landlock;\n`);
  const command = ["strace", "-f", "-qq", "-o", log, process.execPath, "main.js"];
  expect(run(command, folder)).toEqual({ stdout: "", stderr: "", code: 0 });
  const lines = readFileSync(log, "utf8").split("\n");
  const calls = lines.flatMap((line) => /^\d+ +(\w+)\(/.exec(line)?.[1] ?? []);
  const own = join(folder, "node_modules", name);
  const opened = lines.flatMap((line) => {
    const path = /^\d+ +open\w*\((?:\w+, )?"([^"]*?)\/?"/.exec(line)?.[1];
    return path === undefined ? [] : [`${path.replace(own, "PACKAGE")}${isFolder(line)}`];
  });
  return { calls, opened };
}

beforeAll(async () => {
  if (!wanted) return;
  folder = await installPacked();
  const manifest = { name: "nothing", type: "module", exports: { ".": "./dist/index.js" } };
  write("node_modules/nothing/package.json", JSON.stringify(manifest));
  write("node_modules/nothing/dist/index.js", "export const landlock = 1;\n");
}, 60_000);

if (!wanted) {
  test.skip("what importing does (needs strace)", () => {});
} else {
  describe("importing the package", () => {
    let nothing: Trace;
    let ours: Trace;

    beforeAll(() => {
      nothing = traceImport("nothing");
      ours = traceImport("bun-landlock");
    });

    test("is seen: its bundle is opened", () => {
      expect(ours.opened).toContain("PACKAGE/dist/index.js");
      expect(nothing.calls).toContain("execve");
    });

    test("opens no file but package.json and the bundle; folders are listed on the way", () => {
      const more = new Set(ours.opened).difference(new Set(nothing.opened));
      const files = [...more].filter((path) => !path.endsWith("/"));
      expect(files).toEqual([]);
      expect([...more].filter((path) => !path.startsWith("PACKAGE/lib"))).toEqual([]);
    });

    test("makes no call of the network", () => {
      const network =
        /^(socket|socketpair|connect|bind|listen|accept4?|send\w*|recv\w*|getsockopt)$/;
      expect(ours.calls.filter((call) => network.test(call))).toEqual([]);
    });

    test("starts no thread that the other one does not, and no process", () => {
      const starts = (trace: Trace) =>
        trace.calls.filter((call) => /^(clone3?|fork|vfork|execve|execveat)$/.test(call)).sort();
      expect(starts(ours)).toEqual(starts(nothing));
    });

    test("asks nothing of Landlock and changes nothing of the process", () => {
      const made = new Set(ours.calls).difference(new Set(nothing.calls));
      const harmless =
        /^(sched_yield|futex|madvise|munmap|fstat|lseek|pread64|restart_syscall|nanosleep|clock_nanosleep)$/;
      expect([...made].filter((call) => !harmless.test(call))).toEqual([]);
    });
  });
}
