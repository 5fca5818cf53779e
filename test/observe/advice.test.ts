/** Which options are advised for which denials. No program runs, and nothing is enforced. */
import { describe, expect, test } from "bun:test";
import { mkdirSync, readdirSync, realpathSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Coverage } from "../../src/advise/coverage.ts";
import { isHarmlessProbe } from "../../src/advise/judgement.ts";
import { Places, startOfRun } from "../../src/advise/places.ts";
import { GoverningPlaces } from "../../src/advise/governing-places.ts";
import { Secrets } from "../../src/advise/secrets.ts";
import { machineFiles } from "../../src/model/files.ts";
import type { Layer } from "../../src/model/layer.ts";
import type { Operation } from "../../src/model/operation.ts";
import type { Files } from "../../src/model/place.ts";
import { landlock, roFiles } from "../../src/index.ts";
import { adviseOn } from "../../src/explain/run/advice.ts";
import { mergeRules, joinFlags } from "../../src/explain/run/combine.ts";
import { failureLog } from "../../src/explain/run/denied.ts";
import { filesOfProcesses } from "../../src/trace/processes.ts";
import { pasteable } from "../../src/terminal/text.ts";
import { fixOf, type RuleSpec } from "../../src/explain/spell.ts";
import { tempDir } from "../harness.ts";
import { treeOf } from "../explain/cases.ts";

const project = realpathSync(tempDir());
const home = join(project, "home");
const data = Array.from({ length: 12 }, (_, i) => join(project, "data", `${i}`));
for (const path of [
  ...data,
  ...["home/.ssh/id_ed25519", "home/.npmrc", "home/other/.env", "own/.env", "own/file"].map(
    (name) => join(project, name),
  ),
  ...["out/.keep", "own/.git/hooks/x", "node_modules/a/b.js"].map((name) => join(project, name)),
]) {
  mkdirSync(join(path, ".."), { recursive: true });
  writeFileSync(path, "");
}
const certificate = join("/etc/ssl/certs", readdirSync("/etc/ssl/certs")[0] ?? "x");
const everything: Layer = { handled: landlock.V7, grants: new Map(), ports: new Map() };
// Not every machine has these.
const made = treeOf({
  "/sys/fs/cgroup/a/4f2e/memory.max": "regular",
  "/sys/fs/cgroup/a/4f2e/cpu.max": "regular",
  "/dev/pts/77": "char",
  "/proc/77/stat": "regular",
  "/proc/self/comm": "regular",
});
const files: Files = {
  find: (path, follow) => (made.find(path, follow).file ? made : machineFiles).find(path, follow),
};
const sandbox = { layers: [everything], files };

function advise(
  operations: readonly Operation[],
  granted: string[] = [],
  within = project,
  // All files existed before.
  start = BigInt(Date.now() + 60_000) * 1_000_000n,
) {
  const log = failureLog(sandbox, () => true);
  for (const operation of operations) {
    const errno = operation.kind === "scope" ? "EPERM" : "EACCES";
    log.add({ operation, errno, program: "tool", nested: false });
  }
  const { denied, others } = log.all();
  expect(others).toEqual([]);
  const already = new Coverage();
  if (granted.length > 0) already.add(roFiles(...granted));
  const places = new Places(start, "/tmp", true);
  const governing = new GoverningPlaces(home, within);
  const around = { project: within, home, secrets: new Secrets(home, within), governing };
  return adviseOn(denied, landlock.V7, { already, around, places, bun: false });
}

const read = (path: string): Operation => ({ kind: "open", path, read: true });
const make = (path: string): Operation => ({ kind: "make", path, type: "directory" });

test("a failure with another errno than Landlock's is not Landlock's", () => {
  const log = failureLog(sandbox, () => true);
  const operation = read("/etc/passwd");
  for (const errno of ["EPERM", "EACCES"])
    log.add({ operation, errno, program: "tool", nested: false });
  const { denied, others } = log.all();
  expect(denied).toMatchObject([{ errno: "EACCES", denials: [{ right: "read_file" }] }]);
  expect(others).toMatchObject([{ errno: "EPERM", cause: "unknown" }]);
});

describe("adviseOn()", () => {
  const cases: [name: string, operations: Operation[], words: string][] = [
    ["a file", [read("/etc/passwd")], "-rofiles /etc/passwd"],
    ["one file of a folder", [read(data[0]!)], `-rofiles ${data[0]}`],
    ["files of one folder, as the folder", [read(data[0]!), read(data[1]!)], `-ro ${project}/data`],
    [
      "limits of a control group, which is another one each time",
      ["memory.max", "cpu.max"].map((name) => read(`/sys/fs/cgroup/a/4f2e/${name}`)),
      "-ro /sys/fs/cgroup",
    ],
    [
      "a file to make",
      [{ kind: "open", path: join(project, "out/x"), write: true, create: true }],
      `-rw ${project}/out`,
    ],
    [
      "a directory to make, and one in it",
      [make(join(project, "dist"))],
      `-rw +create_missing ${project}/dist`,
    ],
    [
      "looking up names",
      ["resolv.conf", "nsswitch.conf", "hosts"].map((name) => read(`/etc/${name}`)),
      "-preset dns",
    ],
    ["certificates", [read(certificate)], "-preset tls"],
    [
      "packages, from the first file on",
      [read(join(project, "node_modules/a/b.js"))],
      `-ro ${project}/node_modules`,
    ],
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
    const { flags, verdicts } = advise([read("/etc/passwd"), read(certificate)]);
    expect(flags).toEqual([
      ["-rofiles", "/etc/passwd"],
      ["-preset", "tls"],
    ]);
    expect(verdicts).toEqual(["needed", "needed"]);
  });

  test("what was granted before counts among the files of a folder", () => {
    expect(advise([read(data[5]!)], [data[0]!]).all).toEqual(["-ro", join(project, "data")]);
  });

  test("the policy says the same, and what no option can", () => {
    const own = join(project, "own");
    // A rule for the whole folder would open a secret.
    const { all, policy } = advise([read(own), read("/etc/passwd")]);
    expect(all).toEqual(["-rofiles", "/etc/passwd", "-list", own]);
    const paths = `[{ access = ["read_dir"], paths = ["${own}"] }]`;
    expect(policy.split("\n").sort()).toEqual([`paths = ${paths}`, 'roFiles = ["/etc/passwd"]']);
  });

  test("a directory for a file that the run made is not advised if secrets are in it", async () => {
    for (const name of ["replaced/held", "replaced/plain"]) {
      mkdirSync(join(project, name), { recursive: true });
    }
    writeFileSync(join(project, "replaced/held/.env"), "");
    const start = await startOfRun();
    for (const name of ["held", "plain"])
      writeFileSync(join(project, "replaced", name, "file"), "");
    const ask = (name: string) =>
      advise([read(join(project, "replaced", name, "file"))], [], project, start);
    expect(ask("plain").all).toEqual(["-ro", join(project, "replaced/plain")]);
    expect(ask("held")).toMatchObject({ all: [], verdicts: ["too wide"] });
    expect(ask("held").withheld.map(({ reason }) => reason)).toEqual(["exposing"]);
  });

  const file = (name: string) => join(project, name);
  const held: [name: string, operation: Operation, verdict: string, reason: string][] = [
    ["a key", read(join(home, ".ssh/id_ed25519")), "secret", "secret"],
    ["a folder of keys", read(join(home, ".ssh")), "secret", "secret"],
    ["a token", read(join(home, ".npmrc")), "secret", "secret"],
    ["a neighbour's .env", read(join(home, "other/.env")), "secret", "secret"],
    ["the home", read(home), "harmless", "listing"],
    ["what the home and the project are in", read(file("..")), "harmless", "listing"],
    ["the root", read("/"), "harmless", "listing"],
    ["/etc", read("/etc"), "harmless", "listing"],
    ["/var", { kind: "make", path: "/var/x", type: "regular" }, "too wide", "wide"],
    [
      "the home, for writing",
      { kind: "make", path: join(home, "x"), type: "regular" },
      "too wide",
      "wide",
    ],
    ["a cache's folder, to make in the home", make(join(home, ".cache")), "too wide", "wide"],
    ["one process", read("/proc/77/stat"), "too wide", "process"],
    ["a terminal", read("/dev/pts/77"), "too wide", "terminal"],
    [
      "the name of a thread",
      { kind: "open", path: "/proc/self/comm", write: true },
      "harmless",
      "own",
    ],
    [
      "writing to a control group",
      { kind: "open", path: "/sys/fs/cgroup/a/4f2e/cpu.max", write: true },
      "too wide",
      "wide",
    ],
    ["a hook", { kind: "open", path: file("own/.git/hooks/x"), write: true }, "too wide", "later"],
    [
      "a file beside .git",
      { kind: "open", path: file("own/x"), write: true, create: true },
      "too wide",
      "governing",
    ],
  ];
  for (const [name, operation, verdict, reason] of held) {
    test(`${name} is not advised: ${reason}`, () => {
      const { all, policy, verdicts, withheld } = advise([operation], [], join(project, "own"));
      expect([all, policy, verdicts]).toEqual([[], "", [verdict as never]]);
      expect(withheld.map((one) => one.reason)).toContain(reason as never);
    });
  }
});

describe("combining", () => {
  const verb = (name: "roDirs" | "roFiles" | "rwDirs", ...paths: string[]): RuleSpec => ({
    kind: "verb",
    verb: name,
    with: [],
    paths,
  });
  const words = (...ruleSpecs: RuleSpec[]) =>
    joinFlags(mergeRules(ruleSpecs).map((ruleSpec) => fixOf([ruleSpec]).flags)).join(" ");

  test("says each option once", () => {
    const ruleSpecs = [verb("roFiles", "/a/b"), verb("rwDirs", "/d"), verb("roFiles", "/a/c")];
    expect(words(...ruleSpecs)).toBe("-rofiles /a/b /a/c -rw /d");
    const made: RuleSpec = {
      ...(verb("rwDirs", "/e") as RuleSpec & { kind: "verb" }),
      ifMissing: "create",
    };
    expect(words(verb("rwDirs", "/d"), made)).toBe("-rw /d -rw +create_missing /e");
    expect(fixOf([made])).toMatchObject({
      code: 'rwDirs("/e").createIfMissing()',
      policy: 'paths = [{ access = "rw", paths = ["/e"], ifMissing = "create" }]',
    });
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

test("isHarmlessProbe() is what makes no difference", () => {
  const list = (path: string): Operation => ({ kind: "open", path, read: true });
  expect(isHarmlessProbe({ kind: "ioctl", path: "/dev/null" }, "bash", "/a/b")).toBe(true);
  expect(isHarmlessProbe({ kind: "ioctl", path: "/dev/tty" }, "bash", "/a/b")).toBe(false);
  expect(
    ["/", "/a", "/a/"].map((path) => isHarmlessProbe(list(path), "bun", "/a/b")),
  ).not.toContain(false);
  expect(
    ["/a/b", "/a/b/", "/c"].map((path) => isHarmlessProbe(list(path), "bun", "/a/b")),
  ).not.toContain(true);
  expect(isHarmlessProbe(list("/a"), "ls", "/a/b")).toBe(false);
  expect(isHarmlessProbe(list("/proc/self/statm"), "bun", "/a/b")).toBe(true);
  expect(isHarmlessProbe(list("/proc/self/maps"), "bun", "/a/b")).toBe(false);
});
