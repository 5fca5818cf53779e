/**
 * Landlock's decisions as a pure function. From layers and an operation it computes whether the
 * operation is allowed, and if not, the errno, the layer and the right. Source:
 * `security/landlock/{fs,net,task}.c` of Linux 7.3.
 *
 * It only covers Landlock: a missing file or ordinary permissions can still make an operation fail.
 */
import { abiOfRight, newestAbi, type FsRight, type NetRight, type Scope } from "../kernel/abi.ts";
import { asEnforced, type KernelVersion, type Layer } from "./layer.ts";
import type { FileOperation, Operation, PortOperation } from "./operation.ts";
import type { Files, Place } from "./place.ts";
import { refer, type Referral } from "./refer.ts";
import { makeRight, removeRight, requestsOf, whiteoutErratum } from "./request.ts";
import { missingOn, type Missing } from "./walk.ts";

/** A right that a layer denies. */
export interface Denial {
  /** 1 is the layer that was enforced first. */
  readonly layer: number;
  readonly right: FsRight | NetRight | Scope;
  /** The file or directory that a rule would have to name. */
  readonly path?: string;
  readonly port?: number;
  /** For `refer`: rights the file would gain in its new place, which Landlock never allows. */
  readonly gained?: readonly FsRight[];
}

/** What Landlock decides about an operation. */
export type Verdict =
  | { readonly allowed: true }
  | {
      readonly allowed: false;
      readonly errno: "EACCES" | "EXDEV" | "EPERM";
      /** All missing rights, in the order in which the kernel checks them. */
      readonly denials: readonly Denial[];
    };

const allowed: Verdict = { allowed: true };

const newest: KernelVersion = { abi: newestAbi, errata: whiteoutErratum };

/**
 * Decides about an operation.
 *
 * @param layers Layers in the order in which they were enforced
 * @param files The files just before the operation
 * @param kernel What `probe()` returns on the kernel that enforces the layers; default: the newest
 */
export function evaluate(
  operation: Operation,
  layers: readonly Layer[],
  files: Files,
  kernel: KernelVersion = newest,
): Verdict {
  if (operation.kind === "scope") {
    const denying = layers.map(({ handled }) => handled.scoped.includes(operation.scope));
    const denials = denying.flatMap((denies, i) =>
      denies ? [{ layer: i + 1, right: operation.scope }] : [],
    );
    return denied("EPERM", denials);
  }
  if (operation.kind === "port") {
    return denied("EACCES", portDenials(operation, layers));
  }
  if (operation.kind === "rename" || operation.kind === "link") {
    return evaluateReferral(operation, asEnforced(layers), files, kernel);
  }
  const denials = requestsOf(operation, files, kernel).flatMap(({ chain, rights }) =>
    denialsOf(missingOn(layers, chain, new Set(rights)), chain[0]!.path),
  );
  return denied("EACCES", denials);
}

function denied(errno: "EACCES" | "EXDEV" | "EPERM", denials: readonly Denial[]): Verdict {
  return denials.length === 0 ? allowed : { allowed: false, errno, denials };
}

function portDenials(
  { access, port, unbound }: PortOperation,
  layers: readonly Layer[],
): readonly Denial[] {
  const wanted = access.map((right) => ({ right, port }));
  if (unbound) wanted.push({ right: "bind_udp", port: 0 });
  return wanted.flatMap(({ right, port }) =>
    layers.flatMap(({ handled, ports }, i) =>
      handled.net.includes(right) && !ports.get(port)?.has(right)
        ? [{ layer: i + 1, right, port }]
        : [],
    ),
  );
}

/** The denied rights of each layer as one list. */
function denialsOf(missing: Missing, path: string): Denial[] {
  return missing.flatMap((rights, i) =>
    [...rights].map((right) => ({ layer: i + 1, right, path })),
  );
}

function evaluateReferral(
  operation: Extract<FileOperation, { kind: "rename" | "link" }>,
  layers: readonly Layer[],
  files: Files,
  kernel: KernelVersion,
): Verdict {
  const source = files.find(operation.path, false);
  const target = files.find(operation.to, false);
  const [fromDir, toDir] = [source.parents[0], target.parents[0]];
  if (!source.file || !fromDir || !toDir) return allowed;
  // The kernel fails with EXDEV before it asks Landlock.
  if (mountOf(source) !== mountOf(target)) return allowed;
  const moves = operation.kind === "rename";
  const exchange = moves && operation.exchange === true;
  const requests = {
    from: new Set<FsRight>([
      ...(exchange && target.file ? [makeRight(target.file.type, kernel)] : []),
      ...(moves ? removeRight(source.file) : []),
    ]),
    to: new Set<FsRight>([
      makeRight(source.file.type, kernel),
      ...(moves ? removeRight(target.file) : []),
    ]),
  };
  if (fromDir.id === toDir.id) {
    const all = requests.from.union(requests.to);
    return denied("EACCES", denialsOf(missingOn(layers, target.parents, all), toDir.path));
  }
  if (kernel.abi < abiOfRight("refer")) return neverReferred(layers, fromDir.path);
  const referral = refer(layers, source, target, requests, exchange);
  if (referral.allowed) return allowed;
  return {
    allowed: false,
    errno: referral.errno,
    denials: referralDenials(referral, fromDir.path, toDir.path),
  };
}

/** The mount point of the file system that a directory is on. */
function mountOf({ parents }: Place): string | undefined {
  return parents.find(({ mounted }) => mounted)?.path;
}

/** ABI 1 always denies it and checks no other right. */
function neverReferred(layers: readonly Layer[], path: string): Verdict {
  const denials = layers.flatMap(({ handled }, i): Denial[] =>
    handled.fs.length > 0 ? [{ layer: i + 1, right: "refer", path }] : [],
  );
  return denied("EXDEV", denials);
}

function referralDenials({ from, to, gained }: Referral, fromDir: string, toDir: string): Denial[] {
  const gains = gained.flatMap((rights, i): Denial[] =>
    rights.size > 0 ? [{ layer: i + 1, right: "refer", path: fromDir, gained: [...rights] }] : [],
  );
  return [...denialsOf(from, fromDir), ...denialsOf(to, toDir), ...gains];
}
