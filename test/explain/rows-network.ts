/** Denials on the network: ports, names, certificates and UNIX sockets. */
import { bindUdp } from "../../src/index.ts";
import { hostsName } from "./machine.ts";
import type { Rows } from "./rows.ts";

export const networkRows: Rows = {
  "fetch() of a port": {
    action: ({ port }) => fetch(`http://127.0.0.1:${port}/`),
    server: "tcp",
    abi: 4,
    code: "connectTcp(PORT)",
  },
  "fetch() of a name": {
    action: ({ host, port }) => fetch(`http://${host}:${port}/`),
    server: "tcp",
    connects: true,
    missing: hostsName === "" ? "needs another name than localhost in /etc/hosts" : "",
    code: /^presets\.dns\((\{ ports: true \})?\)/,
  },
  "dns.promises.lookup()": {
    action: ({ host, dns }) => dns.promises.lookup(host),
    missing: hostsName === "" ? "needs another name than localhost in /etc/hosts" : "",
    code: /^presets\.dns\((\{ ports: true \})?\)$/,
  },
  "fetch() with TLS": {
    action: ({ port }) => fetch(`https://127.0.0.1:${port}/`),
    server: "tls",
    connects: true,
    code: "presets.tls()",
    uncertain: true,
  },
  "Bun.listen()": {
    action: ({ port }) => Bun.listen({ hostname: "127.0.0.1", port, socket: { data() {} } }).stop(),
    abi: 4,
    code: "bindTcp(PORT)",
  },
  "Bun.connect(), with { port }": {
    action: async ({ port }) => {
      (await Bun.connect({ hostname: "127.0.0.1", port, socket: { data() {} } })).end();
    },
    server: "tcp",
    options: { port: 0 },
    abi: 4,
    code: "connectTcp(PORT)",
  },
  "Bun.serve()": {
    action: ({ port }) =>
      Bun.serve({ hostname: "127.0.0.1", port, fetch: () => new Response() }).stop(),
    abi: 4,
    code: "bindTcp(PORT)",
  },
  "Bun.serve({ port: 0 })": {
    action: () => Bun.serve({ port: 0, fetch: () => new Response() }).stop(),
    abi: 4,
    code: "bindTcp(0)",
  },
  "Bun.serve({ unix })": {
    action: ({ dir }) => Bun.serve({ unix: `${dir}/made`, fetch: () => new Response() }).stop(),
    code: 'rwDirs("DIR")',
  },
  "net.connect()": {
    action: ({ net, port }) =>
      new Promise((done, fail) => {
        net.connect(port, "127.0.0.1").on("error", fail).on("connect", done);
      }),
    server: "tcp",
    abi: 4,
    code: "connectTcp(PORT)",
  },
  "net.createServer().listen(path)": {
    action: ({ net, dir }) =>
      new Promise<void>((done, fail) => {
        net.createServer().on("error", fail).listen(`${dir}/made`, done);
      }),
    code: 'rwDirs("DIR")',
  },
  WebSocket: {
    action: ({ port }) =>
      new Promise((done, fail) => {
        const socket = new WebSocket(`ws://127.0.0.1:${port}/`);
        Object.assign(socket, { onerror: fail, onopen: done });
      }),
    server: "tcp",
    abi: 4,
    code: "connectTcp(PORT)",
    uncertain: true,
  },
};

/** Denials that only the newest kernels have. */
export const newerRows: Rows = {
  "net.connect(path)": {
    action: ({ net, dir }) =>
      new Promise((done, fail) => {
        net.connect(`${dir}/socket`).on("error", fail).on("connect", done);
      }),
    server: "unix",
    abi: 9,
    code: 'pathAccess(["resolve_unix"], "DIR/socket")',
  },
  "fetch({ unix }), with { path }": {
    action: ({ dir }) => fetch("http://localhost/", { unix: `${dir}/socket` }),
    server: "unix",
    options: { path: "DIR/socket" },
    abi: 9,
    code: 'pathAccess(["resolve_unix"], "DIR/socket")',
  },
  "Bun.connect({ unix }), with { path }": {
    action: async ({ dir }) => {
      (await Bun.connect({ unix: `${dir}/socket`, socket: { data() {} } })).end();
    },
    server: "unix",
    options: { path: "DIR/socket" },
    abi: 9,
    code: 'pathAccess(["resolve_unix"], "DIR/socket")',
  },
  "Bun.udpSocket()": {
    action: async () => (await Bun.udpSocket({})).close(),
    abi: 10,
    code: "bindUdp(0)",
    uncertain: true,
  },
  "dgram bind(), with { port }": {
    action: ({ dgram, port }) =>
      new Promise<void>((done, fail) => {
        dgram.createSocket("udp4").on("error", fail).bind(port, "127.0.0.1", done);
      }),
    options: { port: 0 },
    abi: 10,
    code: "bindUdp(PORT)",
  },
  "dgram send()": {
    action: ({ dgram, port }) =>
      new Promise<void>((done, fail) => {
        const socket = dgram.createSocket("udp4").on("error", fail);
        socket.send("text", port, "127.0.0.1", (error) => (error ? fail(error) : done()));
      }),
    rules: [bindUdp(0)],
    abi: 10,
    code: "connectSendUdp(PORT)",
  },
  "dgram connect(), with { port }": {
    action: ({ dgram, port }) =>
      new Promise<void>((done, fail) => {
        const socket = dgram.createSocket("udp4").on("error", fail);
        // The callback gets an error, although its type does not say so.
        const end = (error?: unknown) => (error ? fail(error) : done());
        socket.connect(port, "127.0.0.1", end);
      }),
    rules: [bindUdp(0)],
    abi: 10,
    options: { port: 0 },
    code: "connectSendUdp(PORT)",
    uncertain: true,
  },
};
