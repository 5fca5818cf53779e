/** Runs worlds, each in a process of its own. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Privileges, Report, World } from "./world.ts";

/** `child.ts`, or its bundle: an emulated CPU takes half a second to read the sources. */
const child = process.env["LANDLOCK_TEST_WORLD"] ?? join(import.meta.dir, "child.ts");

function works(command: readonly string[]): boolean {
  const mount = ["mount", "-t", "tmpfs", "tmpfs", tmpdir()];
  return Bun.spawnSync([...command, ...mount], { stdio: ["ignore", "ignore", "ignore"] }).success;
}

/** What this user may do on this machine. */
export function privilegesHere(): Privileges {
  const root = process.getuid?.() === 0;
  const asRoot = ["unshare", "--mount"];
  const asUser = ["unshare", "--user", "--map-root-user", "--mount"];
  const unshare = [asRoot, asUser].find(works) ?? [];
  return { unshare, devices: root };
}

export interface RunSettings {
  /** Time limit of its process, in milliseconds. */
  readonly timeoutMs: number;
  /** Whether to ask the wrong models too. */
  readonly wrong: boolean;
}

/**
 * Runs a world.
 *
 * @throws If its process does not finish
 */
export async function runWorld(
  world: World,
  privileges: Privileges,
  { timeoutMs, wrong }: RunSettings,
): Promise<Report> {
  const folder = mkdtempSync(join(tmpdir(), "landlock-world-"));
  try {
    const input = JSON.stringify([world, folder, privileges.devices, wrong]);
    const prefix = world.mounts ? privileges.unshare : [];
    await using running = Bun.spawn([...prefix, process.execPath, child, input], {
      stdin: "ignore",
      stdout: "pipe",
      stderr: "pipe",
      timeout: timeoutMs,
      killSignal: "SIGKILL",
    });
    const [stdout, stderr, code] = await Promise.all([
      running.stdout.text(),
      running.stderr.text(),
      running.exited,
    ]);
    const answer = stdout.slice(stdout.lastIndexOf("\n") + 1);
    if (code !== 0 || !answer.startsWith("{")) {
      throw new Error(`a world ended with ${running.signalCode ?? code}\n${stdout}${stderr}`);
    }
    return JSON.parse(answer) as Report;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
