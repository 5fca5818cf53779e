/** Finds the bootable file of a kernel package. */
import { existsSync, mkdtempSync, renameSync } from "node:fs";
import { basename, join } from "node:path";
import type { Apt } from "./apt.ts";
import { cacheFolder } from "./cache.ts";
import { run } from "./run-command.ts";
import type { Kernel } from "./table.ts";

/** The path of this row's latest kernel, downloaded and unpacked. */
export async function linuxOf(kernel: Kernel, apt: Apt): Promise<string> {
  const archive = await apt.download(await apt.latest(kernel.package));
  const folder = join(cacheFolder("linux"), basename(archive, ".deb"));
  if (!existsSync(folder)) {
    const unfinished = mkdtempSync(`${folder}-`);
    await run(["dpkg-deb", "--extract", archive, unfinished]);
    renameSync(unfinished, folder);
  }
  // In /boot up to Linux 6.18, later next to the modules.
  const [found] = new Bun.Glob("**/vmlinuz*").scanSync(folder);
  if (found === undefined) throw new Error(`${basename(archive)} has no vmlinuz`);
  return join(folder, found);
}
