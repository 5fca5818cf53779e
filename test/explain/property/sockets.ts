/** Sockets of this process: servers outside the sandbox, clients inside. */
import { call, loopback, outcome, unixAddress, type Outcome } from "../../inside.ts";
import { ports } from "./world.ts";

export const SOCK_STREAM = 1;
export const SOCK_DGRAM = 2;
const AF_UNIX = 1;
const AF_INET = 2;
const SOCK_NONBLOCK = 0o4000;
const MSG_DONTWAIT = 0x40;
const backlog = 16;

export type SocketType = typeof SOCK_STREAM | typeof SOCK_DGRAM;

/** An address of this machine that no other process uses: 127.64.0.1 and up. */
function addressOf(port: number): Uint8Array {
  const address = loopback(port);
  new DataView(address.buffer).setUint32(4, 0x7f40_0001 + (process.pid % 2 ** 21));
  return address;
}

function serve(family: number, type: SocketType, address: Uint8Array): number {
  const fd = call("socket", family, type | SOCK_NONBLOCK, 0);
  call("bind", fd, address, address.length);
  if (type === SOCK_STREAM) call("listen", fd, backlog);
  return fd;
}

/** Reads what has arrived, so that no queue fills up. */
function drain(fd: number): void {
  outcome(() => call("close", call("accept4", fd, null, null, 0)));
  outcome(() => call("recv", fd, new Uint8Array(8), 8n, MSG_DONTWAIT));
}

/** Uses a new socket once. */
function once(family: number, type: SocketType, use: (fd: number) => unknown): Outcome {
  const fd = call("socket", family, type, 0);
  const result = outcome(() => use(fd));
  call("close", fd);
  return result;
}

function connect(fd: number, address: Uint8Array): void {
  call("connect", fd, address, address.length);
}

function send(fd: number, address: Uint8Array): void {
  call("sendto", fd, "text", 4n, MSG_DONTWAIT, address, address.length);
}

export interface PathServer {
  readonly fd: number;
  readonly type: SocketType;
}

/** Opens a server at a path relative to the current directory. */
export function servePath(path: string, type: SocketType): PathServer {
  return { fd: serve(AF_UNIX, type, unixAddress(path)), type };
}

/** Connects to a path, or sends a datagram if the server takes datagrams. */
export function reachPath(path: string, server: PathServer | undefined, sends: boolean): Outcome {
  const address = unixAddress(path);
  const type = server?.type ?? SOCK_STREAM;
  const use = sends && type === SOCK_DGRAM ? send : connect;
  const result = once(AF_UNIX, type, (fd) => use(fd, address));
  if (server) drain(server.fd);
  return result;
}

/** Calls bind(2) with a path. */
export function bindPath(path: string): Outcome {
  const address = unixAddress(path);
  return once(AF_UNIX, SOCK_STREAM, (fd) => call("bind", fd, address, address.length));
}

/** Opens all servers without a path, outside the sandbox. */
export function openNetwork() {
  const abstract = unixAddress(`\0${crypto.randomUUID()}`);
  const servers = {
    abstract: serve(AF_UNIX, SOCK_STREAM, abstract),
    tcp: serve(AF_INET, SOCK_STREAM, addressOf(ports.served)),
    udp: serve(AF_INET, SOCK_DGRAM, addressOf(ports.served)),
  };
  const bound = () => serve(AF_INET, SOCK_DGRAM, addressOf(0));
  const [connecting, sending] = [bound(), bound()];
  return {
    bind(type: SocketType, port: number): Outcome {
      const address = addressOf(port);
      return once(AF_INET, type, (fd) => call("bind", fd, address, address.length));
    },
    connectTcp(port: number): Outcome {
      const result = once(AF_INET, SOCK_STREAM, (fd) => connect(fd, addressOf(port)));
      drain(servers.tcp);
      return result;
    },
    reachUdp(port: number, sends: boolean, unbound: boolean): Outcome {
      const use = (fd: number) => (sends ? send : connect)(fd, addressOf(port));
      const result = unbound
        ? once(AF_INET, SOCK_DGRAM, use)
        : outcome(() => use(sends ? sending : connecting));
      drain(servers.udp);
      return result;
    },
    connectAbstract(): Outcome {
      const result = once(AF_UNIX, SOCK_STREAM, (fd) => connect(fd, abstract));
      drain(servers.abstract);
      return result;
    },
  };
}

/** The result of `openNetwork()`. */
export type Network = ReturnType<typeof openNetwork>;
