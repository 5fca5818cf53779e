/** Runs in the guest: all test files, one after the other, as each user; tells the host. */
import { appendFileSync, chmodSync, existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { release } from "node:os";
import { probe } from "../../../src/index.ts";
import type { Finished, Message } from "./message.ts";

const channel = `/dev/${process.env["LANDLOCK_RESULTS"]}`;
const files = readFileSync("/tests", "utf8").trim().split("\n");
const fileMs = 15 * 60_000;

/** Most programs run as somebody else than root. */
const users = {
  root: [],
  user: ["setpriv", "--reuid=1000", "--regid=1000", "--clear-groups"],
} as const;

function tell(message: Message): void {
  appendFileSync(channel, `${JSON.stringify(message)}\n`);
}

async function runFile(user: keyof typeof users, file: string): Promise<Finished> {
  const home = `/tmp/${user}/home`;
  const junit = `${home}/junit.xml`;
  const paths = { stdout: `/tmp/${user}/stdout`, stderr: `/tmp/${user}/stderr` };
  for (const path of [junit, paths.stdout, paths.stderr]) rmSync(path, { force: true });
  // Files, not pipes: a process that a killed test leaves behind would keep a pipe open.
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
    output: status === 0 ? "" : `${stdout}${stderr}`.slice(-20_000),
  };
}

tell({
  kind: "started",
  release: release(),
  abi: probe().abi,
  files: files.length * Object.keys(users).length,
});
// The users at the same time: each test mostly waits for one process, and there are two CPUs.
await Promise.all(
  (Object.keys(users) as (keyof typeof users)[]).map(async (user) => {
    mkdirSync(`/tmp/${user}/home`, { recursive: true });
    chmodSync(`/tmp/${user}/home`, 0o777);
    for (const file of files) tell(await runFile(user, file));
  }),
);
tell({ kind: "ended" });
