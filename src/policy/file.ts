/** Reads the data in a policy's file. */
import { errnoName, LandlockError } from "../errors/errors.ts";
import { close, openFile, readOpen } from "../kernel/syscalls.ts";
import { isRegular, openOwned } from "./owner.ts";
import { fromHere } from "./paths.ts";

/** The content of a policy's file. */
export interface Source {
  /** The file's absolute path. */
  readonly path: string;
  /** The file's name in messages, such as `"/app/package.json"#landlock`. */
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
 * Reads a policy, which is a whole file or the key `landlock` of a package.json.
 *
 * @param path Absolute, or relative to the current directory
 * @param ifForeign If set, refuses a file that another user may have written; the text says what to
 *   do then
 * @throws {LandlockError} `ERR_LANDLOCK_PATH` if it can't be read, isn't a regular file, or is
 *   refused; `ERR_LANDLOCK_INVALID_POLICY` if it can't be parsed
 */
export function readSource(path: string, ifForeign?: string): Source {
  const file = fromHere(path);
  // Checks the name first, to avoid reading a file that can't be a policy.
  formatOf(file);
  return sourceOf(textOf(file, ifForeign), file);
}

/** How to parse a file, by its name. */
function formatOf(file: string) {
  const isPackage = file.endsWith("/package.json");
  const format = file.slice(file.lastIndexOf("/") + 1).match(/\.(\w+)$/)?.[1];
  // Bun allows comments in a package.json.
  const parse = isPackage ? jsonc : formats.get(format);
  if (parse) return { parse, isPackage, isJson: format?.startsWith("json") };
  throw new LandlockError(
    "ERR_LANDLOCK_INVALID_POLICY",
    `${JSON.stringify(file)} is not a policy file: call it something.json, .jsonc, .toml or .yaml`,
    { path: file },
  );
}

/**
 * Reads a policy from its file's text.
 *
 * @param file The file's absolute path
 * @throws {LandlockError} `ERR_LANDLOCK_INVALID_POLICY` as in `readSource()`
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
    "ERR_LANDLOCK_INVALID_POLICY",
    `${name} has no policy: add the key "landlock", or name another file`,
    { path: file },
  );
}

/** In a package.json only the key `landlock` matters. */
function requireUnique(text: string, path: string, isPackage: boolean): void {
  for (const [first, ...rest] of duplicateKeys(text)) {
    if (first === undefined) {
      throw new LandlockError(
        "ERR_LANDLOCK_INVALID_POLICY",
        `Cannot parse ${JSON.stringify(path)}: text follows the policy's last bracket; remove it`,
        { path },
      );
    }
    if (isPackage && first !== "landlock") continue;
    const place = rest.reduce<string>(
      (before, key) => `${before}${typeof key === "number" ? `[${key}]` : `.${key}`}`,
      `${first}`,
    );
    throw new LandlockError(
      "ERR_LANDLOCK_INVALID_POLICY",
      `Cannot parse ${JSON.stringify(path)}: the key ${place} appears twice; remove one of the two`,
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
      "ERR_LANDLOCK_INVALID_POLICY",
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
      "ERR_LANDLOCK_INVALID_POLICY",
      `Cannot parse ${JSON.stringify(path)}: it is not UTF-8; save it as UTF-8`,
      { path, cause },
    );
  }
}

/** Uses system calls that are loaded anyway: loading node:fs takes longer than reading a policy. */
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

/** A comment ends at a line break of JavaScript, which may also be CR, U+2028 or U+2029. */
const tokens =
  /"(?:[^"\\]|\\[^])*"|'(?:[^'\\]|\\[^])*'|\/\/[^\n\r\u2028\u2029]*|\/\*[^]*?\*\/|[{}[\],:]/g;

/** An open object or list, and the current position in it. */
interface Open {
  /** The keys so far. A list has none. */
  readonly keys?: Set<string>;
  at: string | number;
}

/**
 * Finds duplicate keys in text that the parser accepted.
 *
 * @param text JSON, with or without comments
 * @returns The path of each duplicate key, such as `["landlock", "paths", 0, "access"]`; an empty
 *   path for text after the value
 */
function* duplicateKeys(text: string): Generator<(string | number)[], void> {
  const open: Open[] = [];
  let last = "";
  let closed = false;
  for (const [token] of text.matchAll(tokens)) {
    const inside = open.at(-1);
    // Parsers ignore text after the whole value.
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
