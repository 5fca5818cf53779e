/** TCP: bind and connect, by port. */
import { expect } from "bun:test";
import type { Rule } from "../../src/index.ts";
import { inSubprocess, testFromAbi } from "../harness.ts";

/** Whether the machine has IPv6 at all; a container may not. */
const families = (await Bun.file("/proc/net/if_inet6").exists())
  ? ([4, 6] as const)
  : ([4] as const);

interface Case {
  readonly rules: readonly ("bindTcp" | "connectTcp" | "bindAny")[];
  readonly after: Record<"bind" | "bindOther" | "bindAny" | "connect" | "connectOther", string>;
}

const nothing = {
  bind: "EACCES",
  bindOther: "EACCES",
  bindAny: "EACCES",
  connect: "EACCES",
  connectOther: "EACCES",
};

const cases: readonly Case[] = [
  { rules: [], after: nothing },
  { rules: ["bindTcp"], after: { ...nothing, bind: "ok" } },
  { rules: ["bindAny"], after: { ...nothing, bindAny: "ok" } },
  { rules: ["connectTcp"], after: { ...nothing, connect: "ok" } },
  { rules: ["bindTcp", "connectTcp"], after: { ...nothing, bind: "ok", connect: "ok" } },
];

for (const family of families) {
  for (const { rules, after } of cases) {
    const title = rules.map((rule) => (rule === "bindAny" ? "bindTcp(0)" : `${rule}(port)`)).join();
    testFromAbi(
      4,
      `restrictNet(${title}) allows that over IPv${family}, and no other port`,
      async () => {
        const seen = await inSubprocess({ family, rules }, async (inside, { family, rules }) => {
          const { bindTcp, call, connectTcp, landlock, loopback, outcome } = inside;
          const { closeSync } = await import("node:fs");
          const domain = family === 4 ? 2 : 10;
          const use = (name: "bind" | "connect", port: number) =>
            outcome(() => {
              const fd = call("socket", domain, 1, 0);
              try {
                const address = loopback(port, family);
                call(name, fd, address, address.length);
              } finally {
                closeSync(fd);
              }
            });
          const hostname = family === 4 ? "127.0.0.1" : "::1";
          const listen = () => Bun.listen({ hostname, port: 0, socket: { data() {} } });
          const servers = [listen(), listen(), listen(), listen()];
          const ports = servers.map((server) => server.port);
          // Two ports with a server, and two that were free a moment ago.
          for (const server of servers.slice(2)) server.stop(true);
          const [peer, otherPeer, free, otherFree] = ports as [number, number, number, number];
          const attempt = () => ({
            bind: use("bind", free),
            bindOther: use("bind", otherFree),
            bindAny: use("bind", 0),
            connect: use("connect", peer),
            connectOther: use("connect", otherPeer),
          });
          const made = {
            bindTcp: bindTcp(free),
            bindAny: bindTcp(0),
            connectTcp: connectTcp(peer),
          };
          const before = attempt();
          const report = landlock.V4.restrictNet(...rules.map((rule) => made[rule]));
          return { before, handled: report.handled, after: attempt() };
        });
        expect(seen).toEqual({
          before: { bind: "ok", bindOther: "ok", bindAny: "ok", connect: "ok", connectOther: "ok" },
          handled: { fs: [], net: ["bind_tcp", "connect_tcp"], scoped: [] },
          after,
        });
      },
    );
  }
}

testFromAbi(4, "restrictNet() reaches Bun.serve(), fetch() and node:net alike", async () => {
  const seen = await inSubprocess({}, async ({ connectTcp, landlock, outcomeOf }) => {
    const { connect } = await import("node:net");
    const outside = [0, 1].map(() => Bun.serve({ port: 0, fetch: () => new Response("text") }));
    // A kept-alive connection would stay usable.
    const request = (port: number) => fetch(`http://127.0.0.1:${port}/`, { keepalive: false });
    const [allowed, denied] = outside.map((server) => server.port!) as [number, number];
    const attempt = async () => ({
      serve: await outcomeOf(async () =>
        Bun.serve({ port: 0, fetch: () => new Response() }).stop(),
      ),
      fetch: await outcomeOf(() => request(allowed)),
      fetchOther: await outcomeOf(() => request(denied)),
      socketOther: await outcomeOf(
        () =>
          new Promise((done, fail) =>
            connect(denied, "127.0.0.1", () => done(0)).on("error", fail),
          ),
      ),
    });
    const before = await attempt();
    landlock.V4.restrictNet(connectTcp(allowed));
    return { before, after: await attempt() };
  });
  expect(seen).toEqual({
    before: { serve: "ok", fetch: "ok", fetchOther: "ok", socketOther: "ok" },
    after: { serve: "EACCES", fetch: "ok", fetchOther: "EACCES", socketOther: "EACCES" },
  });
});

testFromAbi(4, "bindTcp(0) is what Bun.serve({ port: 0 }) needs", async () => {
  const seen = await inSubprocess({}, async ({ bindTcp, landlock, outcomeOf }) => {
    const handler = { fetch: () => new Response("text") };
    const serve = (port: number) => outcomeOf(async () => Bun.serve({ ...handler, port }).stop());
    const free = Bun.serve({ ...handler, port: 0 });
    const port = free.port!;
    await free.stop(true);
    const before = [await serve(0), await serve(port)];
    landlock.V4.restrictNet(bindTcp(0));
    return { before, after: [await serve(0), await serve(port)] };
  });
  expect(seen).toEqual({ before: ["ok", "ok"], after: ["ok", "EACCES"] });
});

testFromAbi(
  4,
  "restrictNet() leaves files and UNIX sockets alone, restrictPaths() the network",
  async () => {
    const both = await Promise.all(
      (["restrictNet", "restrictPaths"] as const).map((verb) =>
        inSubprocess(
          { verb },
          async ({ call, landlock, loopback, outcome, unixAddress }, { verb }) => {
            const { readdirSync } = await import("node:fs");
            const server = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
            const use = (
              name: "bind" | "connect",
              domain: number,
              type: number,
              address: Uint8Array,
            ) =>
              outcome(() => call(name, call("socket", domain, type, 0), address, address.length));
            const attempt = () => ({
              path: outcome(() => readdirSync("/")),
              bindTcp: use("bind", 2, 1, loopback(0)),
              connectTcp: use("connect", 2, 1, loopback(server.port)),
              bindUdp: use("bind", 2, 2, loopback(0)),
              abstract: use("bind", 1, 1, unixAddress(`\0${crypto.randomUUID()}`)),
            });
            const before = attempt();
            landlock.V4[verb]();
            return { before, after: attempt() };
          },
        ),
      ),
    );
    const before = { path: "ok", bindTcp: "ok", connectTcp: "ok", bindUdp: "ok", abstract: "ok" };
    expect(both).toEqual([
      { before, after: { ...before, bindTcp: "EACCES", connectTcp: "EACCES" } },
      { before, after: { ...before, path: "EACCES" } },
    ]);
  },
);

testFromAbi(
  4,
  "a rule that does not belong to its method is an error, in best effort too",
  async () => {
    const seen = await inSubprocess({}, async (inside) => {
      const { bindTcp, bindUdp, connectTcp, landlock, roDirs, outcome, threadField, thrown } =
        inside;
      const { readdirSync } = await import("node:fs");
      const best = landlock.V4.bestEffort();
      const attempts = {
        portInPaths: () => best.restrictPaths(...([bindTcp(80)] as Rule[])),
        portsInPaths: () => best.restrictPaths(roDirs("/"), ...([connectTcp(80, 443)] as Rule[])),
        pathInNet: () => best.restrictNet(...([roDirs("/", "/tmp")] as Rule[])),
        udpBelow10: () => best.restrictNet(bindUdp(53)),
        netBelow4: () => landlock.V3.restrictNet(),
        ruleBelow4: () => landlock.V3.bestEffort().restrictNet(bindTcp(0)),
      };
      const noNewPrivs = threadField("NoNewPrivs")[0];
      const errors = Object.entries(attempts).map(([name, attempt]) => {
        const { code, message, processChanged } = thrown(attempt) ?? {};
        return [name, [code, message, processChanged]];
      });
      return {
        errors: Object.fromEntries(errors),
        readable: outcome(() => readdirSync("/")),
        served: outcome(() => Bun.serve({ port: 0, fetch: () => new Response() })),
        unchanged: threadField("NoNewPrivs").every((value) => value === noNewPrivs),
      };
    });
    const invalid = (message: string) => ["ERR_LANDLOCK_INVALID_RULE", message, false];
    const fix = "leave the rule out, or use a Config and a method that do";
    const nothing =
      "This Config restricts nothing here: use one that handles a right of this method";
    expect(seen).toEqual({
      errors: {
        portInPaths: invalid(
          `Cannot grant bind_tcp on port 80: this Config does not restrict bind_tcp here; ${fix}`,
        ),
        portsInPaths: invalid(
          `Cannot grant connect_tcp on port 80, 443: this Config does not restrict connect_tcp here; ${fix}`,
        ),
        pathInNet: invalid(
          `Cannot grant execute on "/", "/tmp": this Config does not restrict paths here; ${fix}`,
        ),
        udpBelow10: invalid(
          `Cannot grant bind_udp on port 53: this Config does not restrict bind_udp here; ${fix}`,
        ),
        netBelow4: invalid(nothing),
        ruleBelow4: invalid(nothing),
      },
      readable: "ok",
      served: "ok",
      unchanged: true,
    });
  },
);
