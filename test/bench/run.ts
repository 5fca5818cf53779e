/**
 * `bun run bench`: start-up of the packed package, spawning and the command line, each next to
 * what it is measured against, in one run.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { landlock, roDirs, rwFiles } from "../../src/index.ts";
import { command, compare } from "./measure.ts";

const root = join(import.meta.dir, "..", "..");
const folder = mkdtempSync(join(tmpdir(), "landlock-bench-"));
const bun = process.execPath;

function prepare(words: string[], cwd: string): void {
  const done = Bun.spawnSync(words, { cwd });
  if (!done.success) throw new Error(done.stderr.toString());
}

prepare([bun, "run", "build"], root);
prepare([bun, "pm", "pack", "--filename", join(folder, "package.tgz")], root);
await Bun.write(join(folder, "package.json"), "{}");
prepare([bun, "add", "./package.tgz"], folder);

const tenRules = ["/usr", "/bin", "/lib", "/etc", "/opt", "/var", "/tmp", "/home", "/srv", "/mnt"]
  .map((path) => `roDirs(${JSON.stringify(path)})`)
  .join(", ");
const scripts = {
  "empty.ts": "",
  "import.ts": 'import "bun-landlock";',
  "enforce.ts": `import { landlock, roDirs } from "bun-landlock";
landlock.V11.bestEffort().restrictPaths(${tenRules});`,
};
for (const [name, text] of Object.entries(scripts)) await Bun.write(join(folder, name), text);

compare(
  "Start-up of the installed package",
  60,
  Object.keys(scripts).map((name) => command(`bun ${name}`, [bun, name], folder)),
);

const cli = join(folder, "node_modules", ".bin", "landlock-restrict");
compare("The command line", 60, [
  command("bun empty.ts", [bun, "empty.ts"], folder),
  command(
    "landlock-restrict -ro /usr /bin /lib -- /bin/true",
    [cli, "-ro", "/usr", "/bin", "/lib", "--", "/bin/true"],
    folder,
  ),
]);

using ruleset = landlock.V11.bestEffort().ruleset(
  roDirs("/usr", "/bin", "/lib"),
  roDirs("/lib64").ignoreIfMissing(),
  rwFiles("/dev/null"),
);
compare("Spawning", 200, [
  { name: 'Bun.spawnSync(["/bin/true"])', run: () => void Bun.spawnSync(["/bin/true"]) },
  { name: 'ruleset.spawnSync(["/bin/true"])', run: () => void ruleset.spawnSync(["/bin/true"]) },
]);

rmSync(folder, { recursive: true });
