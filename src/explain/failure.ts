/** An error as plain facts, however Bun spells it. */

/** What can be told from an error without knowing any layer. */
export interface Failure {
  /** As `"EACCES"`, `"SQLITE_CANTOPEN"`, or nothing. */
  readonly code: string;
  /** As `"open"`; empty where the error names none. */
  readonly syscall: string;
  readonly message: string;
  readonly path: string | undefined;
  /** The second path of those that take two. */
  readonly dest: string | undefined;
  readonly port: number | undefined;
  /** An import that was not found, and the file that asked for it. */
  readonly module: { readonly specifier: string; readonly referrer: string } | undefined;
  /** Whether it came out of `node:dgram` or `Bun.udpSocket()`. */
  readonly isUdp: boolean;
  /** Whether a whole directory was being copied. */
  readonly isCopy: boolean;
  /** The function of Bun that failed, as `"writeFileSync"`: only the synchronous ones tell. */
  readonly callee: string;
}

type Fields = Readonly<Record<string, unknown>>;

/** How deep a chain of causes is followed. */
const causesMax = 8;

/** What Linux calls the errnos of a denial; some of Bun's errors have only the number. */
const errnos: Readonly<Record<number, string>> = { 1: "EPERM", 13: "EACCES", 18: "EXDEV" };

/**
 * The facts of an error, of the event of a failed Worker or WebSocket, or of the first of its
 * causes that says which call failed.
 *
 * @param hint What the caller knows and the error does not say
 */
export function failureOf(error: object, hint: { path?: string; port?: number }): Failure {
  let found = error as Fields;
  for (let next: unknown = error, i = 0; isObject(next) && i < causesMax; i++) {
    found = next;
    if (typeof found["syscall"] === "string" || isCode(found["code"])) break;
    const { cause, error: inner, errors } = found;
    next = cause ?? inner ?? (Array.isArray(errors) ? errors[0] : undefined);
  }
  const message = textOf(found["message"]);
  const address = textOf(found["address"]);
  const url = urlOf(textOf(found["path"])) ?? urlOf(/'(\w+:\/\/[^']+)'/.exec(message)?.[1] ?? "");
  const stack = textOf(found["stack"]);
  const path = url ? undefined : found["path"] || (address.startsWith("/") ? address : undefined);
  return {
    code: codeOf(found),
    syscall: textOf(found["syscall"]),
    message,
    path: typeof path === "string" ? path : hint.path,
    dest: typeof found["dest"] === "string" ? found["dest"] : undefined,
    port: portOf(found, url, message) ?? hint.port,
    module: moduleOf(found),
    isUdp: /\bnode:dgram\b|\budpSocket\b/.test(stack),
    isCopy: /\binternal:fs\/cp\b/.test(stack),
    callee: calleeOf(stack),
  };
}

function isObject(value: unknown): value is Fields {
  return typeof value === "object" && value !== null;
}

function isCode(value: unknown): boolean {
  return typeof value === "string" && /^[A-Z]/.test(value) && value !== "ERR_ACCESS_DENIED";
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}

function codeOf({ code, errno, errnoName }: Fields): string {
  // A LandlockError has a code of its own.
  if (typeof errnoName === "string") return errnoName;
  if (isCode(code)) return textOf(code);
  return typeof errno === "number" ? (errnos[Math.abs(errno)] ?? "") : "";
}

/** `fetch()` has the address where others have a path. */
function urlOf(text: string): URL | undefined {
  return /^(https?|wss?):\/\//.test(text) ? (URL.parse(text) ?? undefined) : undefined;
}

function portOf(fields: Fields, url: URL | undefined, message: string): number | undefined {
  if (typeof fields["port"] === "number") return fields["port"];
  if (url) return Number(url.port || (/^(https|wss):$/.test(url.protocol) ? 443 : 80));
  // Bun.serve() and node:dgram.
  const port = /[\s\]:.\da-f]:(\d{1,5})$/.exec(message)?.[1];
  return port === undefined ? undefined : Number(port);
}

function moduleOf({ specifier, referrer }: Fields): Failure["module"] {
  if (typeof specifier !== "string" || typeof referrer !== "string") return undefined;
  return { specifier, referrer };
}

/** Functions that Bun has built in stand on top of the stack, without a file. */
function calleeOf(stack: string): string {
  return /^\s+at (?:new )?(\w+) \(unknown\)$/m.exec(stack)?.[1] ?? "";
}
