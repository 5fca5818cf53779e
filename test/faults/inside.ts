/**
 * Makes calls of one path fail in turn, in a process with `preload.ts`, until one changes the
 * process. Prints each outcome as a line of JSON.
 */
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { bindTcp, landlock, probe, roDirs, roFiles, rwDirs, rwFiles } from "../../src/index.ts";
import { LandlockError } from "../../src/errors/errors.ts";
import { threadField } from "../inside.ts";
import { webWorker } from "../threads/inside/workers.ts";
import { readdirSync } from "node:fs";
import { arm, disarm, type Fault } from "./preload.ts";

/** What `calls.ts` requests. */
export interface Request {
  readonly path: Path;
  readonly folder: string;
  readonly faults: readonly Fault[];
}

/** The answer for each fault. */
export interface Answer {
  /** How many calls of that number there were. */
  readonly seen: number;
  readonly outcome: string;
}

const { path, folder, faults } = JSON.parse(process.argv[2]!) as Request;
const granted = `${folder}/granted`;
const denied = `${folder}/denied/file`;
mkdirSync(granted, { recursive: true });
mkdirSync(`${folder}/denied`, { recursive: true });
writeFileSync(denied, "text");

const config = landlock.V4.bestEffort();
const rules = [
  ...[roDirs("/usr", "/proc", "/bin"), roDirs("/lib", "/lib64").ignoreIfMissing()],
  ...[roFiles("/etc/passwd"), rwFiles("/dev/null"), rwDirs(granted), bindTcp(0)],
];
const command = [
  "/bin/sh",
  "-c",
  `echo ran >${granted}/marker; (: <${denied}) 2>/dev/null && echo escaped >>${granted}/marker; :`,
];

/** What a command of `command` has left behind. */
function ran(): string {
  if (!existsSync(`${granted}/marker`)) return "the command did not run";
  const text = readFileSync(`${granted}/marker`, "utf8");
  return text === "ran\n" ? "the command ran restricted" : "BROKEN: the command escaped";
}

function spawned(exitCode: number): string {
  return `exit code ${exitCode}, ${ran()}`;
}

/** Describes a success, or returns nothing if this process is now restricted. */
const paths = {
  probe: () => `state ${probe().state}`,
  build: () => {
    config.ruleset(...rules)[Symbol.dispose]();
    return "built";
  },
  restrict: () => {
    using ruleset = config.ruleset(...rules);
    const { enforcement } = ruleset.restrictSelf({ deadlineMs: 300 });
    return enforcement === "none" ? "not restricted, the report says so" : undefined;
  },
  spawnSync: () => spawned(prepared!.spawnSync(command).exitCode),
  spawn: async () => spawned(await prepared!.spawn(command).exited),
} as const;

/** The paths from the API to the kernel. */
export type Path = keyof typeof paths;

const prepared = path.startsWith("spawn") ? config.ruleset(...rules) : undefined;
const readers = path === "restrict" ? [await webWorker(), await webWorker()] : [];

/** Each kind of thread's outcome with the denied file: `"ok"`, `"EACCES"`, or several. */
async function canary(): Promise<string> {
  const all = [];
  for (const read of readers) all.push(...Object.values(await read(denied)));
  for (const read of [readFileSync, (file: string) => Bun.file(file).bytes()]) {
    try {
      await read(denied);
      all.push("ok");
    } catch (error) {
      all.push((error as { code: string }).code);
    }
  }
  return [...new Set(all)].join(" and ");
}

function state() {
  const unique = (field: string) => [...new Set(threadField(field))];
  return {
    noNewPrivs: unique("NoNewPrivs").join(),
    handlers: unique("SigCgt").join(),
    masks: unique("SigBlk"),
  };
}

const countFiles = () => readdirSync("/proc/self/fd").length;

/** The state after threads have left the handler, and others have started or ended. */
async function settled(masks: readonly string[]) {
  for (let tries = 0; ; tries++) {
    const now = state();
    if (tries === 200 || now.masks.every((mask) => masks.includes(mask))) return now;
    await Bun.sleep(5);
  }
}

/** Unexpected differences, apart from files. */
async function damage(before: ReturnType<typeof state>): Promise<string> {
  const reached = await canary();
  const now = await settled(before.masks);
  const differs = [
    reached === "ok" ? "" : `files: ${reached}`,
    now.noNewPrivs === before.noNewPrivs ? "" : `no_new_privs: ${now.noNewPrivs}`,
    now.handlers === before.handlers ? "" : `handlers: ${now.handlers}`,
    now.masks.every((mask) => before.masks.includes(mask)) ? "" : `masks: ${now.masks.join()}`,
  ];
  return differs.filter((one) => one !== "").join(", ");
}

async function run(fault: Fault): Promise<Answer & { readonly changed: boolean }> {
  rmSync(`${granted}/marker`, { force: true });
  const before = state();
  let said: string | undefined;
  let error: unknown;
  arm(fault);
  try {
    said = await paths[path]();
  } catch (thrown) {
    error = thrown;
  }
  const seen = disarm(fault.number);
  const answer = (outcome: string, changed = false) => ({ seen, outcome, changed });
  if (error !== undefined && !(error instanceof LandlockError))
    return answer(`BROKEN: ${String(error)}`, true);
  if (error instanceof LandlockError && error.processChanged)
    return answer(`${error.code}, changed`, true);
  if (error === undefined && said === undefined) {
    const reached = await canary();
    const { noNewPrivs } = state();
    const holds = reached === "EACCES" && noNewPrivs === "1";
    return answer(holds ? "restricted" : `BROKEN: ${reached}, NoNewPrivs ${noNewPrivs}`, true);
  }
  const broken = await damage(before);
  if (broken) return answer(`BROKEN: ${broken}`, true);
  if (!(error instanceof LandlockError)) return answer(said!);
  const left = prepared ? `, ${ran()}` : "";
  return answer(`${error.code}${error.syscall ? ` (${error.syscall})` : ""}, unchanged${left}`);
}

/** Repeats the case: a descriptor opened once and kept is no leak, a growing number is. */
async function repeated(fault: Fault, first: string): Promise<string> {
  const files: number[] = [];
  for (let time = 0; time < 3; time++) {
    const { outcome, changed } = await run(fault);
    if (changed || outcome.startsWith("BROKEN")) return `${first}; next time: ${outcome}`;
    files.push(countFiles());
  }
  const before = files.at(-2)!;
  // Bun closes its descriptors for a child when it learns of its end.
  for (let tries = 0; countFiles() > before && tries < 200; tries++) await Bun.sleep(5);
  const leaked = countFiles() - before;
  return leaked > 0 ? `BROKEN: ${leaked} files leaked` : first;
}

await canary();
for (const fault of faults) {
  const { seen, outcome, changed } = await run(fault);
  const said = changed ? outcome : await repeated(fault, outcome);
  console.log(JSON.stringify({ seen, outcome: said } satisfies Answer));
  if (changed || said !== outcome) break;
}
process.exit(0);
