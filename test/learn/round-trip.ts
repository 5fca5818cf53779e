/** Learns a policy, runs the program with it alone, and tries what the program did not do. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { machineFiles } from "../../src/model/files.ts";
import { layerOf } from "../../src/model/layer.ts";
import { evaluate } from "../../src/model/model.ts";
import { probe, type Plan } from "../../src/index.ts";
import type { Program } from "./programs.ts";
import { Scene, secretText, type Ran } from "./scene.ts";

/** One thing that the program did not do, tried without a sandbox and under its policy. */
export interface Canary {
  readonly free: string;
  readonly restricted: string;
}

/** The results for one program. */
export interface RoundTrip {
  readonly learned: Result;
  readonly again: Result;
  readonly policy: string;
  /** How many rules the kernel gets from it. */
  readonly rules: number;
  /** What `learn` prints about it. */
  readonly said: string;
  /** Reads a neighbour's file. */
  readonly file: Canary;
  /** Connects to a port; undefined if the kernel restricts no ports. */
  readonly port: Canary | undefined;
  /** The model's answer about the file. */
  readonly verdict: string;
}

/** The results that can be compared. */
export interface Result {
  readonly code: number | null;
  readonly stdout: string;
  readonly files: Readonly<Record<string, string>>;
}

const keys = join(import.meta.dir, "../presets/tls");

function serve() {
  return Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    tls: { key: Bun.file(join(keys, "server.key")), cert: Bun.file(join(keys, "server.pem")) },
    fetch: () => new Response("a page\n"),
  });
}

function freePort(): number {
  const server = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
  const { port } = server;
  server.stop(true);
  return port;
}

/** What is missing for a program; empty if nothing. */
export function missingFor({ needs }: Program): string {
  const programs = needs.filter((name) => name !== "tzdata");
  const missing = [...programs, "strace"].filter((name) => !existsSync(`/usr/bin/${name}`));
  if (needs.includes("tzdata") && !existsSync("/usr/share/zoneinfo")) missing.push("tzdata");
  return missing.length > 0 ? `needs ${missing.join(", ")}` : "";
}

/**
 * Makes the whole round trip in a scene of its own.
 *
 * @param folder An empty folder
 */
export async function roundTrip(program: Program, folder: string): Promise<RoundTrip> {
  const scene = new Scene(folder);
  using server = serve();
  using other = serve();
  const port = program.port === "test" ? server.port! : program.port === "own" ? freePort() : 0;
  const command = program.command(port);
  const way = {
    ...(program.stdin ? { stdin: program.stdin } : {}),
    drive: program.drive?.(port),
  };
  await program.prepare(scene);
  const first = await scene.learn(command, way);
  const learned = resultOf(program, scene, first);
  scene.empty();
  await program.prepare(scene);
  const again = resultOf(program, scene, await scene.restricted(command, way));
  const plan = await planOf(scene);
  return {
    learned,
    again,
    policy: readFileSync(scene.policy, "utf8"),
    rules: plan.rules.length,
    said: first.stderr,
    file: await canary(scene, ["cat", scene.secret]),
    port:
      probe().abi < 4
        ? undefined
        : await canary(scene, ["bash", "-c", `</dev/tcp/127.0.0.1/${other.port}`]),
    verdict: verdictOf(scene, plan),
  };
}

/** Removes durations, which differ from run to run. */
function resultOf({ makes }: Program, scene: Scene, { code, stdout }: Ran): Result {
  const files = makes.map((name) => {
    const path = join(scene.project, name);
    return [name, existsSync(path) ? readFileSync(path, "utf8") : "missing"] as const;
  });
  const text = stdout.replaceAll(/\d+(\.\d+)?m?s\b/g, "0s");
  return { code, stdout: text, files: Object.fromEntries(files) };
}

/**
 * Tries something with a program that gets extra rules, because it could not start without them.
 */
async function canary(scene: Scene, command: readonly string[]): Promise<Canary> {
  const more = ["-preset", `executable=${command[0]}`];
  const [free, restricted] = [await scene.run(command), await scene.restricted(command, {}, more)];
  return { free: outcome(free), restricted: outcome(restricted) };
}

function outcome({ code, stdout, stderr }: Ran): string {
  if (code === 0) return stdout === secretText ? "the secret" : "done";
  return stderr.includes("Permission denied") ? "EACCES" : `${code}: ${stderr}`;
}

/** The plan of the policy alone, as `landlock-restrict plan` prints it. */
async function planOf(scene: Scene): Promise<Plan> {
  const { stdout, stderr } = await scene.plan();
  if (stderr) throw new Error(stderr);
  return JSON.parse(stdout) as Plan;
}

function verdictOf(scene: Scene, plan: Plan): string {
  const read = { kind: "open", path: scene.secret, read: true } as const;
  const verdict = evaluate(read, [layerOf(plan, machineFiles)], machineFiles);
  return verdict.allowed ? "allowed" : verdict.errno;
}
