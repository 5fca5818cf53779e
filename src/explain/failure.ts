/** Extracts the facts from an error, in all the ways in which Bun spells them. */
import { constants } from "node:os";
import { dirname, resolve } from "node:path";

/** What an error tells without knowing any layer. */
export interface Failure {
  /** Such as `"EACCES"` or `"SQLITE_CANTOPEN"`; empty if there is none. */
  readonly code: string;
  /** Such as `"open"`; empty if the error names none. */
  readonly syscall: string;
  readonly message: string;
  readonly path: string | undefined;
  /** The second path of calls that take two. */
  readonly dest: string | undefined;
  readonly port: number | undefined;
  /** An import that was not found, and the file that contains it. */
  readonly module: { readonly specifier: string; readonly referrer: string } | undefined;
  /** Whether the error came from `node:dgram` or `Bun.udpSocket()`. */
  readonly isUdp: boolean;
  /** Whether a whole directory was being copied, or created for files. */
  readonly isCopy: boolean;
  /**
   * The function of Bun that failed, such as `"writeFileSync"`. Only synchronous ones are known.
   * `"import"` stands for a file that Bun loads itself.
   */
  readonly callee: string;
}

type Fields = Readonly<Record<string, unknown>>;

/** What the caller adds to the error. */
interface Hint {
  readonly path?: string;
  readonly port?: number;
}

/** The longest chain of causes to follow, and the most errors of an `AggregateError` to read. */
const causesMax = 8;
const errorsMax = 64;

/** The part of a message to read, which is longer than any path. */
const messageMax = 8192;

/** The errnos of denials. Some of Bun's errors only contain the number. */
const errnos: Readonly<Record<number, string>> = { 1: "EPERM", 13: "EACCES", 18: "EXDEV" };

const load = { code: "EACCES", syscall: "open", callee: "import" };

/**
 * Errors whose message is the only source of facts. Code may come before it and notes after it. For
 * an error in a Worker, Bun only passes on such a text.
 */
const messages: readonly (readonly [RegExp, Partial<Failure>])[] = [
  [/\bCannot find (?:module|package) '(?<specifier>.+)' from '(?<referrer>.+)'$/m, {}],
  [/\bModuleNotFound resolving "(?<specifier>.+)" \(entry point\)/, {}],
  [/\b(?<code>E[A-Z]+) reading "(?<path>.+)"$/m, load],
  [/\b(?<code>E[A-Z]+) reading file: (?<json>".+")$/m, load],
  [/\bCannot read (?:file|directory) "(?<path>.+)": (?<code>E[A-Z]+)$/m, load],
  [/\b(?<code>E[A-Z]+) opening route: (?<path>.+)$/m, load],
  [/\b(?<code>E[A-Z]+): failed to open root directory: (?<path>.+)$/m, load],
  [/\bUnable to find directory: (?<path>.+)$/m, load],
  [
    /(?:^|": )(?<path>[^:\n/]*\/[^:\n]+): cannot open shared object file: Permission denied$/m,
    load,
  ],
  [/\bError loading shared library (?<path>[^:\n/]*\/[^:\n]+): Permission denied\b/, load],
  [/^tcc: error: file '(?<path>.+)' not found$/m, load],
  [/^(?<from>.+):\d+: error: include file '(?<path>.+)' not found$/m, load],
  [
    /\bFailed to create output directory (?<code>E[A-Z]+) "(?<path>.+)"$/m,
    { syscall: "mkdir", isCopy: true },
  ],
  [/\bunable to open database: (?<path>.+)$/m, {}],
  [/\b(?<code>E[A-Z]+): [\w -]+, (?<syscall>\w+)(?: '(?<path>.+?)'(?: -> '(?<dest>.+)')?)?$/m, {}],
];

/**
 * The facts of an error, of the event of a failed Worker or WebSocket, or of the first cause that
 * names the failed call. An `AggregateError`, such as those of `Bun.build()`, has the facts of all
 * its errors.
 *
 * @returns At least one failure
 */
export function failuresOf(error: object, hint: Hint): Failure[] {
  const found: Failure[] = [];
  const waiting: (readonly Fields[])[] = [[error as Fields]];
  for (let chain = waiting.shift(); chain && found.length < errorsMax; chain = waiting.shift()) {
    const { cause, error: inner, errors } = chain.at(-1)!;
    const next = [cause, inner].find(isObject);
    const several = Array.isArray(errors) ? errors.filter(isObject).slice(0, errorsMax) : [];
    if (chain.length > causesMax || (!next && several.length === 0))
      found.push(factsOf(chain, hint));
    else if (next) waiting.unshift([...chain, next]);
    // The chain keeps its length, which limits the depth.
    else waiting.unshift(...several.map((one) => [...chain.map(() => ({})), one]));
  }
  return found;
}

function factsOf(chain: readonly Fields[], hint: Hint): Failure {
  const found =
    chain.find((one) => typeof one["syscall"] === "string" || isErrno(codeOf(one))) ??
    chain.find((one) => Object.keys(saidBy(textOf(one["message"]))).length > 0) ??
    chain.find((one) => isCode(one["code"])) ??
    chain.at(-1)!;
  const message = textOf(found["message"]);
  const said = saidBy(message);
  const address = textOf(found["address"]);
  const url = urlOf(textOf(found["path"])) ?? urlOf(/'(\w+:\/\/[^']+)'/.exec(message)?.[1] ?? "");
  const stack = textOf(found["stack"]);
  const path = url ? undefined : found["path"] || (address.startsWith("/") ? address : undefined);
  const code = codeOf(found);
  return {
    code: isErrno(code) ? code : (said.code ?? code),
    // For a library, Bun only reports that dlopen() failed.
    syscall: isErrno(code)
      ? textOf(found["syscall"]) || (said.syscall ?? "")
      : (said.syscall ?? textOf(found["syscall"])),
    message,
    path: typeof path === "string" ? path : (said.path ?? hint.path),
    dest: typeof found["dest"] === "string" ? found["dest"] : said.dest,
    port: portOf(found, url, message) ?? hint.port,
    module: moduleOf(found) ?? said.module,
    isUdp: /\bnode:dgram\b|\budpSocket\b/.test(stack),
    isCopy: said.isCopy ?? /\binternal:fs\/cp\b/.test(stack),
    callee: said.callee ?? calleeOf(stack),
  };
}

/** The facts in a message. */
function saidBy(message: string): Partial<Failure> {
  for (const [pattern, rest] of messages) {
    const groups = pattern.exec(message.slice(0, messageMax))?.groups;
    if (!groups) continue;
    const { code, syscall, dest, specifier, referrer = process.cwd(), from, json } = groups;
    const path = json === undefined ? groups["path"] : unescaped(json);
    return {
      ...rest,
      ...(code === undefined ? {} : { code }),
      ...(syscall === undefined ? {} : { syscall }),
      ...(path === undefined
        ? {}
        : { path: from === undefined ? path : resolve(dirname(from), path) }),
      ...(dest === undefined ? {} : { dest }),
      ...(specifier === undefined ? {} : { module: { specifier, referrer } }),
    };
  }
  return {};
}

function unescaped(text: string): string {
  try {
    return String(JSON.parse(text));
  } catch {
    return text.slice(1, -1);
  }
}

function isObject(value: unknown): value is Fields {
  return typeof value === "object" && value !== null;
}

/** Whether a code is an errno of Linux. */
export function isErrno(code: string): boolean {
  return Object.hasOwn(constants.errno, code);
}

function isCode(value: unknown): boolean {
  return typeof value === "string" && /^[A-Z]/.test(value) && value !== "ERR_ACCESS_DENIED";
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}

function codeOf({ code, errno, errnoName }: Fields): string {
  // A LandlockError has its own codes.
  if (typeof errnoName === "string") return errnoName;
  if (isCode(code)) return textOf(code);
  return typeof errno === "number" ? (errnos[Math.abs(errno)] ?? "") : "";
}

/** `fetch()` puts the URL where other errors have a path. */
function urlOf(text: string): URL | undefined {
  return /^(https?|wss?):\/\//.test(text) ? (URL.parse(text) ?? undefined) : undefined;
}

function portOf(fields: Fields, url: URL | undefined, message: string): number | undefined {
  if (typeof fields["port"] === "number") return fields["port"];
  if (url) return Number(url.port || (/^(https|wss):$/.test(url.protocol) ? 443 : 80));
  // The format of Bun.serve() and node:dgram.
  const port = /[\s\]:.\da-f]:(\d{1,5})$/.exec(message)?.[1];
  return port === undefined ? undefined : Number(port);
}

/** `Bun.build()` names the importing file only in the position. */
function moduleOf({ specifier, referrer, position }: Fields): Failure["module"] {
  if (typeof specifier !== "string" || typeof referrer !== "string") return undefined;
  const file = isObject(position) ? textOf(position["file"]) : "";
  return { specifier, referrer: referrer || file || process.cwd() };
}

/** Bun's built-in functions are on top of the stack, without a file. */
function calleeOf(stack: string): string {
  return /^\s+at (?:new )?(\w+) \(unknown\)$/m.exec(stack)?.[1] ?? "";
}
