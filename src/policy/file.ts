/** From a policy's file to the data in it. */
import { errnoName, LandlockError } from "../errors/errors.ts";
import { close, openFile, readOpen } from "../kernel/syscalls.ts";
import { isRegular, openOwned } from "./owner.ts";
import { fromHere } from "./paths.ts";

/** A policy as its file has it. */
export interface Source {
  /** The file's absolute path. */
  readonly path: string;
  /** The file, for messages: `"/app/package.json"#landlock`. */
  readonly name: string;
  readonly value: unknown;
}

const jsonc = (text: string): unknown => Bun.JSONC.parse(text);
const yaml = (text: string): unknown => Bun.YAML.parse(text);

const formats = new Map<string | undefined, (text: string) => unknown>([
  ["json", (text) => JSON.parse(text) as unknown],
  ["jsonc", jsonc],
  ["toml", (text) => Bun.TOML.parse(text)],
  ["yaml", yaml],
  ["yml", yaml],
]);

/**
 * Reads a policy: the whole of a file, or the key `landlock` of a package.json.
 *
 * @param path Absolute, or relative to the current directory
 * @param ifForeign Refuses a file that a stranger may have put there; what to do then
 * @throws {LandlockError} `ERR_LANDLOCK_PATH` where it cannot be read, is no regular file, or is
 *   refused; `ERR_LANDLOCK_INVALID_RULE` where it cannot be parsed
 */
export function readSource(path: string, ifForeign?: string): Source {
  const file = fromHere(path);
  // A name that no policy has is not worth reading.
  formatOf(file);
  return sourceOf(textOf(file, ifForeign), file);
}

/** How to parse a file, by its name. */
function formatOf(file: string) {
  const isPackage = file.endsWith("/package.json");
  const format = file.slice(file.lastIndexOf("/") + 1).match(/\.(\w+)$/)?.[1];
  // As Bun reads it, a package.json may have comments.
  const parse = isPackage ? jsonc : formats.get(format);
  if (parse) return { parse, isPackage, isJson: format?.startsWith("json") };
  throw new LandlockError(
    "ERR_LANDLOCK_INVALID_RULE",
    `${JSON.stringify(file)} is not a policy file: call it something.json, .jsonc, .toml or .yaml`,
    { path: file },
  );
}

/**
 * A policy out of the text of its file.
 *
 * @param file Its path, absolute
 * @throws {LandlockError} `ERR_LANDLOCK_INVALID_RULE` as `readSource()`
 */
export function sourceOf(text: string, file: string): Source {
  const name = JSON.stringify(file);
  const { parse, isPackage, isJson } = formatOf(file);
  const value = parsed(text, parse, file);
  if (isJson) requireUnique(text, file, isPackage);
  if (!isPackage) return { path: file, name, value };
  const policy = landlockKey(value);
  if (policy !== undefined) return { path: file, name: `${name}#landlock`, value: policy };
  throw new LandlockError(
    "ERR_LANDLOCK_INVALID_RULE",
    `${name} has no policy: add the key "landlock", or name another file`,
    { path: file },
  );
}

/** Of a package.json only the policy is ours to judge. */
function requireUnique(text: string, path: string, isPackage: boolean): void {
  for (const [first, ...rest] of duplicateKeys(text)) {
    if (first === undefined) {
      throw new LandlockError(
        "ERR_LANDLOCK_INVALID_RULE",
        `Cannot parse ${JSON.stringify(path)}: something follows the policy's last bracket; take it out`,
        { path },
      );
    }
    if (isPackage && first !== "landlock") continue;
    const place = rest.reduce<string>(
      (before, key) => `${before}${typeof key === "number" ? `[${key}]` : `.${key}`}`,
      `${first}`,
    );
    throw new LandlockError(
      "ERR_LANDLOCK_INVALID_RULE",
      `Cannot parse ${JSON.stringify(path)}: the key ${place} stands twice; take out one of the two`,
      { path },
    );
  }
}

function landlockKey(manifest: unknown): unknown {
  const isObject = typeof manifest === "object" && manifest !== null;
  return isObject && Object.hasOwn(manifest, "landlock")
    ? (manifest as { landlock: unknown }).landlock
    : undefined;
}

function parsed(text: string, parse: (text: string) => unknown, path: string): unknown {
  try {
    return parse(text);
  } catch (cause) {
    const why = (cause as Error).message.replaceAll(/\s+/g, " ");
    throw new LandlockError(
      "ERR_LANDLOCK_INVALID_RULE",
      `Cannot parse ${JSON.stringify(path)}: ${why}; correct the file`,
      { path, cause },
    );
  }
}

function textOf(path: string, ifForeign?: string): string {
  const bytes = process.platform === "linux" ? bytesOf(path, ifForeign) : elsewhere(path);
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new LandlockError(
      "ERR_LANDLOCK_INVALID_RULE",
      `Cannot parse ${JSON.stringify(path)}: it is not UTF-8; save it as that`,
      { path, cause },
    );
  }
}

/** By system calls that are needed anyway: loading node:fs takes longer than a policy. */
function bytesOf(path: string, ifForeign?: string): Uint8Array {
  const fd = ifForeign === undefined ? openFile(path) : openOwned(path, ifForeign);
  if (fd < 0) throw unreadable(path, `open failed with ${errnoName(-fd)}`, -fd);
  if (!isRegular(fd)) {
    close(fd);
    throw unreadable(path, "it is not a regular file");
  }
  const bytes = readOpen(fd);
  if (bytes === undefined) throw unreadable(path, "read failed");
  return bytes;
}

function elsewhere(path: string): Uint8Array {
  try {
    return (require("node:fs") as typeof import("node:fs")).readFileSync(path);
  } catch (cause) {
    throw unreadable(path, (cause as Error).message);
  }
}

function unreadable(path: string, why: string, errno?: number): LandlockError {
  return new LandlockError(
    "ERR_LANDLOCK_PATH",
    `Cannot read the policy ${JSON.stringify(path)}: ${why}; name a file that can be read`,
    { path, ...(errno === undefined ? {} : { syscall: "openat", errno }) },
  );
}

/** A comment ends where a line of JavaScript does: at CR, U+2028 and U+2029 too. */
const tokens =
  /"(?:[^"\\]|\\[^])*"|'(?:[^'\\]|\\[^])*'|\/\/[^\n\r\u2028\u2029]*|\/\*[^]*?\*\/|[{}[\],:]/g;

/** An object or list that is open, and where in it the text is. */
interface Open {
  /** Keys so far; a list has none. */
  readonly keys?: Set<string>;
  at: string | number;
}

/**
 * Finds each key that its object has already, in text that was parsed before.
 *
 * @param text JSON, with comments or without
 * @returns The path of each such key, as `["landlock", "paths", 0, "access"]`; an empty one for text
 *   that follows the value
 */
function* duplicateKeys(text: string): Generator<(string | number)[], void> {
  const open: Open[] = [];
  let last = "";
  let closed = false;
  for (const [token] of text.matchAll(tokens)) {
    const inside = open.at(-1);
    // What follows the whole value is not read at all.
    if (!inside && closed && /^[{["',:]/.test(token)) yield [];
    if (token === "{") open.push({ keys: new Set(), at: "" });
    else if (token === "[") open.push({ at: 0 });
    else if (token === "}" || token === "]") closed = open.pop() !== undefined && open.length === 0;
    else if (token === "," && typeof inside?.at === "number") inside.at++;
    else if (token === ":" && inside?.keys) {
      const key = Bun.JSONC.parse(last) as string;
      inside.at = key;
      if (inside.keys.has(key)) yield open.map(({ at }) => at);
      inside.keys.add(key);
    } else if (/^["']/.test(token)) last = token;
  }
}
