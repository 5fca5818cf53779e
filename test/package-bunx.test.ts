/** The installed command, with presets, around somebody else's tool. */
import { beforeAll, expect } from "bun:test";
import { copyFileSync, existsSync, mkdirSync, symlinkSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { kernelAbi, testUnless } from "./harness.ts";
import { installPacked, run } from "./packed.ts";
import { registryMissing, tool } from "./registry.ts";

const missing = kernelAbi < 1 ? "needs Landlock" : registryMissing;
let project = "";
let home = "";
let environment: Record<string, string> = {};

beforeAll(async () => {
  if (missing) return;
  project = await installPacked();
  home = join(project, "home");
  for (const name of ["home/.bun", "home/.ssh", "tmp", "bin", "work"]) {
    mkdirSync(join(project, name), { recursive: true });
  }
  await Bun.write(join(home, ".ssh/id_test"), "secret");
  // Which registry to ask.
  const settings = join(homedir(), ".npmrc");
  if (existsSync(settings)) copyFileSync(settings, join(home, ".npmrc"));
  // Most tools ask for node, and Bun is one when it is called so.
  for (const name of ["bun", "bunx", "node"]) {
    symlinkSync(process.execPath, join(project, "bin", name));
  }
  environment = {
    ...(process.env as Record<string, string>),
    HOME: home,
    TMPDIR: join(project, "tmp"),
    PATH: `${join(project, "bin")}:${process.env["PATH"]}`,
  };
}, 60_000);

/** In a folder of its own: the one above holds the home. */
function restricted(...command: string[]) {
  const presets = ["bun=children", "dns", "tls", "executable=bunx", "executable=env"];
  const options = [
    ...["-preset", ...presets, "-rw", "+refer", join(home, ".bun"), join(project, "tmp")],
    ...["-ro", join(project, "work"), "-rofiles", join(home, ".npmrc")],
  ];
  const cwd = join(project, "work");
  const tool = join(project, "node_modules/.bin/landlock-restrict");
  const settings = existsSync(join(home, ".npmrc")) ? options : options.slice(0, -2);
  return run([tool, ...settings, "--", ...command], cwd, environment);
}

testUnless(
  missing,
  "landlock-restrict -preset lets bunx fetch and run a tool of the registry",
  () => {
    const seen = restricted("bunx", "--bun", tool, "1.2.3", "-i", "minor");
    expect(seen).toMatchObject({ stdout: "1.3.0\n", code: 0 });
  },
  90_000,
);

testUnless(
  missing,
  "and nothing that runs there can read ~/.ssh",
  () => {
    const key = join(home, ".ssh/id_test");
    const probe = `try { console.log(require("node:fs").readFileSync(${JSON.stringify(key)}, "utf8")) } catch (e) { console.log(e.code) }`;
    expect(run([process.execPath, "-e", probe], home).stdout).toBe("secret\n");
    expect(restricted("bun", "-e", probe)).toMatchObject({ stdout: "EACCES\n", code: 0 });
  },
  90_000,
);
