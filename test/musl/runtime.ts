/** The Bun that is built for musl, on a machine with glibc. */
import { chmodSync, copyFileSync, existsSync, mkdirSync, mkdtempSync, renameSync } from "node:fs";
import { join } from "node:path";

const folder = join(import.meta.dir, "../../node_modules/.bun-musl", Bun.version);
const name = "@oven/bun-linux-x64-musl";

/** Where Debian has them; the musl Bun is linked with the first, which needs the second. */
const gccLibraries = ["libstdc++.so.6", "libgcc_s.so.1"];
const systemFolder = "/usr/lib/x86_64-linux-gnu";

/** A Bun that runs with musl, and what it needs in its environment. */
export interface MuslBun {
  readonly bun: string;
  readonly env: { readonly LD_LIBRARY_PATH: string };
}

const musl: MuslBun = {
  bun: join(folder, "node_modules", name, "bin", "bun"),
  env: { LD_LIBRARY_PATH: join(folder, "lib") },
};

/** Whether an earlier run has left it in `node_modules`. */
export const isInstalled = existsSync(musl.bun) && existsSync(musl.env.LD_LIBRARY_PATH);

function must(command: readonly string[], cwd: string): void {
  const done = Bun.spawnSync([...command], { cwd, timeout: 60_000 });
  if (!done.success) throw new Error(`${command.join(" ")} failed:\n${done.stderr.toString()}`);
}

/** Installs it from npm as this machine is set up for that, and compiles what musl lacks. */
export async function muslBun(): Promise<MuslBun> {
  if (isInstalled) return musl;
  mkdirSync(join(folder, ".."), { recursive: true });
  const unfinished = mkdtempSync(`${folder}-`);
  const libraries = join(unfinished, "lib");
  mkdirSync(libraries);
  await Bun.write(join(unfinished, "package.json"), "{}");
  must([process.execPath, "add", "--exact", `${name}@${Bun.version}`], unfinished);
  for (const library of gccLibraries)
    copyFileSync(join(systemFolder, library), join(libraries, library));
  // Those two need glibc's dynamic linker too, for some of what is in it.
  const lacking = join(import.meta.dir, "lacking.c");
  const output = join(libraries, "ld-linux-x86-64.so.2");
  must(["musl-gcc", "-shared", "-fPIC", "-fno-builtin", lacking, "-o", output], unfinished);
  chmodSync(unfinished, 0o755);
  if (!existsSync(folder)) renameSync(unfinished, folder);
  return musl;
}
