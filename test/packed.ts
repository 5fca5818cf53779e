/** The published form: built, packed, and installed in an empty folder. */
import { join } from "node:path";
import { tempDir } from "./harness.ts";

const root = join(import.meta.dir, "..");

/** What a command printed, and its exit code. */
export function run(command: readonly string[], cwd: string, env?: Record<string, string>) {
  const options = { cwd, timeout: 60_000, ...(env ? { env } : {}) };
  const { exitCode: code, stdout, stderr } = Bun.spawnSync([...command], options);
  return { stdout: stdout.toString(), stderr: stderr.toString(), code };
}

/** Installs the package in a new folder; returns the folder. */
export async function installPacked(): Promise<string> {
  const folder = tempDir();
  const bun = process.execPath;
  const steps = [
    run([bun, "run", "build"], root),
    run([bun, "pm", "pack", "--filename", join(folder, "package.tgz")], root),
    (await Bun.write(join(folder, "package.json"), "{}"),
    run([bun, "add", "./package.tgz"], folder)),
  ];
  for (const { code, stderr } of steps) if (code !== 0) throw new Error(stderr);
  return folder;
}
