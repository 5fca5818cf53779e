/** UDP: bind, connect and send, by port. */
import { expect } from "bun:test";
import { inSubprocess, testFromAbi, testOnAbis } from "../harness.ts";

type Operation =
  | "bind"
  | "bindOther"
  | "bindAny"
  | "connectBound"
  | "connectUnbound"
  | "connectOther"
  | "sendBound"
  | "sendUnbound"
  | "sendOther"
  | "sendConnected";

const everything: Record<Operation, string> = {
  bind: "ok",
  bindOther: "ok",
  bindAny: "ok",
  connectBound: "ok",
  connectUnbound: "ok",
  connectOther: "ok",
  sendBound: "ok",
  sendUnbound: "ok",
  sendOther: "ok",
  sendConnected: "ok",
};
const nothing: Record<Operation, string> = {
  bind: "EACCES",
  bindOther: "EACCES",
  bindAny: "EACCES",
  connectBound: "EACCES",
  connectUnbound: "EACCES",
  connectOther: "EACCES",
  sendBound: "EACCES",
  sendUnbound: "EACCES",
  sendOther: "EACCES",
  // A connected socket sends without a port.
  sendConnected: "ok",
};

type RuleName = "bindUdp" | "bindAny" | "connectSendUdp";

const cases: readonly { rules: readonly RuleName[]; after: Record<Operation, string> }[] = [
  { rules: [], after: nothing },
  { rules: ["bindUdp"], after: { ...nothing, bind: "ok" } },
  { rules: ["bindAny"], after: { ...nothing, bindAny: "ok" } },
  {
    rules: ["connectSendUdp"],
    after: { ...nothing, connectBound: "ok", sendBound: "ok" },
  },
  {
    rules: ["bindUdp", "connectSendUdp"],
    after: { ...nothing, bind: "ok", connectBound: "ok", sendBound: "ok" },
  },
  {
    rules: ["bindAny", "connectSendUdp"],
    after: {
      ...everything,
      bind: "EACCES",
      bindOther: "EACCES",
      connectOther: "EACCES",
      sendOther: "EACCES",
    },
  },
];

/** Whether the machine has IPv6 at all; a container may not. */
const families = (await Bun.file("/proc/net/if_inet6").exists())
  ? ([4, 6] as const)
  : ([4] as const);

/** Tries every operation before and after `restrictNet()`, in best effort and without rules. */
function tryUdp(family: 4 | 6, rules: readonly RuleName[] | undefined) {
  return inSubprocess({ family, rules }, async (inside, { family, rules }) => {
    const { bindUdp, call, connectSendUdp, landlock, loopback, outcome } = inside;
    const { closeSync } = await import("node:fs");
    const hostname = family === 4 ? "127.0.0.1" : "::1";
    const open = () => call("socket", family === 4 ? 2 : 10, 2, 0);
    const use = (name: "bind" | "connect", fd: number, port: number) => {
      const address = loopback(port, family);
      call(name, fd, address, address.length);
    };
    const send = (fd: number, port?: number) => {
      const address = port === undefined ? null : loopback(port, family);
      call("sendto", fd, "text", 4n, 0, address, address?.length ?? 0);
    };
    const onSocket = (fd: number, action: (fd: number) => void) =>
      outcome(() => {
        try {
          action(fd);
        } finally {
          closeSync(fd);
        }
      });
    const bound = () => {
      const fd = open();
      use("bind", fd, 0);
      return fd;
    };
    const listen = () => Bun.udpSocket({ hostname, port: 0 });
    const [peer, otherPeer] = [await listen(), await listen()];
    const [free, otherFree] = [await listen(), await listen()].map((socket) => {
      const { port } = socket;
      socket.close();
      return port;
    }) as [number, number];
    // Bound before, one for each use: an operation that needs no new port needs no bind rule.
    const spares = Array.from({ length: 6 }, bound);
    const connected = open();
    use("connect", connected, otherPeer.port);
    const attempt = () => {
      const [first, second, third] = spares.splice(0, 3) as [number, number, number];
      return {
        bind: onSocket(open(), (fd) => use("bind", fd, free)),
        bindOther: onSocket(open(), (fd) => use("bind", fd, otherFree)),
        bindAny: onSocket(open(), (fd) => use("bind", fd, 0)),
        connectBound: onSocket(first, (fd) => use("connect", fd, peer.port)),
        connectUnbound: onSocket(open(), (fd) => use("connect", fd, peer.port)),
        connectOther: onSocket(open(), (fd) => use("connect", fd, otherPeer.port)),
        sendBound: onSocket(second, (fd) => send(fd, peer.port)),
        sendUnbound: onSocket(open(), (fd) => send(fd, peer.port)),
        sendOther: onSocket(third, (fd) => send(fd, otherPeer.port)),
        sendConnected: outcome(() => send(connected)),
      };
    };
    const made = {
      bindUdp: bindUdp(free),
      bindAny: bindUdp(0),
      connectSendUdp: connectSendUdp(peer.port),
    };
    const before = attempt();
    if (rules) {
      const udp = landlock.config({ net: ["bind_udp", "connect_send_udp"] });
      udp.restrictNet(...rules.map((rule) => made[rule]));
    } else {
      landlock.V10.bestEffort().restrictNet(made.bindUdp);
    }
    return { before, after: attempt() };
  });
}

for (const family of families) {
  for (const { rules, after } of cases) {
    const title = rules.map((rule) => (rule === "bindAny" ? "bindUdp(0)" : `${rule}(port)`)).join();
    testFromAbi(
      10,
      `restrictNet(${title}) allows that over IPv${family}, and no other datagrams`,
      async () => {
        expect(await tryUdp(family, rules)).toEqual({ before: everything, after });
      },
    );
  }
}

testFromAbi(
  10,
  "restrictNet() of UDP rights reaches Bun.udpSocket() and leaves TCP alone",
  async () => {
    const seen = await inSubprocess({}, async ({ bindUdp, landlock, outcomeOf }) => {
      const attempt = async () => ({
        udp: await outcomeOf(async () => (await Bun.udpSocket({ port: 0 })).close()),
        tcp: await outcomeOf(async () =>
          Bun.serve({ port: 0, fetch: () => new Response() }).stop(),
        ),
      });
      const before = await attempt();
      const udp = landlock.config({ net: ["bind_udp", "connect_send_udp"] });
      udp.restrictNet(bindUdp(0));
      const allowed = await attempt();
      udp.restrictNet();
      return { before, allowed, after: await attempt() };
    });
    const before = { udp: "ok", tcp: "ok" };
    expect(seen).toEqual({ before, allowed: before, after: { ...before, udp: "EACCES" } });
  },
);

testOnAbis(
  4,
  9,
  "below ABI 10 restrictNet() in best effort leaves UDP alone, and TCP is denied",
  async () => {
    expect(await tryUdp(4, undefined)).toEqual({ before: everything, after: everything });
    const seen = await inSubprocess({}, async ({ bindUdp, landlock, outcome }) => {
      const serve = () => outcome(() => Bun.serve({ port: 0, fetch: () => new Response() }));
      const before = serve();
      const report = landlock.V10.bestEffort().restrictNet(bindUdp(0));
      const { enforcement, handled, unenforced, rules } = report;
      return { before, enforcement, handled, unenforced, rules, after: serve() };
    });
    expect(seen as object).toEqual({
      before: "ok",
      enforcement: "partial",
      handled: { fs: [], net: ["bind_tcp", "connect_tcp"], scoped: [] },
      unenforced: { fs: [], net: ["bind_udp", "connect_send_udp"], scoped: [], logging: [] },
      rules: [],
      after: "EACCES",
    });
  },
);
