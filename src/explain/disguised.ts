/** Recognizes errors that are often caused by a denial but don't look like one. */
import { dirname, extname, join, resolve } from "node:path";
import { quoted } from "../errors/errors.ts";
import type { Failure } from "./failure.ts";
import { presetOperations } from "./granted.ts";
import type { FileType, Operation } from "../model/operation.ts";
import type { Files } from "../model/place.ts";
import { unknownPort, type Attempt, type Hypotheses } from "./attempt.ts";

/** Errors for untrusted certificates, which also occur if the list of authorities can't be read. */
const untrusted =
  /^(UNABLE_TO_(VERIFY_LEAF_SIGNATURE|GET_ISSUER_CERT(_LOCALLY)?)|(DEPTH_ZERO_)?SELF_SIGNED_CERT(_IN_CHAIN)?|CERT_UNTRUSTED)$/;

/** Look-ups of names, which may fail because they asked no server or the wrong one. */
const lookups = /^(getaddrinfo|getnameinfo|getHostByAddr|query\w+)$/;

/**
 * The hypotheses for an error without an errno of a denial. Undefined if it isn't such an error.
 */
export function disguised(failure: Failure, files: Files): Hypotheses | undefined {
  const { code, syscall, message } = failure;
  if (lookups.test(syscall)) return lookup();
  if (untrusted.test(code)) {
    const operations = presetOperations("tls");
    return { attempts: [{ operations, preset: "tls", certain: false }] };
  }
  if (/^SQLITE_(CANTOPEN|READONLY|IOERR|PERM|AUTH)/.test(code)) return database(failure);
  if (failure.module) return imported(failure.module, failure.path, files);
  if (failure.callee === "import" && code === "EACCES" && failure.path !== undefined) {
    return loaded(resolve(failure.path), files);
  }
  const unnamed = nameless.find(([pattern]) =>
    pattern.test(`${code} ${failure.callee}: ${message}`),
  );
  if (unnamed) {
    const needs = `the error does not name ${unnamed[1]}: give it, as { path }`;
    if (!failure.path) return { attempts: [], needs };
    return (isScript(failure.path) ? module : loaded)(resolve(failure.path), files);
  }
  if (syscall === "memoryUsage") {
    const path = "/proc/self/statm";
    return { attempts: [{ operations: [{ kind: "open", path, read: true }] }], path };
  }
  // node:dgram gives this message for every errno.
  if (failure.isUdp && message === "Failed to connect socket") {
    const needs = "the error does not name the port: give it, as { port: 53 }";
    const port = failure.port ?? unknownPort;
    const operations = [{ kind: "port", access: ["connect_send_udp"], port }] as const;
    return { attempts: [{ operations, certain: false }], port: failure.port, needs };
  }
  if (/^WebSocket connection to .* failed/.test(message) && failure.port !== undefined) {
    const { port } = failure;
    const operations = [{ kind: "port", access: ["connect_tcp"], port }] as const;
    return { attempts: [{ operations, certain: false }], port };
  }
  return undefined;
}

/**
 * A look-up needs its files first: without them it asks this machine itself. The ports of DNS
 * matter if UDP is restricted.
 */
function lookup(): Hypotheses {
  const ports: Operation[] = [
    { kind: "port", access: ["bind_udp"], port: 0 },
    { kind: "port", access: ["connect_send_udp"], port: 53 },
    { kind: "port", access: ["connect_send_udp"], port: 0 },
  ];
  const names = presetOperations("dns");
  const needed = /^\/etc\/(resolv|nsswitch)\.conf$/;
  const certain = names.filter((one) => "path" in one && needed.test(one.path));
  return {
    attempts: [
      { operations: ports, preset: "dns=ports", rules: true },
      { operations: certain, preset: "dns" },
      { operations: names, preset: "dns", certain: false },
    ],
  };
}

/** A database and its temporary journal. */
function database({ code, path }: Failure): Hypotheses {
  if (path === undefined) {
    return { attempts: [], needs: "SQLite does not name the file: give it, as { path }" };
  }
  const journal = `${path}-journal`;
  const read: Operation = { kind: "open", path, read: true };
  const write: Operation[] = [
    { kind: "open", path, read: true, write: true, create: true, truncate: true },
    { kind: "open", path: journal, read: true, write: true, create: true },
    { kind: "remove", path: journal, directory: false },
  ];
  const both: Attempt[] = [{ operations: write }];
  // If a database can only be read, SQLite opens it and fails later.
  if (!/CANTOPEN/.test(code)) return { attempts: both, path };
  return { attempts: [...both, { operations: [read], certain: false }], path };
}

/** Bun's errors that don't name their file, by code, function and message. */
const nameless: readonly (readonly [RegExp, what: string])[] = [
  [/\bError in worker$/, "the script"],
  // A script in the list `preload`.
  [/ Worker: (undefined)?$/, "the script"],
  [/"MacroLoadError" error in macro$/, "the file of the macro"],
  [/^ERR_OSSL_SYS_Permission denied /, "the file of the key or certificate"],
];

/** Whether Bun runs this file, and so also reads its imports. */
export const isScript = (path: string) => /^\.([cm]?[jt]s|[jt]sx|node)$/.test(extname(path));

/** A file or directory that exists but could not be read. */
function loaded(path: string, files: Files): Hypotheses {
  const { file } = files.find(path, true);
  if (file === undefined) return notThere(path);
  if (file.type === "directory") return { attempts: [{ ...within(path), certain: true }], path };
  const preset = isScript(path) ? { preset: `modules=${path}`, rules: true } : {};
  return { attempts: [{ operations: [{ kind: "open", path, read: true }], ...preset }], path };
}

/** Ordinary permissions may hide it, too. */
const notThere = (path: string, missing = `${quoted(path)} does not exist`): Hypotheses => ({
  attempts: [{ operations: [{ kind: "open", path, read: true }] }],
  path,
  missing,
});

/** Bun's resolver lists the folder before it reads the file. */
function module(path: string, files: Files): Hypotheses {
  const { path: real, file } = files.find(path, true);
  if (file === undefined) return notThere(path);
  const operations: Operation[] = [
    { kind: "open", path, read: true },
    { kind: "open", path: dirname(real), read: true },
  ];
  return { attempts: [{ operations, preset: `modules=${path}`, rules: true }], path };
}

/** A package's manifest lists its files, but often can't be read inside the sandbox. */
function packaged(path: string, folder: string, holder: string, files: Files): Hypotheses {
  const isFile = isA("regular", path, files);
  const preset = `modules=${path}`;
  const manifest: Operation = { kind: "open", path: join(folder, "package.json"), read: true };
  const list: Operation = { kind: "open", path: holder, read: true };
  // Bun searches there for node_modules, but modules() only grants that for imports of a project.
  const also = isFile || !isA("regular", join(holder, "package.json"), files) ? [list] : [];
  return {
    attempts: [
      { operations: [manifest], also, preset },
      isFile
        ? { operations: [{ kind: "open", path, read: true }], also, preset, certain: false }
        : { ...within(folder), also, preset },
    ],
    path,
  };
}

/** Any file in a directory. */
function within(path: string): Attempt {
  return {
    operations: [{ kind: "access", path, access: ["read_file", "read_dir"] }],
    certain: false,
  };
}

const extensions = ["", ".tsx", ".jsx", ".ts", ".mjs", ".js", ".cjs", ".mts", ".cts", ".json"];

/** An import that was not found. This looks its file up without listing folders. */
function imported(
  { specifier, referrer }: NonNullable<Failure["module"]>,
  hinted: string | undefined,
  files: Files,
): Hypotheses {
  const name = specifier.startsWith("file:") ? Bun.fileURLToPath(specifier) : specifier;
  const folder = isA("directory", referrer, files) ? referrer : dirname(referrer);
  const isPath = /^(\.{0,2}\/|\.{1,2}$)/.test(name);
  const found = isPath ? scriptAt(resolve(folder, name), files) : undefined;
  if (found !== undefined) return module(found, files);
  if (!isPath) {
    const hypotheses = inPackage(name, folder, files);
    if (hypotheses) return hypotheses;
  }
  const directory = resolve(folder, name);
  if (isPath && isA("directory", directory, files)) return { attempts: [within(directory)] };
  if (hinted !== undefined) return module(resolve(hinted), files);
  const none = `There is no module ${quoted(name)}`;
  if (isPath) return notThere(directory, none);
  const settings = settingsAbove(folder, name, files);
  if (settings === undefined) return { attempts: [], missing: none };
  // The alias may lead to any file.
  const operations: Operation[] = [{ kind: "open", path: settings, read: true }];
  const needs = `${quoted(settings)} may say which file ${quoted(name)} is: give it, as { path }`;
  return { attempts: [{ operations, certain: false }], needs };
}

/** The file of a package's name or subpath, searched from a folder upwards. */
function inPackage(name: string, folder: string, files: Files): Hypotheses | undefined {
  const own = /^(@[^/]+\/)?[^/]+/.exec(name)?.[0] ?? name;
  for (let above = folder; ; above = dirname(above)) {
    const place = join(above, "node_modules", name);
    const top = join(above, "node_modules", own);
    if (isA("regular", join(top, "package.json"), files)) return packaged(place, top, above, files);
    const found = scriptAt(place, files);
    if (found !== undefined) return module(found, files);
    if (above === dirname(above)) return undefined;
  }
}

/** The nearest settings file that can define aliases for files of a project. */
function settingsAbove(folder: string, name: string, files: Files): string | undefined {
  const names = name.startsWith("#") ? ["package.json"] : ["tsconfig.json", "jsconfig.json"];
  for (let above = folder; ; above = dirname(above)) {
    const found = names.map((one) => join(above, one)).find((one) => isA("regular", one, files));
    if (found !== undefined || above === dirname(above)) return found;
  }
}

function isA(type: FileType, path: string, files: Files): boolean {
  return files.find(path, true).file?.type === type;
}

function scriptAt(path: string, files: Files): string | undefined {
  const candidates = [
    ...extensions.map((extension) => path + extension),
    ...(/^\.[cm]?jsx?$/.test(extname(path)) ? [path.replace(/js(x?)$/, "ts$1")] : []),
    ...extensions.slice(1).map((extension) => join(path, `index${extension}`)),
  ];
  return candidates.find((candidate) => isA("regular", candidate, files));
}
