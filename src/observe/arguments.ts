/** Arguments by what they mean: paths, flags and socket addresses. */
import { bytesOf } from "../kernel/names.ts";
import type { Call } from "./line.ts";
import type { Value } from "./value.ts";

/** What a path of a call is relative to. */
export interface Here {
  /** The current directory. */
  readonly cwd: string;
  /** What `/proc/self` and `/proc/thread-self` stand for. */
  readonly process: number;
  readonly pid: number;
}

/** A text argument, or nothing: part of a name is the name of another file. */
export function textAt(call: Call, at: number): string | undefined {
  const value = call.args[at];
  return value?.type === "text" && !value.cut ? value.text : undefined;
}

/** The words of a flags argument. */
export function flagsOf(value: Value | undefined): readonly string[] {
  return value?.type === "word" ? value.word.split("|") : [];
}

/** A value among the named ones of a struct, or of no struct. */
export function fieldOf(value: Value | undefined, name: string): Value | undefined {
  return value?.type === "group" ? value.fields.get(name) : undefined;
}

/** What the descriptor in an argument is open on. */
export function openOn(value: Value | undefined): string | undefined {
  return value?.type === "word" ? value.on?.name : undefined;
}

/**
 * The absolute path of an argument. `..` stays, for behind a symbolic link it means another folder.
 *
 * @param directory Where the descriptor that it is relative to stands, if there is one
 */
export function pathAt(call: Call, at: number, here: Here, directory?: number): string | undefined {
  const path = textAt(call, at);
  if (path === undefined) return undefined;
  const base = directory === undefined ? here.cwd : (openOn(call.args[directory]) ?? here.cwd);
  if (path === "") return directory === undefined ? undefined : base;
  return ofProcess(join(base, path), here);
}

/** A path as seen from a directory. */
export function join(base: string, path: string): string {
  if (path.startsWith("/")) return path;
  return `${base === "/" ? "" : base}/${path.replace(/^(\.\/+)+(?=.)/, "")}`.replace(/\/\.$/, "");
}

/** `/proc/self` is another directory for each process. */
function ofProcess(path: string, { process, pid }: Here): string {
  return path
    .replace(/^\/+proc\/+self(?=\/|$)/, `/proc/${process}`)
    .replace(/^\/+proc\/+thread-self(?=\/|$)/, `/proc/${process}/task/${pid}`);
}

/** The address of a socket. */
export type Address =
  | { readonly family: "inet"; readonly port: number }
  /** AF_UNSPEC; without `port` it is too short to hold one. `any`: its address is INADDR_ANY. */
  | { readonly family: "unspec"; readonly port?: number; readonly any: boolean }
  | { readonly family: "unix"; readonly path: string; readonly abstract: boolean };

/** All socket addresses in the arguments, however deep: those of sendmmsg(2) are. */
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

/** What follows the family in `struct sockaddr_in`: port, address, eight bytes that are not used. */
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
