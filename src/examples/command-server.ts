/**
 * A server that runs commands for untrusted people, and isn't restricted itself.
 *
 *     bun src/examples/command-server.ts --port 8080 --timeout-ms 5000
 *     curl localhost:8080 --json '{ "command": ["sort", "-u"], "stdin": "b\na\nb\n" }'
 *
 * Each command can read and execute the system's programs, and write to its own scratch directory,
 * which is removed afterwards. It has an empty environment, a time limit and an output limit.
 * Denied: every other file, every TCP port, and signals to other processes.
 *
 * Landlock restricts access, not amounts: to limit memory, processes and disk space, put a cgroup
 * around the server. A process that leaves the command's group, for example with setsid(1),
 * outlives the request, but stays in its sandbox.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { landlock, LandlockError, roDirs, rwDirs, rwFiles } from "bun-landlock";

/** Below ABI 6 a command could reach signals and ports, so refuse to run at all. */
const config = landlock.V11.bestEffort({ atLeast: 6 });
const system = [roDirs("/usr", "/bin", "/lib", "/lib64").ignoreIfMissing(), rwFiles("/dev/null")];

/** The time limit of a command, and the size limit of each of its two outputs. */
export interface Limits {
  readonly timeoutMs: number;
  readonly outputBytes: number;
}

/** The result of a command. */
export interface Outcome {
  readonly exitCode: number | null;
  readonly signal: Bun.Subprocess["signalCode"];
  readonly stdout: string;
  readonly stderr: string;
  /** The limit that ended it, if any. */
  readonly stopped?: keyof Limits;
}

/** Kills what is left of a command and its children. */
function killGroup(pid: number): void {
  try {
    process.kill(-pid, "SIGKILL");
  } catch {}
}

/** Reads until the end, the size limit, or `ended`. */
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

/** Runs one command in its own sandbox and scratch directory. */
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
      // A process group of its own allows killing the command's children too.
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

/** Answers one request with the result of its command. */
export async function answer(request: Request, limits: Limits): Promise<Response> {
  // Browsers don't let pages of other sites send such a request unasked.
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
    // The command's own time limit comes first.
    idleTimeout: 0,
    maxRequestBodySize: 1 << 20,
    development: false,
    fetch: (request) => answer(request, limits),
  });
  console.log(String(server.url));
}
