/** The package's two bins: each command, and the ways to start them. */
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { needsStrace } from "../observe/strace.ts";
import type { Call, Entry, Way } from "./entries.ts";
import type { Scene } from "./scene.ts";

const binsOf = ({ project }: Scene) => join(project, "node_modules", ".bin");
const bin = (scene: Scene) => join(binsOf(scene), "landlock-restrict");

/** Links to the package: below the current directory, above it, and a chain of links. */
function prepare(scene: Scene): readonly string[] {
  const { folders, root, project } = scene;
  symlinkSync(binsOf(scene), join(folders.cwd, "tools"));
  symlinkSync(bin(scene), join(folders.cwd, "-x"));
  symlinkSync("second", join(folders.links, "landlock-restrict"));
  symlinkSync("../third", join(folders.links, "second"));
  symlinkSync(bin(scene), join(root, "third"));
  symlinkSync(join(project, "node_modules"), join(root, "node_modules"));
  writeFileSync(join(root, "package.json"), "{}");
  mkdirSync(join(root, "shells"));
  symlinkSync("/bin/bash", join(root, "shells", "sh"));
  return [join(project, "node_modules", "bun-landlock", "dist", "cli.js"), bin(scene)];
}

/** A shell runs the name, which it looks up on PATH unless it contains a slash. */
const byShell = (name: string) => ["/bin/sh", "-c", 'exec "$0" "$@"', name];

/** A PATH that begins with this folder; empty means the current directory. */
const first = ({ env }: Scene, folder: string) => ({ PATH: `${folder}:${env["PATH"]}` });

const always: readonly [name: string, call: (scene: Scene) => Call][] = [
  ["absolute", (scene) => ({ command: [bin(scene)] })],
  ["relative", () => ({ command: byShell("tools/landlock-restrict") })],
  ["./relative", () => ({ command: byShell("./tools/landlock-restrict") })],
  [
    "PATH, absolute",
    (scene) => ({ command: byShell("landlock-restrict"), env: first(scene, binsOf(scene)) }),
  ],
  ["PATH, relative", (scene) => ({ command: byShell("bun-landlock"), env: first(scene, "tools") })],
  ["a chain of links", ({ folders }) => ({ command: [join(folders.links, "landlock-restrict")] })],
  ["bun x", () => ({ command: [process.execPath, "x", "bun-landlock"] })],
];

/** Gives sh a name without a slash, as if these lines were its input. */
const emptyEntry: Way = {
  name: "PATH, empty, a name that looks like an option",
  call: (scene) => ({ command: ["/usr/bin/env", "--", "-x"], env: first(scene, "") }),
  refusal: "cannot find its own file: call it by its path, without naming a shell",
};

/** Ways that need a program: shells, started as the kernel does for a script that names them. */
const withProgram: readonly [program: string, ...(typeof always)[number]][] = [
  [
    "bash",
    "bash as sh",
    (scene) => ({ command: [join(scene.root, "shells", "sh"), "-", bin(scene)] }),
  ],
  ["busybox", "BusyBox's sh", (scene) => ({ command: ["busybox", "sh", "-", bin(scene)] })],
  [
    "busybox",
    "BusyBox's env",
    (scene) => ({ command: ["busybox", "env", "bun-landlock"], env: first(scene, "tools") }),
  ],
];

/**
 * npm searches `sh` on a PATH that begins with each parent's `node_modules/.bin`, and reads .npmrc.
 */
const npx: Way = {
  name: "npx",
  call: () => ({
    command: ["npx", "--", "bun-landlock"],
    env: { npm_config_update_notifier: "false" },
  }),
  beyond: ["settings", "package"],
};

/** CI promises them, so a missing one is a failure there. */
const isHere = (program: string) => process.env["CI"] || Bun.which(program);

const ways: readonly Way[] = [
  ...[
    ...always,
    ...withProgram.filter(([program]) => isHere(program)).map(([, ...way]) => way),
  ].map(([name, call]) => ({ name, call })),
  emptyEntry,
  ...(isHere("npx") ? [npx] : []),
];

/** Proves that it runs, what an environment file set, and that the sandbox holds. */
const command = [
  "/bin/sh",
  "-c",
  "/usr/bin/env | /bin/grep DOOR_; (: >denied) 2>/dev/null || echo held",
];
const sandboxed = ["-ro", "/", "-rwfiles", "/dev/null", "--", ...command];

let learned = 0;
const learning = ({ root }: Scene) => ["learn", "-o", join(root, `${++learned}.toml`), "--"];

function entry(name: string, words: Entry["words"], right: Entry["right"], slow = false): Entry {
  return { name, ways, prepare, words, right, slow };
}

const held = (stdout: string) => stdout === "held\n";

const quick: readonly Entry[] = [
  entry(
    "run",
    () => sandboxed,
    ({ stdout, stderr, code }) => held(stdout) && stderr === "" && code === 0,
  ),
  entry(
    "--",
    () => ["--", "-ro", "/", "--", ...command],
    // bunx adds folders to PATH that may contain such a file: the sandbox denies it.
    ({ stdout, stderr, code }) =>
      stdout === "" &&
      ((code === 127 && stderr.includes('cannot execute "-ro"')) ||
        (code === 126 && stderr.includes('/-ro": execve failed with EACCES'))),
  ),
  entry(
    "plan",
    () => ["plan", ...sandboxed],
    ({ stdout }) => stdout.startsWith("enforcement: "),
  ),
  entry(
    "status",
    () => ["status"],
    ({ stdout }) => stdout.startsWith("Landlock: "),
  ),
  entry(
    "--version",
    () => ["--version"],
    ({ stdout }) => /^landlock-restrict \d/.test(stdout),
  ),
  entry(
    "-h",
    () => ["-h"],
    ({ stdout }) => stdout.startsWith("Usage:\n"),
  ),
];

const slow: readonly Entry[] = [
  entry(
    "explain",
    () => ["explain", ...sandboxed],
    ({ stdout, stderr, code }) =>
      held(stdout) && code === 0 && /It worked without 1 operation/.test(stderr),
    true,
  ),
  entry(
    "explain inside",
    (scene) => ["-rw", "/", "--", bin(scene), "explain", ...sandboxed],
    ({ stdout, stderr, code }) =>
      held(stdout) && code === 0 && /It worked without 1 operation/.test(stderr),
    true,
  ),
  entry(
    "learn",
    (scene) => [...learning(scene), "/bin/sh", "-c", "/usr/bin/env | /bin/grep DOOR_; echo held"],
    ({ stdout, stderr, code }) => held(stdout) && code === 0 && stderr.includes("written"),
    true,
  ),
  entry(
    "learn inside",
    (scene) => [
      ...["-rw", "/", "--", bin(scene), ...learning(scene)],
      ...["/bin/sh", "-c", "/usr/bin/env | /bin/grep DOOR_; echo held"],
    ],
    ({ stdout, stderr, code }) => held(stdout) && code === 0 && stderr.includes("written"),
    true,
  ),
];

export const landlockRestrict: readonly Entry[] = [...quick, ...(needsStrace ? [] : slow)];
