/** Errors that do not look like a denial, and often are one. */
import { dirname, extname, join, resolve } from "node:path";
import { quoted } from "../errors/errors.ts";
import type { Failure } from "./failure.ts";
import { presetOperations } from "./granted.ts";
import type { FileType, Operation } from "../model/operation.ts";
import type { Files } from "../model/place.ts";
import { unknownPort, type Attempt, type Reading } from "./attempt.ts";

/** A certificate that nobody vouches for: so it seems where their list cannot be read. */
const untrusted =
  /^(UNABLE_TO_(VERIFY_LEAF_SIGNATURE|GET_ISSUER_CERT(_LOCALLY)?)|(DEPTH_ZERO_)?SELF_SIGNED_CERT(_IN_CHAIN)?|CERT_UNTRUSTED)$/;

/** A look-up that asked nobody, or the wrong server. */
const lookups = /^(getaddrinfo|getnameinfo|getHostByAddr|query\w+)$/;

/** What an error reads like that has no errno of a denial. Nothing: it is no such error. */
export function disguised(failure: Failure, files: Files): Reading | undefined {
  const { code, syscall, message } = failure;
  if (lookups.test(syscall)) return lookup();
  if (untrusted.test(code)) {
    const operations = presetOperations("tls");
    return { attempts: [{ operations, preset: "tls", certain: false }] };
  }
  if (/^SQLITE_(CANTOPEN|READONLY|IOERR|PERM|AUTH)/.test(code)) return database(failure);
  if (failure.module) {
    const path = importedFile(failure.module, files);
    if (path !== undefined) return module(path, files);
    const { specifier } = failure.module;
    return { attempts: [], missing: `There is no module ${quoted(specifier)}` };
  }
  if (/\bError in worker$/.test(message)) {
    const needs = "the error does not name the script: give it, as { path }";
    return failure.path ? module(resolve(failure.path), files) : { attempts: [], needs };
  }
  if (syscall === "memoryUsage") {
    const path = "/proc/self/statm";
    return { attempts: [{ operations: [{ kind: "open", path, read: true }] }], path };
  }
  // node:dgram says no more, whatever the errno was.
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
 * Files first: without them, this machine itself is asked. The ports of DNS matter where UDP is
 * restricted.
 */
function lookup(): Reading {
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

/** A database, and the journal that comes and goes beside it. */
function database({ code, path }: Failure): Reading {
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
  // A database that can be read but not written is opened, and fails later.
  if (!/CANTOPEN/.test(code)) return { attempts: both, path };
  return { attempts: [...both, { operations: [read], certain: false }], path };
}

/** Bun's resolver lists the folder before it reads the file. */
function module(path: string, files: Files): Reading {
  const real = files.find(path, true).path;
  const operations: Operation[] = [
    { kind: "open", path, read: true },
    { kind: "open", path: dirname(real), read: true },
  ];
  return { attempts: [{ operations, preset: `modules=${path}`, rules: true }], path };
}

const extensions = ["", ".tsx", ".jsx", ".ts", ".mjs", ".js", ".cjs", ".mts", ".cts", ".json"];

/** The file that an import means, looked up without listing folders. */
function importedFile(
  { specifier, referrer }: NonNullable<Failure["module"]>,
  files: Files,
): string | undefined {
  const isThere = (path: string, type: FileType) => files.find(path, true).file?.type === type;
  const name = specifier.startsWith("file:") ? Bun.fileURLToPath(specifier) : specifier;
  const folder = isThere(referrer, "directory") ? referrer : dirname(referrer);
  if (/^\.{0,2}\//.test(name) || name.startsWith("..") || name === ".") {
    return scriptAt(resolve(folder, name), files);
  }
  // A package: its manifest says which file it is, and that may be out of reach.
  for (let above = folder; ; above = dirname(above)) {
    const place = join(above, "node_modules", name);
    const found =
      scriptAt(place, files) ??
      (isThere(place, "directory") ? join(place, "package.json") : undefined);
    if (found !== undefined) return found;
    if (above === dirname(above)) return undefined;
  }
}

function scriptAt(path: string, files: Files): string | undefined {
  const candidates = [
    ...extensions.map((extension) => path + extension),
    ...(/^\.[cm]?jsx?$/.test(extname(path)) ? [path.replace(/js(x?)$/, "ts$1")] : []),
    ...extensions.slice(1).map((extension) => join(path, `index${extension}`)),
  ];
  return candidates.find((candidate) => files.find(candidate, true).file?.type === "regular");
}
