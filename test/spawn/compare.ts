/**
 * Starts a command with `Bun.spawn()` and with `ruleset.spawn()`, and compares what child and
 * parent see. The ruleset grants everything that the commands need.
 */
import { chmodSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { landlock, LandlockError, roDirs, rwDirs, type Ruleset } from "../../src/index.ts";

/** Options for both functions. */
export interface Case {
  /** The option under test. */
  readonly key: string;
  /** The value in words. */
  readonly value: string;
  /** Created anew for each call, because a stream can be read only once. */
  readonly options: () => object;
  /** What the shell does after its report; by default it writes to standard output and error. */
  readonly script?: string;
  /** Replaces the shell that reports what it sees. */
  readonly command?: unknown;
  /** What the test does with the child of `spawn()`. */
  readonly use?: (child: Bun.Subprocess) => unknown;
  /** Whether the outcome depends on being root. */
  readonly asRoot?: boolean;
}

/** The outcome of a call: what was seen, or the error. */
type Ended = { readonly seen: string } | { readonly thrown: unknown };

/** `$1` is the file of the report. */
const report = `(
  cd /proc/$$ && cat cmdline environ && ls -l fd && cat limits && readlink cwd &&
  grep -E '^(Uid|Gid|Groups|Umask|SigBlk|SigIgn|SigCgt|CapPrm):' status &&
  read -r pid name state parent group session tty rest <stat &&
  echo "leads $((pid == group)) $((pid == session)), a terminal $((tty != 0))"
) >"$1"; `;

const speak = "echo out; echo err >&2; exit 7";

/** Replaces numbers that differ from run to run. */
function normalised(text: string): string {
  return text
    .replaceAll("\0", "\n")
    .replaceAll(/^total \d+\n/gm, "")
    .replaceAll(/^\S+ +\d+ \S+ +\S+ +\d+ .*? (\d+ -> )/gm, "$1")
    .replaceAll(/(socket|pipe):\[\d+\]/g, "$1")
    .replaceAll(/\/dev\/pts\/\d+/g, "a terminal");
}

async function textOf(stream: unknown): Promise<string> {
  if (stream instanceof ReadableStream) return `stream ${await new Response(stream).text()}`;
  return nameOf(stream);
}

function nameOf(value: unknown): string {
  if (typeof value !== "object" || value === null) return `${typeof value} ${String(value)}`;
  return value.constructor.name;
}

async function seenOf(child: Bun.Subprocess, use: Case["use"]): Promise<unknown> {
  const used = await use?.(child);
  const { stdin, stdout, stderr, stdio, terminal, readable } = child;
  const { connected } = child as { connected?: boolean };
  const output = [await textOf(stdout), await textOf(stderr)];
  const exitCode = await child.exited;
  terminal?.close();
  return {
    used,
    output,
    exited: exitCode,
    exitCode: child.exitCode,
    signalCode: child.signalCode,
    killed: child.killed,
    connected,
    isReadable: readable === stdout,
    stdin: typeof stdin === "number" ? "number" : nameOf(stdin),
    stdio: stdio.map((fd) => typeof fd),
    terminal: nameOf(terminal),
    keys: Object.keys(child),
    usage: nameOf(child.resourceUsage()),
  };
}

/** The two functions to compare. */
export const functions = ["spawn", "spawnSync"] as const;
/** The form of the command. */
export const forms = ["list", "object"] as const;

/** Whose functions to call. */
type Starter = Pick<typeof Bun, "spawn" | "spawnSync"> | Ruleset;

async function run(
  starter: Starter,
  name: (typeof functions)[number],
  form: (typeof forms)[number],
  one: Case,
  folder: string,
): Promise<Ended> {
  const file = `${folder}/report`;
  // In some cases another user writes it.
  writeFileSync(file, "");
  chmodSync(file, 0o666);
  const shell = ["/bin/sh", "-c", report + (one.script ?? speak), "sh", file];
  const command = "command" in one ? one.command : shell;
  const events: string[] = [];
  const options = withEvents(one.options(), events);
  const args = form === "list" ? [command, options] : [withCommand(options, command)];
  try {
    const start = starter[name] as (...args: unknown[]) => Bun.Subprocess;
    const child = start.apply(starter, args);
    const seen =
      name === "spawn"
        ? await seenOf(child, one.use)
        : { ...child, pid: typeof child.pid, resourceUsage: nameOf(child.resourceUsage) };
    // A callback for the end may run a moment later.
    const expected = name === "spawn" ? expectedEvents(options) : 0;
    for (let i = 0; events.length < expected && i < 500; i++) await Bun.sleep(2);
    const said = normalised(readFileSync(file, "utf8")).split("\n");
    return { seen: Bun.inspect({ seen, said, events }, { depth: 9 }) };
  } catch (thrown) {
    return { thrown };
  } finally {
    rmSync(file, { force: true });
  }
}

type Events = { onExit?: unknown; onDisconnect?: unknown; ipc?: unknown };

/** The same options, with callbacks that record their calls. */
function withEvents(options: object, events: string[]): object {
  const noted =
    (name: string) =>
    (child: unknown, ...values: unknown[]) => {
      const words = name === "ipc" ? [child] : [nameOf(child), ...values.slice(0, 3)];
      events.push(`${name} ${Bun.inspect(words)}`);
    };
  // Bun reads inherited options too.
  const all = Object.create(options) as Events;
  const own = options as Events;
  if (typeof own.onExit === "function") all.onExit = noted("onExit");
  if (typeof own.onDisconnect === "function") all.onDisconnect = noted("onDisconnect");
  if (typeof own.ipc === "function") all.ipc = noted("ipc");
  return all;
}

function expectedEvents(options: object): number {
  const { onExit, onDisconnect, ipc } = options as Events;
  const isFunction = (value: unknown) => (typeof value === "function" ? 1 : 0);
  return isFunction(onExit) + (isFunction(ipc) && isFunction(onDisconnect));
}

function withCommand(options: object, command: unknown): object {
  return Object.create(options, { cmd: { value: command } }) as object;
}

function wordsOf(thrown: unknown): string {
  const { name, code, message } = thrown as { name: string; code?: string; message: string };
  return `${name} ${code ?? ""}: ${message}`;
}

/**
 * Compares one case.
 *
 * @returns `"as Bun"`; `"as Bun: CODE"` if both throw the same; or the code of a `LandlockError`
 * and the code of Bun's error
 * @throws If it is none of these
 */
export async function compare(
  name: (typeof functions)[number],
  form: (typeof forms)[number],
  one: Case,
  folder: string,
): Promise<string> {
  using ruleset = landlock.V11.bestEffort().ruleset(roDirs("/"), rwDirs("/dev", folder));
  const label = `${name}() with ${one.key}: ${one.value}, as ${form}`;
  const plain = await run(Bun, name, "list", one, folder);
  return outcomeOf(plain, await run(ruleset, name, form, one, folder), label);
}

function outcomeOf(plain: Ended, own: Ended, label: string): string {
  if ("thrown" in own && "thrown" in plain) {
    const { code, name } = plain.thrown as { code?: string | number; name: string };
    const word = typeof code === "string" ? code : name;
    if (own.thrown instanceof LandlockError) return `${own.thrown.code} for ${word}`;
    if (wordsOf(own.thrown) === wordsOf(plain.thrown)) return `as Bun: ${word}`;
    throw new Error(`${label}: ${wordsOf(own.thrown)}, but Bun: ${wordsOf(plain.thrown)}`);
  }
  if ("seen" in own && "seen" in plain) {
    if (own.seen === plain.seen) return "as Bun";
    throw new Error(`${label}:\n${differing(own.seen, plain.seen)}`);
  }
  const words = (ended: Ended) =>
    ("thrown" in ended ? wordsOf(ended.thrown) : ended.seen).slice(0, 1000);
  throw new Error(`${label}: ${words(own)}\nbut Bun: ${words(plain)}`);
}

function differing(own: string, plain: string): string {
  const [ours, theirs] = [own.split("\n"), plain.split("\n")];
  const lines = ours.flatMap((line, i) => (line === theirs[i] ? [] : [`${line} <> ${theirs[i]}`]));
  return lines.slice(0, 6).join("\n").slice(0, 2000);
}
