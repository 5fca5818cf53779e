/** The musl build of Bun, on a machine with glibc. */
import { chmodSync, copyFileSync, existsSync, mkdirSync, mkdtempSync, renameSync } from "node:fs";
import { join } from "node:path";

const folder = join(import.meta.dir, "../../node_modules/.bun-musl", Bun.version);
const name = "@oven/bun-linux-x64-musl";

/** Debian's paths; the musl Bun links to the first library, which needs the second. */
const gccLibraries = ["libstdc++.so.6", "libgcc_s.so.1"];
const systemFolder = "/usr/lib/x86_64-linux-gnu";

/** A musl Bun and the environment that it needs. */
export interface MuslBun {
  readonly bun: string;
  readonly env: { readonly LD_LIBRARY_PATH: string };
}

const musl: MuslBun = {
  bun: join(folder, "node_modules", name, "bin", "bun"),
  env: { LD_LIBRARY_PATH: join(folder, "lib") },
};

/** Whether an earlier run left it in `node_modules`. */
export const isInstalled = existsSync(musl.bun) && existsSync(musl.env.LD_LIBRARY_PATH);

function must(command: readonly string[], cwd: string): void {
  const done = Bun.spawnSync([...command], { cwd, timeout: 60_000 });
  if (!done.success) throw new Error(`${command.join(" ")} failed:\n${done.stderr.toString()}`);
}

/** Installs it from npm by this machine's settings, and compiles what musl lacks. */
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
  // Parts of those two also need glibc's dynamic linker.
  const lacking = join(import.meta.dir, "lacking.c");
  const output = join(libraries, "ld-linux-x86-64.so.2");
  must(["musl-gcc", "-shared", "-fPIC", "-fno-builtin", lacking, "-o", output], unfinished);
  chmodSync(unfinished, 0o755);
  if (!existsSync(folder)) renameSync(unfinished, folder);
  return musl;
}
