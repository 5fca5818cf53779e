/** Builds the package, packs it and installs it in an empty folder. */
import { join } from "node:path";
import { run, tempDir } from "./harness.ts";

const root = join(import.meta.dir, "..");

/** Installs the package in a new folder and returns that folder. */
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
