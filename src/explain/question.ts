/** Turns questions of Node's permission model into operations. */
import { resolve } from "node:path";
import { LandlockError } from "../errors/errors.ts";
import {
  accessFs,
  accessNet,
  fileRights,
  scopes,
  type FsRight,
  type NetRight,
  type Scope,
} from "../kernel/abi.ts";
import { parse } from "../validate/parse.ts";
import { isPort, type PathLike } from "../validate/values.ts";
import type { nodeScopes } from "../vocabulary.ts";
import type { Operation } from "../model/operation.ts";
import type { Files, Place } from "../model/place.ts";
import { programOperations, programPath } from "./granted.ts";
import { denialsOf, type Sandbox } from "./remedy.ts";

/** The subjects of `permissions.has()`: Node's scopes, or a right by its kernel name. */
export type PermissionScope = (typeof nodeScopes)[number] | FsRight | NetRight | Scope;

const reading: readonly FsRight[] = ["read_file", "read_dir"];
const others: readonly FsRight[] = ["execute", "refer", "ioctl_dev", "resolve_unix"];
const writing = accessFs.filter((right) => !reading.includes(right) && !others.includes(right));

const fsScopes: Readonly<Record<string, readonly FsRight[]>> = {
  fs: [...reading, ...writing],
  "fs.read": reading,
  "fs.write": writing,
};

const netScopes: Readonly<Record<string, readonly NetRight[]>> = {
  net: accessNet,
  "net.connect": ["connect_tcp"],
  "net.bind": ["bind_tcp"],
};

/** Whether all layers grant it. */
export function isPermitted(
  scope: PermissionScope,
  reference: PathLike | number | undefined,
  sandbox: Sandbox,
): boolean {
  const net = netScopes[scope] ?? accessNet.filter((right) => right === scope);
  if (net.length > 0) return onPort(net, reference, scope, sandbox);
  if (reference !== undefined && scopes.some((name) => name === scope)) throw noReference(scope);
  const operations = operationsFor(scope, pathOf(reference), sandbox.files);
  return denialsOf(operations, sandbox).length === 0;
}

function pathOf(reference: PathLike | number | undefined): string | undefined {
  if (reference === undefined) return undefined;
  const path = parse("path", reference, "permissions.has()");
  return path instanceof URL ? Bun.fileURLToPath(path) : path;
}

function onPort(
  access: readonly NetRight[],
  port: PathLike | number | undefined,
  scope: string,
  sandbox: Sandbox,
): boolean {
  if (port === undefined) {
    return !sandbox.layers.some(({ handled }) =>
      access.some((right) => handled.net.includes(right)),
    );
  }
  if (!isPort(port))
    throw invalid(scope, `${Bun.inspect(port)} is not a port: give an integer from 0 to 65535`);
  return denialsOf([{ kind: "port", access, port }], sandbox).length === 0;
}

/** Without a path, the question is about the root, which means everywhere. */
function operationsFor(scope: string, path: string | undefined, files: Files): Operation[] {
  if (scope === "child" && path !== undefined) {
    return programOperations(resolve(programPath(path)));
  }
  const named = scopes.find((name) => name === scope);
  if (named) return [{ kind: "scope", scope: named }];
  const rights = fsScopes[scope] ?? (scope === "child" ? ["execute", "read_file"] : [scope]);
  const known = rights as readonly FsRight[];
  const access = fsScopes[scope] ? known.filter(isMeantFor(files.find(path ?? "/", true))) : known;
  return [{ kind: "access", path: path ?? "/", access }];
}

/**
 * A question about a directory includes everything beneath it. A missing path would become a file.
 */
function isMeantFor({ file }: Place): (right: FsRight) => boolean {
  if (file?.type === "directory") return () => true;
  const made: readonly FsRight[] = ["make_reg", "write_file", "read_file"];
  return (right) => (file ? fileRights.includes(right) : made.includes(right));
}

function noReference(scope: string): LandlockError {
  return invalid(scope, "it takes no reference, because no rule can grant it: leave it out");
}

function invalid(scope: string, problem: string): LandlockError {
  const message = `permissions.has(${JSON.stringify(scope)}): ${problem}`;
  return new LandlockError("ERR_LANDLOCK_INVALID_RULE", message);
}
