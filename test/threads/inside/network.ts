/** Every way Bun can connect to or open a loopback TCP port. */
import { createSocket } from "node:dgram";
import * as http from "node:http";
import * as http2 from "node:http2";
import * as net from "node:net";
import * as tls from "node:tls";
import type { Probes } from "./observe.ts";

type PortProbes = Probes<number>;

const host = "127.0.0.1";
const ignore = () => undefined;

interface Emitter {
  on(event: "error", listener: (error: Error) => void): Emitter;
  on(event: string, listener: () => void): Emitter;
}

function happened(emitter: Emitter, event: string): Promise<void> {
  return new Promise((resolve, reject) => {
    emitter.on("error", reject).on(event, resolve);
  });
}

/** The server speaks HTTP and WebSocket. */
export const clients: PortProbes = {
  fetch: async (port) => (await fetch(`http://${host}:${port}/`, { keepalive: false })).text(),
  "node:http": async (port) => {
    const request = http.get({ host, port, agent: false });
    await happened(request, "response");
    request.destroy();
  },
  "node:http2": async (port) => {
    const session = http2.connect(`http://${host}:${port}`);
    await happened(session, "connect");
    session.destroy();
  },
  "node:net": async (port) => {
    const socket = net.connect(port, host);
    await happened(socket, "connect");
    socket.destroy();
  },
  "Bun.connect": async (port) => {
    const socket = await Bun.connect({ hostname: host, port, socket: { data: ignore } });
    socket.end();
  },
  WebSocket: async (port) => {
    const socket = new WebSocket(`ws://${host}:${port}/`);
    await new Promise((resolve, reject) => {
      socket.onopen = resolve;
      socket.onerror = (event) =>
        reject({ code: (event as ErrorEvent).message.split(": ").at(-1) });
    }).finally(() => socket.close());
  },
  // A server without TLS aborts the handshake, which proves that it was reached.
  "node:tls": async (port) => {
    const socket = tls.connect({ host, port, rejectUnauthorized: false });
    await new Promise<void>((resolve, reject) => {
      const seen = (error: Error & { code?: string }) =>
        error.code === "EACCES" ? reject(error) : resolve();
      socket.on("error", seen).on("close", () => resolve());
    }).finally(() => socket.destroy());
  },
};

/** Each closes its port afterwards. */
export const servers: PortProbes = {
  "Bun.serve": (port) =>
    Bun.serve({ hostname: host, port, fetch: () => new Response() }).stop(true),
  "Bun.listen": (port) => Bun.listen({ hostname: host, port, socket: { data: ignore } }).stop(true),
  "node:net": async (port) => {
    const server = net.createServer().listen(port, host);
    await happened(server, "listening");
    await new Promise((resolve) => server.close(resolve));
  },
  "node:http": async (port) => {
    const server = http.createServer().listen(port, host);
    await happened(server, "listening");
    await new Promise((resolve) => server.close(resolve));
  },
};

export const datagrams: PortProbes = {
  "node:dgram bind": async (port) => {
    const socket = createSocket("udp4").bind(port, host);
    await happened(socket, "listening");
    socket.close();
  },
  "node:dgram send": (port) =>
    new Promise<void>((resolve, reject) => {
      const socket = createSocket("udp4");
      socket.on("error", reject);
      socket.send("text", port, host, (error) => {
        socket.close();
        if (error) reject(error);
        else resolve();
      });
    }),
  "Bun.udpSocket": async (port) => {
    const socket = await Bun.udpSocket({ hostname: host, port });
    socket.close();
  },
};

/** A TCP port without a server. */
export function freePort(): number {
  const server = Bun.listen({ hostname: host, port: 0, socket: { data: ignore } });
  const { port } = server;
  server.stop(true);
  return port;
}

/** Two ports with a server for HTTP and WebSocket. */
export function twoServers(): [number, number] {
  const start = () =>
    Bun.serve({
      hostname: host,
      port: 0,
      fetch: (request, server) => (server.upgrade(request) ? undefined : new Response("text")),
      websocket: { message: ignore },
    }).port!;
  return [start(), start()];
}
