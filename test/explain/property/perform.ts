/** Performs an operation for real, by one system call if there is one. */
import { ptr } from "bun:ffi";
import { constants } from "node:fs";
import { getSystemErrorName } from "node:util";
import type { Open } from "../../../src/model/operation.ts";
import { AT_FDCWD, O_CLOEXEC, O_DIRECTORY } from "../../../src/kernel/uapi.ts";
import { call, outcome, type Outcome } from "../../inside.ts";
import { loopDevice, nullDevice, S_IFBLK, S_IFCHR, S_IFIFO, S_IFREG, S_IFSOCK } from "./build.ts";
import { bindPath, reachPath, SOCK_DGRAM, SOCK_STREAM, type Network } from "./sockets.ts";
import type { PathServer } from "./sockets.ts";
import type { Trial } from "./world.ts";

const NR_renameat2 = process.arch === "arm64" ? 276 : 316;
const RENAME_EXCHANGE = 2;
const O_TMPFILE = 0o20000000 | O_DIRECTORY;
/** Opens for neither reading nor writing, only for ioctl(2): see open(2). */
const O_NOACCESS = 3;
const TCGETS = 0x5401n;

const nodes = {
  regular: [S_IFREG, 0n],
  fifo: [S_IFIFO, 0n],
  socket: [S_IFSOCK, 0n],
  char: [S_IFCHR, nullDevice],
  block: [S_IFBLK, loopDevice],
  whiteout: [S_IFCHR, 0n],
} as const;

/**
 * Tries an operation.
 *
 * @param server The path's server, for `resolve_unix`
 * @returns `"ok"` or the errno
 */
export function perform(
  { operation, how }: Trial,
  network: Network,
  server: PathServer | undefined,
): Outcome {
  switch (operation.kind) {
    case "open":
      return open(operation.path, flagsOf(operation));
    case "execute":
      return execute(operation.path);
    case "make":
      return how === "bind" ? bindPath(operation.path) : outcome(() => make(operation));
    case "remove":
      return outcome(() => call(operation.directory ? "rmdir" : "unlink", operation.path));
    case "rename": {
      const { path, to, exchange } = operation;
      const flags = exchange ? RENAME_EXCHANGE : 0;
      return outcome(() => call("syscall", NR_renameat2, AT_FDCWD, path, AT_FDCWD, to, flags));
    }
    case "link":
      return outcome(() => call("link", operation.path, operation.to));
    case "truncate":
      return outcome(() => call("truncate", operation.path, 11n));
    case "ioctl":
      return ioctl(operation.path);
    case "resolve_unix":
      return reachPath(operation.path, server, how === "send");
    case "port":
      return usePort(operation.access[0]!, operation.port, how, operation.unbound, network);
    case "scope":
      if (operation.scope === "abstract_unix_socket") return network.connectAbstract();
      return outcome(() => call("kill", process.ppid, 0));
    case "access":
      throw new Error("no system call asks for access alone");
  }
}

function flagsOf({ read, write, truncate, create, unnamed }: Open): number {
  const access = write ? (read ? constants.O_RDWR : constants.O_WRONLY) : constants.O_RDONLY;
  return (
    access |
    (truncate ? constants.O_TRUNC : 0) |
    (create ? constants.O_CREAT : 0) |
    (unnamed ? O_TMPFILE : 0)
  );
}

function open(path: string, flags: number): Outcome {
  return outcome(() => {
    const fd = call("open", path, flags | constants.O_NONBLOCK | O_CLOEXEC, 0o755);
    call("close", fd);
  });
}

/** In a child that ends without executing anything. */
function execute(path: string): Outcome {
  const pid = new Int32Array(1);
  const name = new TextEncoder().encode(`${path}\0`);
  const argv = new BigUint64Array([BigInt(ptr(name)), 0n]);
  const errno = call("posix_spawn", pid, path, null, null, argv, new BigUint64Array(1));
  return errno === 0 ? "ok" : getSystemErrorName(-errno);
}

function make({ path, type }: Extract<Trial["operation"], { kind: "make" }>): void {
  if (type === "directory") call("mkdir", path, 0o755);
  else if (type === "symlink") call("symlink", "f0", path);
  else call("mknod", path, nodes[type][0] | 0o700, nodes[type][1]);
}

function ioctl(path: string): Outcome {
  return outcome(() => {
    const fd = call("open", path, O_NOACCESS | constants.O_NONBLOCK | O_CLOEXEC, 0);
    try {
      call("ioctl", fd, TCGETS, new Uint8Array(64));
    } finally {
      call("close", fd);
    }
  });
}

function usePort(
  right: string,
  port: number,
  how: Trial["how"],
  unbound: boolean | undefined,
  network: Network,
): Outcome {
  if (right === "bind_tcp") return network.bind(SOCK_STREAM, port);
  if (right === "bind_udp") return network.bind(SOCK_DGRAM, port);
  if (right === "connect_tcp") return network.connectTcp(port);
  return network.reachUdp(port, how === "send", unbound === true);
}
