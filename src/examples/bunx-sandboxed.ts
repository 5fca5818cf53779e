/**
 * Other people's packages in a sandbox: `bun install` with its install scripts, and `bunx`.
 *
 *     bun src/examples/bunx-sandboxed.ts install
 *     bun src/examples/bunx-sandboxed.ts cowsay hello
 *
 * The first step downloads with Bun and runs nothing that it downloads. This step may read your
 * ~/.npmrc and use the network. The second step runs the foreign code without either. It can read
 * the system and the project, and write to node_modules (install scripts) or to the current
 * directory (a tool). Denied: ~/.ssh and everything else in your home, writing elsewhere, every TCP
 * port, signals, and the environment of other processes. Its own environment only has your PATH
 * and TERM.
 *
 * Don't run it as root: its capabilities still reach the environment of other processes. Code that
 * a project later imports from node_modules has the project's rights. A tool that may write to a
 * project can also write to its .git/hooks, so check its changes before you continue.
 *
 * The same sandbox for `install` in the shell:
 *
 *     bun install --ignore-scripts --cache-dir node_modules/.cache
 *     landlock-restrict -ro /usr /bin /lib /etc /proc /sys/devices/system/cpu . \
 *       -rofiles "$(command -v bun)" -rw +refer node_modules -rwfiles /dev/null -connecttcp \
 *       -scoped -clearenv -env PATH TERM HOME="$PWD/node_modules/.cache" -- \
 *       bun install --force --offline --frozen-lockfile --cache-dir node_modules/.cache
 */
import { existsSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { basename, join, resolve } from "node:path";
import { accessFs, landlock, LandlockError, roDirs, roFiles, rwDirs, rwFiles } from "bun-landlock";
import type { Rule, Ruleset } from "bun-landlock";

const bun = process.execPath;
const system = [
  roDirs("/usr", "/bin", "/lib", "/lib64", "/etc", "/proc").ignoreIfMissing(),
  roDirs("/sys/devices/system/cpu").ignoreIfMissing(),
  roFiles(bun),
  rwFiles("/dev/null"),
];

/** A home, a cache and temporary files for one run. */
function makeScratch() {
  const root = mkdtempSync(join(tmpdir(), "bunx-sandboxed-"));
  for (const name of ["home", "tmp", "bin"]) mkdirSync(join(root, name));
  // Most tools need node. Bun acts as node if it is started under that name.
  for (const name of ["bun", "node"]) symlinkSync(bun, join(root, "bin", name));
  const env = { BUN_INSTALL_CACHE_DIR: join(root, "cache"), TMPDIR: join(root, "tmp") };
  return { root, env, [Symbol.dispose]: () => rmSync(root, { recursive: true }) };
}

type Scratch = ReturnType<typeof makeScratch>;
type Environment = Record<string, string | undefined>;

function run(ruleset: Ruleset, command: string[], cwd: string, env: Environment): number {
  using open = ruleset;
  return open.spawnSync(command, { cwd, env, stdio: ["inherit", "inherit", "inherit"] }).exitCode;
}

/** The first step: only Bun runs, with the network and the user's registry. */
function download(scratch: Scratch, target: string, args: string[], ...rules: Rule[]): void {
  const settings = [".npmrc", ".bunfig.toml"].map((name) => join(homedir(), name));
  const ruleset = landlock
    .config({ fs: accessFs })
    .bestEffort({ atLeast: 1 })
    .ruleset(
      ...system,
      roFiles(...settings).ignoreIfMissing(),
      ...rules,
      rwDirs(scratch.root, target).withRefer(),
    );
  const command = [bun, ...args, "--ignore-scripts", "--no-summary"];
  const code = run(ruleset, command, target, { ...process.env, ...scratch.env });
  if (code !== 0) throw new Error(`Nothing was run: the download ended with ${code}`);
}

/** The second step: the package's code runs with only these rules. */
function confine(scratch: Scratch, command: string[], cwd: string, ...rules: Rule[]): number {
  const { PATH = "", TERM = "dumb" } = process.env;
  const ruleset = landlock.V11.bestEffort({ atLeast: 4 }).ruleset(
    ...system,
    rwDirs(scratch.root).withRefer(),
    ...rules,
  );
  const own = { HOME: join(scratch.root, "home"), PATH: `${scratch.root}/bin:${PATH}`, TERM };
  return run(ruleset, command, cwd, { ...own, ...scratch.env });
}

function install(scratch: Scratch, project: string): number {
  download(scratch, project, ["install"]);
  const modules = join(project, "node_modules");
  mkdirSync(modules, { recursive: true });
  const again = [bun, "install", "--force", "--offline", "--frozen-lockfile"];
  return confine(scratch, again, project, roDirs(project), rwDirs(modules).withRefer());
}

/** Runs a tool from a package's name or archive. */
async function runTool(scratch: Scratch, project: string, name: string, args: string[]) {
  const archive = existsSync(name) ? [resolve(name)] : [];
  download(scratch, scratch.root, ["add", archive[0] ?? name], roFiles(...archive));
  const manifest = (folder: string) => Bun.file(join(scratch.root, folder, "package.json")).json();
  const [tool] = Object.keys((await manifest(".")).dependencies) as [string];
  const { bin = {} } = await manifest(join("node_modules", tool));
  const own = basename(tool);
  const program = typeof bin === "string" || bin[own] ? own : (Object.keys(bin)[0] ?? own);
  const path = join(scratch.root, "node_modules", ".bin", program);
  return confine(scratch, [path, ...args], project, rwDirs(project).withRefer());
}

async function main([first, ...args]: string[]): Promise<number> {
  if (first === undefined) throw new Error("Name a tool, or say install");
  const project = process.cwd();
  if (existsSync(homedir()) && `${realpathSync(homedir())}/`.startsWith(join(project, "/"))) {
    throw new Error("The current directory holds your home: change to a project in it");
  }
  using scratch = makeScratch();
  // Awaited here, because the scratch folder is removed when this function returns.
  return first === "install"
    ? install(scratch, project)
    : await runTool(scratch, project, first, args);
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  console.error(error instanceof LandlockError ? error.message : String(error));
  process.exitCode = 1;
}
