/** Which options are proposed for which denials. Pure: no kernel, no program runs. */
import { describe, expect, test } from "bun:test";
import type { Layer } from "../../src/model/layer.ts";
import type { Operation } from "../../src/model/operation.ts";
import { landlock } from "../../src/index.ts";
import { adviseOn } from "../../src/explain/run/advice.ts";
import { atomsOf, combined, joinFlags } from "../../src/explain/run/combine.ts";
import { failureLog } from "../../src/explain/run/denied.ts";
import { foldByNumber, foldPaths } from "../../src/explain/run/fold.ts";
import { isIdle } from "../../src/explain/run/idle.ts";
import { filesOfProcesses } from "../../src/trace/processes.ts";
import { pasteable } from "../../src/terminal/text.ts";
import { Trial } from "../../src/explain/run/trial.ts";
import { fixOf, type Piece } from "../../src/explain/spell.ts";
import { treeOf } from "../explain/tree.ts";

const many = Array.from({ length: 12 }, (_, i) => `/srv/app/data/${i}`);
const files = treeOf({
  ...Object.fromEntries(many.map((path) => [path, "regular"] as const)),
  "/etc/resolv.conf": "regular",
  "/etc/nsswitch.conf": "regular",
  "/etc/hosts": "regular",
  "/etc/ssl/certs/ca.pem": "regular",
  "/usr/share/zoneinfo/Europe/Berlin": "regular",
  "/usr/lib/python3.11/json/decoder.py": "regular",
  "/srv/out": "directory",
  "/sys/fs/cgroup/a/4f2e/memory.max": "regular",
  "/sys/fs/cgroup/a/4f2e/cpu.max": "regular",
});
const everything: Layer = { handled: landlock.V7, grants: new Map(), ports: new Map() };

function advise(operations: readonly Operation[], program = "tool", granted: string[] = []) {
  const log = failureLog({ layers: [everything], files }, () => true);
  for (const operation of operations) {
    const errno = operation.kind === "scope" ? "EPERM" : "EACCES";
    log.add({ operation, errno, program, nested: false });
  }
  const { denied, others } = log.all();
  expect(others).toEqual([]);
  return adviseOn(denied, new Trial({ layers: [everything], files }), granted, () => null);
}

const read = (path: string): Operation => ({ kind: "open", path, read: true });

test("a failure with another errno than Landlock's is not Landlock's", () => {
  const log = failureLog({ layers: [everything], files }, () => true);
  const operation = read("/etc/hosts");
  for (const errno of ["EPERM", "EACCES"])
    log.add({ operation, errno, program: "tool", nested: false });
  const { denied, others } = log.all();
  expect(denied).toMatchObject([{ errno: "EACCES", denials: [{ right: "read_file" }] }]);
  expect(others).toMatchObject([{ errno: "EPERM", cause: "unknown" }]);
});

describe("adviseOn()", () => {
  const cases: [name: string, operations: Operation[], words: string][] = [
    ["a file", [read("/etc/hosts")], "-rofiles /etc/hosts"],
    [
      "limits of a control group, which is another one each time",
      ["memory.max", "cpu.max"].map((name) => read(`/sys/fs/cgroup/a/4f2e/${name}`)),
      "-ro /sys/fs/cgroup",
    ],
    [
      "two files, as one option",
      [read(many[0]!), read(many[1]!)],
      `-rofiles ${many[0]} ${many[1]}`,
    ],
    ["many files, as their folder", many.map(read), "-ro /srv/app/data"],
    [
      "a file to make and read",
      [{ kind: "open", path: "/srv/out/x", write: true, create: true }, read("/srv/out")],
      "-rw /srv/out",
    ],
    [
      "looking up names",
      ["resolv.conf", "nsswitch.conf", "hosts"].map((name) => read(`/etc/${name}`)),
      "-preset dns",
    ],
    ["certificates", [read("/etc/ssl/certs/ca.pem")], "-preset tls"],
    ["time zones", [read("/usr/share/zoneinfo/Europe/Berlin")], "-preset timezone"],
    ["a package's files", [read("/usr/lib/python3.11/json/decoder.py")], "-ro /usr/lib/python3.11"],
    [
      "ports",
      [443, 80].map((port): Operation => ({ kind: "port", access: ["connect_tcp"], port })),
      "-connecttcp 80 443",
    ],
    ["a signal", [{ kind: "scope", scope: "signal" }], ""],
  ];
  for (const [name, operations, words] of cases) {
    test(name, () => {
      const { all, flags } = advise(operations);
      expect(all.join(" ")).toBe(words);
      expect(new Set(flags.flat())).toEqual(new Set(all));
    });
  }

  test("each operation has its own words", () => {
    const { flags } = advise([read("/etc/hosts"), read("/etc/ssl/certs/ca.pem")]);
    expect(flags).toEqual([
      ["-rofiles", "/etc/hosts"],
      ["-preset", "tls"],
    ]);
  });

  test("what was granted before counts among the files of a folder", () => {
    const before = many.slice(0, 3);
    expect(advise([read(many[5]!)], "tool", before).all).toEqual(["-ro", "/srv/app/data"]);
    expect(advise([read(many[5]!)], "tool", before.slice(1)).all).toEqual(["-rofiles", many[5]!]);
  });

  test("the policy says the same, and what no option can", () => {
    const { all, policy } = advise([read("/"), read("/etc/hosts")]);
    expect(all).toEqual(["-rofiles", "/etc/hosts"]);
    const paths = '[{ access = ["read_dir"], paths = ["/"] }]';
    expect(policy.split("\n").sort()).toEqual([`paths = ${paths}`, 'roFiles = ["/etc/hosts"]']);
  });
});

describe("folding", () => {
  const fold = (...paths: string[]) => [...new Set(foldPaths(paths).values())];
  const numbered = (folder: string) => [1, 2, 3, 4].map((i) => `${folder}/${i}`);

  test("folders of many folders", () => {
    const folders = numbered("/srv/x").flatMap(numbered);
    expect(fold(...folders)).toEqual(["/srv/x"]);
  });

  test("never what is too wide, or holds keys", () => {
    for (const folder of [
      "/etc",
      "/tmp",
      "/home/user",
      "/home/user/.ssh",
      "/home/user/.aws/sso",
      "/proc",
    ]) {
      expect(fold(...numbered(folder))).toEqual([]);
    }
    expect(fold(...numbered("/home/user/project"))).toEqual(["/home/user/project"]);
  });

  test("what is of one package is a folder from its first file on", () => {
    expect(fold("/usr/share/zoneinfo/UTC")).toEqual(["/usr/share/zoneinfo"]);
    expect(fold("/srv/x/.git/HEAD")).toEqual(["/srv/x/.git"]);
    expect(fold("/srv/x/node_modules/a/b.js")).toEqual(["/srv/x/node_modules"]);
    expect(fold("/usr/lib/x86_64-linux-gnu/libz.so", "/usr/bin/env", "/usr/lib/x")).toEqual([]);
    expect(foldByNumber(["/srv/x/.git/HEAD"]).size).toBe(0);
  });
});

describe("combining", () => {
  const verb = (name: "roDirs" | "roFiles" | "rwDirs", ...paths: string[]): Piece => ({
    kind: "verb",
    verb: name,
    with: [],
    paths,
  });
  const real = (path: string) => path.replace(/^\/link$|^\/a\/link$/, "/elsewhere");
  const words = (...pieces: Piece[]) =>
    joinFlags(combined(atomsOf(pieces, real)).map((piece) => fixOf([piece]).flags)).join(" ");

  test("leaves out what another rule grants", () => {
    const pieces = [verb("roFiles", "/a/b", "/ab"), verb("roDirs", "/a"), verb("roFiles", "/a")];
    expect(words(...pieces)).toBe("-ro /a -rofiles /ab");
    expect(words(verb("roDirs", "/a"), verb("rwDirs", "/a"))).toBe("-rw /a");
    expect(words(verb("rwDirs", "/a/b"), verb("roDirs", "/a"))).toBe("-ro /a -rw /a/b");
  });

  test("goes by where links lead", () => {
    expect(words(verb("roDirs", "/a"), verb("roFiles", "/a/link"))).toBe("-ro /a -rofiles /a/link");
    expect(words(verb("roDirs", "/link"), verb("roFiles", "/elsewhere/b"))).toBe("-ro /link");
  });
});

test("pasteable() quotes for a shell, which reads it back", () => {
  const strange = ["-ro", "/a b", "/it's", "/$HOME", "/ä", "/new\nline", "/esc\x1b[2J", "+refer"];
  const line = pasteable(strange);
  expect(line).not.toMatch(/[\x00-\x1f]/);
  const { stdout } = Bun.spawnSync(["bash", "-c", `printf '%s\\0' ${line}`]);
  expect(stdout.toString().split("\0").slice(0, -1)).toEqual(strange);
});

test("the files in /proc of other processes are told apart, and have the types of one's own", () => {
  const own = `/proc/${process.pid}`;
  const proc = treeOf({
    [`${own}/stat`]: "regular",
    [`${own}/task/${process.pid}/comm`]: "regular",
  });
  const seen = filesOfProcesses(proc, () => 77);
  const at = (path: string) => seen.find(path, true).file;
  expect(at("/proc/self/stat")).toMatchObject({ path: "/proc/self/stat", type: "regular" });
  expect(at("/proc/77/stat")?.id).toBe(at("/proc/self/stat")!.id);
  expect(at("/proc/88/stat")).toMatchObject({ path: "/proc/88/stat", type: "regular" });
  expect(at("/proc/88/stat")?.id).not.toBe(at("/proc/77/stat")!.id);
  expect(at("/proc/88/task/99/comm")?.type).toBe("regular");
  expect(at("/proc/88/none")).toBeUndefined();
  const parents = seen.find("/proc/88/stat", true).parents.map(({ path }) => path);
  expect(parents).toEqual(["/proc/88", "/proc", "/"]);
});

test("isIdle() is what makes no difference", () => {
  const list = (path: string): Operation => ({ kind: "open", path, read: true });
  expect(isIdle({ kind: "ioctl", path: "/dev/null" }, "bash", "/a/b")).toBe(true);
  expect(isIdle({ kind: "ioctl", path: "/dev/tty" }, "bash", "/a/b")).toBe(false);
  expect(["/", "/a", "/a/"].map((path) => isIdle(list(path), "bun", "/a/b"))).not.toContain(false);
  expect(["/a/b", "/a/b/", "/c"].map((path) => isIdle(list(path), "bun", "/a/b"))).not.toContain(
    true,
  );
  expect(isIdle(list("/a"), "ls", "/a/b")).toBe(false);
  expect(isIdle(list("/proc/self/statm"), "bun", "/a/b")).toBe(true);
  expect(isIdle(list("/proc/self/maps"), "bun", "/a/b")).toBe(false);
});
