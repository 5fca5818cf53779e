/**
 * A demo on real input, in three steps. They show a sandboxed command, a sandboxed child of an
 * unrestricted program, and a Bun process that restricts itself and its Worker. Run it with
 * `bun run demo`.
 */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { landlock, LandlockError, probe, roDirs, roFiles, rwDirs, rwFiles } from "../index.ts";

const license = join(import.meta.dir, "..", "..", "LICENSE");
const cli = join(import.meta.dir, "..", "cli.ts");

/** What programs need to start on most systems. */
const system = [
  roDirs("/usr", "/bin", "/lib", "/lib64", "/etc").ignoreIfMissing(),
  rwFiles("/dev/null"),
];

function show(command: string, output: string): void {
  console.log(`  $ ${command}`);
  for (const line of output.trimEnd().split("\n")) console.log(`    ${line}`);
}

async function attempt(what: string, action: () => unknown): Promise<void> {
  try {
    await action();
    console.log(`  works   ${what}`);
  } catch (error) {
    console.log(`  denied  ${what}: ${(error as { code?: string }).code ?? error}`);
  }
}

function sandboxedCommand(project: string): void {
  console.log("\n1. A command that may read the system and write to its project only");
  const options = ["-ro", "/usr", "/bin", "/lib", "/etc", "-rw", ".", "/dev/null"];
  const shell = "sort -u license.txt | wc -l > count; cat count; cat ../secret.txt; ls ..";
  const command = [process.execPath, cli, ...options, "--", "sh", "-c", `(${shell}) 2>&1`];
  const { stdout, stderr } = Bun.spawnSync(command, { cwd: project });
  show(`landlock-restrict ${options.join(" ")} -- sh -c '${shell}'`, `${stdout}${stderr}`);
}

async function sandboxedChild(project: string, secret: string): Promise<void> {
  console.log("\n2. A sandboxed child, while this process stays free");
  using ruleset = landlock.V11.bestEffort().ruleset(...system, roDirs(project));
  const grep = ["grep", "-c", "Software", "license.txt", "../secret.txt"];
  const { stdout, stderr } = ruleset.spawnSync(grep, { cwd: project });
  show(grep.join(" "), `${stdout}${stderr}`);
  await attempt("the parent reads the secret", () => readFileSync(secret));
}

async function sandboxedProcess(project: string, secret: string): Promise<void> {
  console.log("\n3. A Bun process that restricts itself, with a Worker that is there before");
  const worker = new Worker(
    `data:text/javascript,self.onmessage = async ({ data }) => {
      postMessage(await Bun.file(data).text().then(() => "", ({ code }) => code)); };`,
  );
  const askWorker = () =>
    new Promise<void>((resolve, reject) => {
      worker.onmessage = ({ data: code }) => (code ? reject({ code }) : resolve());
      worker.postMessage(secret);
    });
  await attempt("the Worker reads the secret", askWorker);
  const rules = [...system, roFiles(license), rwDirs(project)];
  const report = landlock.V11.bestEffort().restrictPaths(...rules);
  console.log(`  restricted: ${report.enforcement}, ${report.threads.count} threads`);
  await attempt("reading a granted file", () => readFileSync(license));
  await attempt("writing beneath a granted directory", () => Bun.write(`${project}/new`, "text"));
  await attempt("readFileSync() of the secret", () => readFileSync(secret));
  await attempt("fs.promises.readFile() of it, in the thread pool", () => readFile(secret));
  await attempt("Bun.file().text() of it", () => Bun.file(secret).text());
  await attempt("the Worker reads it again", askWorker);
  await attempt("a child process reads it", () => {
    const cat = Bun.spawnSync(["cat", secret]);
    if (!cat.success) throw cat.stderr.toString().trim();
  });
  worker.terminate();
}

async function demo(): Promise<void> {
  const { state, abi, remedy } = probe();
  console.log(`Landlock: ${state}, ABI ${abi}${remedy && `: ${remedy}`}`);
  const folder = mkdtempSync(join(tmpdir(), "landlock-demo-"));
  const project = join(folder, "project");
  const secret = join(folder, "secret.txt");
  await Bun.write(secret, "nobody's business\n");
  await Bun.write(join(project, "license.txt"), Bun.file(license));
  try {
    sandboxedCommand(project);
    await sandboxedChild(project, secret);
    // A separate process is restricted, so that this one can remove the folder.
    const self = [process.execPath, import.meta.path, project, secret];
    process.exitCode = Bun.spawnSync(self, { stdout: "inherit", stderr: "inherit" }).exitCode;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const [project, secret] = process.argv.slice(2);
try {
  await (project && secret ? sandboxedProcess(project, secret) : demo());
} catch (error) {
  if (!(error instanceof LandlockError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
