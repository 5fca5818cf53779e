/**
 * Landlock's decisions, as a pure function: layers and an operation in, allowed or denied out, with
 * the errno, the layer and the right. Source: `security/landlock/{fs,net,task}.c` of Linux 7.3.
 *
 * It says what Landlock decides and nothing else: a file that is missing, or that ordinary
 * permissions protect, fails on its own.
 */
import { fileRights, type FsRight, type NetRight, type Scope } from "../kernel/abi.ts";
import type { Layer } from "./layer.ts";
import type { FileOperation, FileType, Open, Operation } from "./operation.ts";
import type { Files, Inode, Place } from "./place.ts";
import { refer, type Referral } from "./refer.ts";
import { missingOn, type Missing } from "./walk.ts";

/** A right that a layer denies. */
export interface Denial {
  /** 1: the layer that was enforced first. */
  readonly layer: number;
  readonly right: FsRight | NetRight | Scope;
  /** The file or directory that a rule would have to be about. */
  readonly path?: string;
  readonly port?: number;
  /** For `refer`: rights the file would gain by its new place, which is never allowed. */
  readonly gained?: readonly FsRight[];
}

/** What Landlock says to an operation. */
export type Verdict =
  | { readonly allowed: true }
  | {
      readonly allowed: false;
      readonly errno: "EACCES" | "EXDEV" | "EPERM";
      /** All that is missing, in the order in which the kernel asks. */
      readonly denials: readonly Denial[];
    };

const allowed: Verdict = { allowed: true };

/** Decides about an operation. */
export function evaluate(operation: Operation, layers: readonly Layer[], files: Files): Verdict {
  if (operation.kind === "scope") {
    const denying = layers.map(({ handled }) => handled.scoped.includes(operation.scope));
    const denials = denying.flatMap((denies, i) =>
      denies ? [{ layer: i + 1, right: operation.scope }] : [],
    );
    return denied("EPERM", denials);
  }
  if (operation.kind === "port") {
    const { access, port } = operation;
    const denials = access.flatMap((right) =>
      layers.flatMap(({ handled, ports }, i) =>
        handled.net.includes(right) && !ports.get(port)?.has(right)
          ? [{ layer: i + 1, right, port }]
          : [],
      ),
    );
    return denied("EACCES", denials);
  }
  if (operation.kind === "rename" || operation.kind === "link") {
    return evaluateReferral(operation, layers, files);
  }
  const denials = requestsOf(operation, files).flatMap(({ chain, rights }) =>
    denialsOf(missingOn(layers, chain, new Set(rights)), chain[0]!.path),
  );
  return denied("EACCES", denials);
}

function denied(errno: "EACCES" | "EPERM", denials: readonly Denial[]): Verdict {
  return denials.length === 0 ? allowed : { allowed: false, errno, denials };
}

/** The denied rights of each layer, as a list. */
function denialsOf(missing: Missing, path: string): Denial[] {
  return missing.flatMap((rights, i) =>
    [...rights].map((right) => ({ layer: i + 1, right, path })),
  );
}

/** Rights wanted on a file: itself and the directories it is in. */
interface Request {
  readonly chain: readonly Inode[];
  readonly rights: readonly FsRight[];
}

/** What an operation wants, in the order in which the kernel asks; nothing where a path is missing. */
function requestsOf(
  operation: Exclude<FileOperation, { kind: "rename" | "link" }>,
  files: Files,
): Request[] {
  const { kind, path } = operation;
  const follow = kind !== "make" && kind !== "remove";
  const place = files.find(path, follow);
  if (kind === "open") return openRequests(operation, place);
  if (kind === "make") return inDirectory(place, makeRight[operation.type]);
  if (kind === "remove") {
    return inDirectory(place, operation.directory ? "remove_dir" : "remove_file");
  }
  if (kind === "access") return accessRequests(operation.access, place);
  if (place.file === undefined) return [];
  const on = (...rights: FsRight[]): Request[] => [{ chain: chainOf(place), rights }];
  if (kind === "execute") return on("read_file", "execute");
  if (kind === "ioctl") {
    return place.file.type === "char" || place.file.type === "block" ? on("ioctl_dev") : [];
  }
  return on(kind);
}

function chainOf(place: Place): readonly Inode[] {
  return place.file ? [place.file, ...place.parents] : place.parents;
}

function inDirectory({ parents }: Place, ...rights: FsRight[]): Request[] {
  return parents.length === 0 ? [] : [{ chain: parents, rights }];
}

function openRequests({ read, write, truncate, create, unnamed }: Open, place: Place): Request[] {
  if (place.file?.type === "directory" && !unnamed) {
    return read ? [{ chain: chainOf(place), rights: ["read_dir"] }] : [];
  }
  const rights: FsRight[] = [];
  if (read) rights.push("read_file");
  if (write) rights.push("write_file");
  if (place.file) {
    // A file that is made in the same call has nothing to truncate.
    if (truncate && place.file.type === "regular") rights.push("truncate");
    return rights.length === 0 ? [] : [{ chain: chainOf(place), rights }];
  }
  if (!create || place.parents.length === 0) return [];
  return [...inDirectory(place, "make_reg"), ...inDirectory(place, ...rights)];
}

/** Rights about entries are asked of the directory, those about files of the file. */
function accessRequests(access: readonly FsRight[], place: Place): Request[] {
  const onFile = access.filter((right) => fileRights.includes(right));
  const onEntries = access.filter((right) => !fileRights.includes(right));
  const directory = place.file?.type === "directory" ? chainOf(place) : place.parents;
  return [
    { chain: chainOf(place), rights: onFile },
    { chain: directory, rights: onEntries },
  ].filter(({ chain, rights }) => chain.length > 0 && rights.length > 0);
}

/** The right to make a file of a type (kernel: `get_mode_access()`). */
const makeRight: Readonly<Record<FileType, FsRight>> = {
  regular: "make_reg",
  directory: "make_dir",
  symlink: "make_sym",
  fifo: "make_fifo",
  socket: "make_sock",
  char: "make_char",
  block: "make_block",
};

function removeRight(file: Inode | undefined): readonly FsRight[] {
  if (file === undefined) return [];
  return [file.type === "directory" ? "remove_dir" : "remove_file"];
}

function evaluateReferral(
  operation: Extract<FileOperation, { kind: "rename" | "link" }>,
  layers: readonly Layer[],
  files: Files,
): Verdict {
  const source = files.find(operation.path, false);
  const target = files.find(operation.to, false);
  const [fromDir, toDir] = [source.parents[0], target.parents[0]];
  if (!source.file || !fromDir || !toDir) return allowed;
  const moves = operation.kind === "rename";
  const exchange = moves && operation.exchange === true;
  const requests = {
    from: new Set<FsRight>([
      ...(exchange && target.file ? [makeRight[target.file.type]] : []),
      ...(moves ? removeRight(source.file) : []),
    ]),
    to: new Set<FsRight>([makeRight[source.file.type], ...(moves ? removeRight(target.file) : [])]),
  };
  if (fromDir.id === toDir.id) {
    const all = requests.from.union(requests.to);
    return denied("EACCES", denialsOf(missingOn(layers, target.parents, all), toDir.path));
  }
  const referral = refer(layers, source, target, requests, exchange);
  if (referral.allowed) return allowed;
  return {
    allowed: false,
    errno: referral.errno,
    denials: referralDenials(referral, fromDir.path, toDir.path),
  };
}

function referralDenials({ from, to, gained }: Referral, fromDir: string, toDir: string): Denial[] {
  const gains = gained.flatMap((rights, i): Denial[] =>
    rights.size > 0 ? [{ layer: i + 1, right: "refer", path: fromDir, gained: [...rights] }] : [],
  );
  return [...denialsOf(from, fromDir), ...denialsOf(to, toDir), ...gains];
}
