/** Runs all test files in the guest as each user, and reports to the host. */
import { appendFileSync, chmodSync, existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { release } from "node:os";
import { probe } from "../../../src/index.ts";
import type { Finished, Message } from "./message.ts";

const channel = `/dev/${process.env["LANDLOCK_RESULTS"]}`;
const files = readFileSync("/tests", "utf8").trim().split("\n");
const fileMs = 15 * 60_000;

/** Most programs do not run as root. */
const users = {
  root: [],
  user: ["setpriv", "--reuid=1000", "--regid=1000", "--clear-groups"],
} as const;

function tell(message: Message): void {
  appendFileSync(channel, `${JSON.stringify(message)}\n`);
}

async function runFile(user: keyof typeof users, file: string, lane = 0): Promise<Finished> {
  const home = `/tmp/${user}/home`;
  const junit = `${home}/junit-${lane}.xml`;
  const paths = { stdout: `/tmp/${user}/stdout-${lane}`, stderr: `/tmp/${user}/stderr-${lane}` };
  for (const path of [junit, paths.stdout, paths.stderr]) rmSync(path, { force: true });
  // Files instead of pipes: a process left by a killed test would keep a pipe open.
  const output = { stdout: Bun.file(paths.stdout), stderr: Bun.file(paths.stderr) };
  const started = performance.now();
  const child = Bun.spawn(
    [
      ...users[user],
      ...["bun", "test", "--timeout=120000", "--reporter=junit", `--reporter-outfile=${junit}`],
      `./${file}`,
    ],
    {
      env: { ...process.env, HOME: home, USER: user },
      stdin: "ignore",
      ...output,
      timeout: fileMs,
      killSignal: "SIGKILL",
    },
  );
  await child.exited;
  const [stdout, stderr] = [await output.stdout.text(), await output.stderr.text()];
  const status = child.signalCode ?? child.exitCode ?? "unknown";
  return {
    kind: "finished",
    user,
    file,
    status,
    seconds: (performance.now() - started) / 1000,
    junit: existsSync(junit) ? readFileSync(junit, "utf8") : "",
    inapplicable: stderr.split("\n").filter((line) => line.startsWith("not applicable: ")),
    notes: stdout.split("\n").filter((line) => line.startsWith("note: ")),
    output: status === 0 ? "" : `${stdout}${stderr}`.slice(-20_000),
  };
}

const chosen = (process.env["LANDLOCK_TEST_USERS"] ?? "").split(",") as (keyof typeof users)[];
/** Denials may depend on privileges; reaching threads does not, and these tests take long. */
const usersOf = (file: string) =>
  chosen.filter((user) => user === "user" || !file.startsWith("test/threads/"));
const [guard, ...others] = files.flatMap((file) => usersOf(file).map((user) => ({ user, file })));
const status = Bun.spawnSync(["bun", "src/cli.ts", "status"]).stdout.toString();
const started = { kind: "started", release: release(), abi: probe().abi, status } as const;
tell({ ...started, files: 1 + others.length });
for (const user of chosen) {
  mkdirSync(`/tmp/${user}/home`, { recursive: true });
  chmodSync(`/tmp/${user}/home`, 0o777);
}
if (guard !== undefined) tell(await runFile(guard.user, guard.file));
// Two at a time: each test mostly waits for one process, and there are two CPUs.
const lane = async (number: number): Promise<void> => {
  for (let next; (next = others.shift());) tell(await runFile(next.user, next.file, number));
};
await Promise.all([lane(1), lane(2)]);
tell({ kind: "ended" });
