/** Turns a system call on sockets or signals into the operations that Landlock checks. */
import type { Operation } from "../model/operation.ts";
import { addressesOf, openOn, pathFrom, type Address, type Here } from "./arguments.ts";
import type { Call } from "./line.ts";

/** The calls on sockets and processes that Landlock checks. */
export const otherCalls: readonly string[] = [
  ...["bind", "connect", "sendto", "sendmsg", "sendmmsg"],
  ...["kill", "tkill", "tgkill", "pidfd_send_signal"],
];

/** Knows the processes and sockets inside the sandbox, which need no right. */
export interface Inside {
  hasTask(pid: number): boolean;
  addServer(address: string): void;
  hasServer(address: string): boolean;
}

/**
 * The socket and signal operations of a call. Empty if they stay inside the sandbox.
 *
 * @param here What its paths are relative to
 */
export function otherOperations(call: Call, here: Here, inside: Inside): Operation[] {
  if (call.name.includes("kill") || call.name === "pidfd_send_signal") {
    const target = targetOf(call);
    // 0 and -1 reach several processes. The call succeeds if one of them is inside.
    if (target === undefined || target <= 0 || inside.hasTask(target)) return [];
    return [{ kind: "scope", scope: "signal" }];
  }
  if (!otherCalls.includes(call.name)) return [];
  const addresses = addressesOf(call.args.slice(1));
  const on = openOn(call.args[0]) ?? "";
  return addresses.flatMap((address) =>
    address.family === "unix"
      ? unixOperations(call, address, here, inside)
      : portOperations(call.name, on, portOf(address, call.name, on)),
  );
}

/**
 * The port that Landlock checks, or undefined if it allows the call. connect(2) with AF_UNSPEC only
 * disconnects. On IPv4 sockets sendto(2) treats it as AF_INET, and so does bind(2) with INADDR_ANY.
 * On IPv6 sockets it is an error or no address. Source: `security/landlock/net.c` of Linux 7.3.
 */
function portOf(
  address: Exclude<Address, { family: "unix" }>,
  call: string,
  on: string,
): number | undefined {
  if (address.family === "inet") return address.port;
  const isInet = /^(TCP|UDP):/.test(on);
  if (call === "connect" || !isInet || (call === "bind" && !address.any)) return undefined;
  return address.port;
}

function targetOf(call: Call): number | undefined {
  const [first] = call.args;
  const text =
    call.name === "pidfd_send_signal"
      ? /^pid:(\d+)/.exec(openOn(first) ?? "")?.[1]
      : first?.type === "word"
        ? first.word
        : undefined;
  const number = Number(text ?? "0");
  // A process group has the id of its first process.
  return call.name === "kill" && number < -1 ? -number : number;
}

function portOperations(call: string, on: string, port: number | undefined): Operation[] {
  if (port === undefined) return [];
  const transport = /^(TCP|UDP)(v6)?:\[(\d+\])?/.exec(on);
  if (!transport) return [];
  const [, protocol, , inode] = transport;
  if (call === "bind") {
    return [{ kind: "port", access: [protocol === "TCP" ? "bind_tcp" : "bind_udp"], port }];
  }
  if (protocol === "TCP") {
    return call === "connect" ? [{ kind: "port", access: ["connect_tcp"], port }] : [];
  }
  const send: Operation = { kind: "port", access: ["connect_send_udp"], port };
  // strace shows an inode for a socket without an address. The kernel then binds it to a free port.
  return inode ? [{ kind: "port", access: ["bind_udp"], port: 0 }, send] : [send];
}

function unixOperations(
  call: Call,
  address: Extract<Address, { family: "unix" }>,
  here: Here,
  inside: Inside,
): Operation[] {
  const path = address.abstract
    ? address.path
    : pathFrom(address.path, here.viewer.cwd, call, here, call.name !== "bind");
  if (path === undefined) return [];
  const name = `${address.abstract ? "@" : ""}${path}`;
  if (call.name === "bind") {
    if (call.errno === undefined) inside.addServer(name);
    return address.abstract ? [] : [{ kind: "make", path, type: "socket" }];
  }
  if (inside.hasServer(name)) return [];
  if (address.abstract) return [{ kind: "scope", scope: "abstract_unix_socket" }];
  return [{ kind: "resolve_unix", path }];
}
