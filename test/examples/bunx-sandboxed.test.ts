/** Installs and runs other people's packages, without a sandbox and in one. */
import { afterAll, expect, test } from "bun:test";
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { kernelAbi, tempDir, testFromAbi, testUnless } from "../harness.ts";
import { registryMissing, tool } from "../registry.ts";
import { packHostile, type Attempts } from "./hostile-package.ts";
import { example } from "./programs.ts";

const server = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
server.unref();

/** Root's capabilities open every process's environment despite Landlock; users have none. */
const asUser =
  process.getuid!() === 0 ? ["setpriv", "--bounding-set", "-all", "--inh-caps", "-all"] : [];

/** A process with a secret environment. */
const bystander = Bun.spawn([...asUser, "cat"], { stdin: "pipe" });
afterAll(() => bystander.kill());

const allowed: Attempts = { key: "ok", write: "ok", listing: "ok", environ: "ok", connect: "ok" };
const denied: Attempts = {
  key: "EACCES",
  write: "EACCES",
  listing: "EACCES",
  environ: "EACCES",
  connect: "EACCES",
};

/** A home with a key, and a project that trusts a package it should not trust. */
function makePlace() {
  const folder = tempDir();
  const [home, project] = [join(folder, "home"), join(folder, "project")];
  mkdirSync(join(home, ".ssh"), { recursive: true });
  mkdirSync(project);
  writeFileSync(join(home, ".ssh", "id_test"), "key");
  const targets = { home, outside: folder, port: server.port, pid: bystander.pid };
  copyFileSync(packHostile(folder, targets), join(project, "hostile.tgz"));
  const dependencies = { hostile: "./hostile.tgz" };
  const manifest = { name: "project", dependencies, trustedDependencies: ["hostile"] };
  writeFileSync(join(project, "package.json"), JSON.stringify(manifest));
  const seenIn = (path: string) =>
    JSON.parse(readFileSync(join(project, path), "utf8")) as { seen: Attempts; names: string[] };
  const run = (command: string[]) => {
    const PATH = `${dirname(process.execPath)}:${process.env["PATH"]}`;
    const env = { ...process.env, PATH, HOME: home, TOKEN: "secret" };
    const done = Bun.spawnSync([...asUser, ...command], { cwd: project, env, timeout: 60_000 });
    expect(done).toMatchObject({ exitCode: 0 });
  };
  return { folder, run, seenIn, built: "node_modules/hostile/built.json" };
}

const sandboxed = [process.execPath, example("bunx-sandboxed")];

testFromAbi(4, "an install script reaches everything, and in the sandbox its package", async () => {
  const plain = makePlace();
  plain.run([process.execPath, "install"]);
  expect(plain.seenIn(plain.built)).toMatchObject({ seen: allowed });
  expect(plain.seenIn(plain.built).names).toContain("TOKEN");

  const place = makePlace();
  place.run([...sandboxed, "install"]);
  expect(place.seenIn(place.built).seen).toEqual(denied);
  expect(place.seenIn(place.built).names).not.toContain("TOKEN");
  expect(existsSync(join(place.folder, "written"))).toBe(false);
  expect(existsSync(join(place.folder, "project", "bun.lock"))).toBe(true);
});

testFromAbi(
  4,
  "the same in the shell, with landlock-restrict, as the example's comment has it",
  async () => {
    const text = readFileSync(example("bunx-sandboxed"), "utf8");
    const lines = text.match(/^ \* {5}bun install --ignore-scripts[^]*?\n \*(?=[\n/])/m)![0];
    const script = lines.replaceAll(/^ \* */gm, "");
    expect(script).toContain("--offline");
    const cli = join(import.meta.dir, "..", "..", "src", "cli.ts");
    const tool = `landlock-restrict() { bun "${cli}" "$@"; }`;
    const place = makePlace();
    place.run(["bash", "-ec", `${tool}\n${script}`]);
    expect(place.seenIn(place.built).seen).toEqual(denied);
    expect(place.seenIn(place.built).names).not.toContain("TOKEN");
  },
);

testFromAbi(4, "a tool reaches everything, and in the sandbox the current directory", async () => {
  const plain = makePlace();
  plain.run([process.execPath, "install", "--ignore-scripts"]);
  plain.run([process.execPath, "x", "--bun", "--no-install", "hostile", "seen.json"]);
  expect(plain.seenIn("seen.json")).toMatchObject({ seen: allowed });

  const place = makePlace();
  place.run([...sandboxed, "./hostile.tgz", "seen.json"]);
  expect(place.seenIn("seen.json").seen).toEqual(denied);
  expect(place.seenIn("seen.json").names).not.toContain("TOKEN");
  expect(existsSync(join(place.folder, "project", "node_modules"))).toBe(false);
});

test("bunx-sandboxed.ts refuses to grant a whole home", () => {
  const home = tempDir();
  for (const cwd of [home, dirname(home)]) {
    const options = { cwd, env: { ...process.env, HOME: home } };
    const { stderr, exitCode } = Bun.spawnSync([...sandboxed, "install"], options);
    expect(stderr.toString()).toContain("holds your home");
    expect(exitCode).toBe(1);
  }
});

testUnless(
  kernelAbi < 4 ? "needs Landlock ABI 4" : registryMissing,
  "a tool of the registry runs in the sandbox",
  () => {
    const command = [...sandboxed, tool, "1.2.3", "-i", "minor"];
    const { stdout, exitCode } = Bun.spawnSync(command, { cwd: tempDir(), timeout: 60_000 });
    expect([exitCode, stdout.toString()]).toEqual([0, "1.3.0\n"]);
  },
  90_000,
);
