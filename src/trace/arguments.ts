/** Interprets arguments as paths, flags and socket addresses. */
import { bytesOf } from "../kernel/names.ts";
import type { Call } from "./line.ts";
import { locate, openLocation, type FindViewer, type Location, type Viewer } from "./objects.ts";
import type { Value } from "./value.ts";

/** The context of a call. */
export interface Here {
  readonly viewer: Viewer;
  readonly find: FindViewer;
  /** Set if a path of the call can't be determined. */
  isLost: boolean;
  /** Set if a path of the call is an open file that was deleted. */
  isDeleted: boolean;
  /**
   * Symbolic links that the call's paths went through and that the absolute paths no longer show.
   */
  via: readonly string[];
}

/** A text argument. Undefined for truncated text, which would name another file. */
export function textAt(call: Call, at: number): string | undefined {
  const value = call.args[at];
  return value?.type === "text" && !value.cut ? value.text : undefined;
}

/** The words of a flags argument. */
export function flagsOf(value: Value | undefined): readonly string[] {
  return value?.type === "word" ? value.word.split("|") : [];
}

/** A named field of a struct; undefined for other values. */
export function fieldOf(value: Value | undefined, name: string): Value | undefined {
  return value?.type === "group" ? value.fields.get(name) : undefined;
}

/** The name of the file that a descriptor argument refers to. */
export function openOn(value: Value | undefined): string | undefined {
  return value?.type === "word" ? value.on?.name : undefined;
}

/**
 * The absolute path that an argument leads to, or undefined if it isn't a path.
 *
 * @param directory Index of the descriptor that the path is relative to, if any
 * @param follow Whether the call follows a symbolic link at the end of the path
 */
export function pathAt(
  call: Call,
  at: number,
  here: Here,
  directory?: number,
  follow = true,
): string | undefined {
  const path = textAt(call, at);
  if (path === undefined) return undefined;
  const descriptor = directory === undefined ? undefined : call.args[directory];
  const isCurrent = descriptor?.type !== "word" || descriptor.word === "AT_FDCWD";
  const base: Location = isCurrent
    ? { kind: "path", path: here.viewer.cwd }
    : openLocation(descriptor.on);
  if (path === "") return descriptor === undefined ? undefined : pathOf(base, call, here);
  const start = base.kind === "path" ? base.path : undefined;
  return pathFrom(path, start, call, here, follow);
}

/**
 * The absolute path that a relative one leads to from a directory, or undefined if it isn't a path.
 */
export function pathFrom(
  path: string,
  start: string | undefined,
  call: Call,
  here: Here,
  follow: boolean,
): string | undefined {
  const location = locate(path, start, follow, isDenied(call), here.viewer, here.find);
  return pathOf(location, call, here);
}

function pathOf(location: Location, { errno }: Call, here: Here): string | undefined {
  if (location.kind === "unknown") {
    // ENOENT means that the link leads nowhere, so the link itself is the path.
    if (errno === "ENOENT") return location.link;
    here.isLost = true;
  }
  if (location.kind !== "path") return undefined;
  if (location.deleted) here.isDeleted = true;
  if (location.via) here.via = [...here.via, ...location.via];
  return location.path;
}

/** Whether a call failed with an errno that Landlock uses. */
function isDenied({ errno }: Call): boolean {
  return errno === "EACCES" || errno === "EPERM" || errno === "EXDEV";
}

/** The address of a socket. */
export type Address =
  | { readonly family: "inet"; readonly port: number }
  /** AF_UNSPEC. `port` is missing if the address is too short, and `any` means INADDR_ANY. */
  | { readonly family: "unspec"; readonly port?: number; readonly any: boolean }
  | { readonly family: "unix"; readonly path: string; readonly abstract: boolean };

/** All socket addresses in the arguments, including nested ones as in sendmmsg(2). */
export function addressesOf(values: readonly Value[]): Address[] {
  return values.flatMap((value): Address[] => {
    if (value.type !== "group") return [];
    const family = value.fields.get("sa_family");
    if (family?.type !== "word") return addressesOf(value.items);
    const address = (addressReaders[family.word] ?? inetAddress)(value.fields);
    return address ? [address] : [];
  });
}

const addressReaders: Readonly<
  Record<string, (fields: ReadonlyMap<string, Value>) => Address | undefined>
> = { AF_UNIX: unixAddress, AF_UNSPEC: unspecifiedAddress };

/** The size of `struct sockaddr_in` after the family: port, address and eight unused bytes. */
const inetBytes = 14;

function unspecifiedAddress(fields: ReadonlyMap<string, Value>): Address {
  const data = fields.get("sa_data");
  const bytes = bytesOf(data?.type === "text" ? data.text : "");
  if (bytes.length < inetBytes) return { family: "unspec", any: false };
  return { family: "unspec", port: bytes.readUInt16BE(0), any: bytes.readUInt32BE(2) === 0 };
}

function inetAddress(fields: ReadonlyMap<string, Value>): Address | undefined {
  const port = fields.get("sin_port") ?? fields.get("sin6_port");
  if (port?.type !== "group" || port.items[0]?.type !== "word") return undefined;
  return { family: "inet", port: Number(port.items[0].word) };
}

function unixAddress(fields: ReadonlyMap<string, Value>): Address | undefined {
  const path = fields.get("sun_path");
  if (path?.type !== "text") return undefined;
  return { family: "unix", path: path.text, abstract: path.abstract };
}
