/**
 * A server that runs commands of people it does not trust, and stays unrestricted itself.
 *
 *     bun src/examples/command-server.ts --port 8080 --timeout-ms 5000
 *     curl localhost:8080 --json '{ "command": ["sort", "-u"], "stdin": "b\na\nb\n" }'
 *
 * Each command can read and execute what the system brings, and write to a scratch directory of
 * its own that is removed afterwards. It has an empty environment, a limit of time and one of
 * output. Denied: every other file, every TCP port, signals to anything but itself.
 *
 * Landlock restricts access, not amounts: for limits of memory, processes and disk put a cgroup
 * around the server. A process that leaves the command's group, as setsid(1) does, outlives the
 * request, within its sandbox.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { landlock, LandlockError, roDirs, rwDirs, rwFiles } from "bun-landlock";

/** Signals and ports are within reach of a command below ABI 6: then rather none at all. */
const config = landlock.V11.bestEffort({ atLeast: 6 });
const system = [roDirs("/usr", "/bin", "/lib", "/lib64").ignoreIfMissing(), rwFiles("/dev/null")];

/** How long a command may take, and how much it may say on each of its two outputs. */
export interface Limits {
  readonly timeoutMs: number;
  readonly outputBytes: number;
}

/** What became of a command. */
export interface Outcome {
  readonly exitCode: number | null;
  readonly signal: Bun.Subprocess["signalCode"];
  readonly stdout: string;
  readonly stderr: string;
  /** Which limit ended it, if one did. */
  readonly stopped?: keyof Limits;
}

/** Ends a command with what it has started, where anything is left of them. */
function killGroup(pid: number): void {
  try {
    process.kill(-pid, "SIGKILL");
  } catch {}
}

/** Reads up to the end, to as many bytes, or until `ended`, whichever comes first. */
async function readUpTo(
  stream: ReadableStream<Uint8Array<ArrayBuffer>>,
  bytes: number,
  ended: Promise<void>,
  onTooMuch: () => void,
): Promise<string> {
  const reader = stream.getReader();
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  let room = bytes;
  while (room >= 0) {
    const next = await Promise.race([reader.read(), ended]);
    if (!next || next.done) break;
    chunks.push(next.value.subarray(0, room));
    room -= next.value.length;
  }
  if (room < 0) onTooMuch();
  await reader.cancel();
  return await new Blob(chunks).text();
}

/** Runs one command in a sandbox and a scratch directory of its own. */
export async function runCommand(
  command: string[],
  stdin: string,
  limits: Limits,
): Promise<Outcome> {
  const scratch = await mkdtemp(join(tmpdir(), "command-"));
  try {
    using ruleset = config.ruleset(...system, rwDirs(scratch));
    const child = ruleset.spawn(command, {
      cwd: scratch,
      env: {},
      stdin: Buffer.from(stdin),
      stderr: "pipe",
      // A process group of its own, so that what it leaves behind can be ended with it.
      detached: true,
    });
    const ended = Promise.withResolvers<void>();
    let stopped: keyof Limits | undefined;
    const stop = (why: keyof Limits) => {
      stopped ??= why;
      killGroup(child.pid);
      ended.resolve();
    };
    const timer = setTimeout(stop, limits.timeoutMs, "timeoutMs");
    void child.exited.then(() => killGroup(child.pid));
    const [stdout, stderr] = await Promise.all(
      [child.stdout, child.stderr].map((stream) =>
        readUpTo(stream, limits.outputBytes, ended.promise, () => stop("outputBytes")),
      ),
    );
    await child.exited;
    clearTimeout(timer);
    const { exitCode, signalCode: signal } = child;
    return { exitCode, signal, stdout: stdout!, stderr: stderr!, ...(stopped && { stopped }) };
  } finally {
    await rm(scratch, { recursive: true, force: true, maxRetries: 3 });
  }
}

/** Answers one request with what became of its command. */
export async function answer(request: Request, limits: Limits): Promise<Response> {
  // Pages of other sites cannot send this without being asked.
  if (request.method !== "POST" || request.headers.get("Content-Type") !== "application/json") {
    return Response.json({ error: 'POST JSON: { "command": ["sort"] }' }, { status: 415 });
  }
  try {
    const { command, stdin = "" } = (await request.json()) as Record<string, unknown>;
    if (!Array.isArray(command) || !command.every((word) => typeof word === "string")) {
      return Response.json({ error: "command: give a list of strings" }, { status: 400 });
    }
    return Response.json(await runCommand(command, String(stdin), limits));
  } catch (error) {
    if (!(error instanceof LandlockError || error instanceof SyntaxError)) throw error;
    return Response.json({ error: error.message }, { status: 400 });
  }
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      port: { type: "string", default: "8080" },
      "timeout-ms": { type: "string", default: "5000" },
      "output-bytes": { type: "string", default: "1000000" },
    },
  });
  const limits = {
    timeoutMs: Number(values["timeout-ms"]),
    outputBytes: Number(values["output-bytes"]),
  };
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: Number(values.port),
    // The command's own limit comes first.
    idleTimeout: 0,
    maxRequestBodySize: 1 << 20,
    development: false,
    fetch: (request) => answer(request, limits),
  });
  console.log(String(server.url));
}
