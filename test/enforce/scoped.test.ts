/** Signals and abstract UNIX sockets reach only the inside of the sandbox. */
import { expect } from "bun:test";
import { probe } from "../../src/index.ts";
import { inSubprocess, kernelAbi, testFromAbi, testUnless } from "../harness.ts";

/** ABI 6 and 7 cannot scope signals without the fix of erratum 2: see `planFor()`. */
const canScopeSignals = kernelAbi >= 8 || (kernelAbi >= 6 && (probe().errata & 2) !== 0);

function testSignals(name: string, body: () => Promise<void>) {
  if (canScopeSignals || kernelAbi < 6) testFromAbi(6, name, body);
  else testUnless("needs the fix of Landlock erratum 2", name, body);
}

testSignals("restrictScoped() denies signals to processes outside, and to no others", async () => {
  const seen = await inSubprocess({}, async ({ landlock, outcome }) => {
    const start = () => Bun.spawn(["cat"], { stdin: "pipe", stdout: "ignore" });
    const outside = start();
    const kill = (pid: number, signal: string | number = 0) =>
      outcome(() => process.kill(pid, signal));
    const attempt = (inside: ReturnType<typeof start>) => ({
      outside: kill(outside.pid),
      outsideToo: outcome(() => outside.kill("SIGCONT")),
      parent: kill(process.ppid),
      inside: kill(inside.pid),
      itself: kill(process.pid),
    });
    const first = start();
    const before = attempt(first);
    const report = landlock.V6.restrictScoped();
    const child = start();
    const after = attempt(child);
    child.kill("SIGTERM");
    await child.exited;
    const stillRuns = outside.exitCode === null && outside.signalCode === null;
    for (const one of [outside, first]) await one.stdin.end();
    return { before, handled: report.handled, after, child: child.signalCode, stillRuns };
  });
  const before = { outside: "ok", outsideToo: "ok", parent: "ok", inside: "ok", itself: "ok" };
  expect(seen as object).toEqual({
    before,
    handled: { fs: [], net: [], scoped: ["abstract_unix_socket", "signal"] },
    after: { ...before, outside: "EPERM", outsideToo: "EPERM", parent: "EPERM" },
    child: "SIGTERM",
    stillRuns: true,
  });
});

for (const [kind, type] of [
  ["stream", 1],
  ["datagram", 2],
] as const) {
  testFromAbi(
    6,
    `restrictScoped() denies abstract ${kind} sockets made outside, and no others`,
    async () => {
      const seen = await inSubprocess(
        { type },
        async ({ call, landlock, outcome, unixAddress }, { type }) => {
          const start = (address: Uint8Array) => {
            const fd = call("socket", 1, type, 0);
            call("bind", fd, address, address.length);
            if (type === 1) call("listen", fd, 8);
            return fd;
          };
          const newAddress = () => unixAddress(`\0${crypto.randomUUID()}`);
          const use = (address: Uint8Array) => ({
            connect: outcome(() =>
              call("connect", call("socket", 1, type, 0), address, address.length),
            ),
            ...(type === 2 && {
              send: outcome(() =>
                call("sendto", call("socket", 1, type, 0), "text", 4n, 0, address, address.length),
              ),
            }),
          });
          const outside = newAddress();
          start(outside);
          const open = call("socket", 1, type, 0);
          call("connect", open, outside, outside.length);
          const before = use(outside);
          landlock.config({ scoped: ["abstract_unix_socket"] }).restrictScoped();
          const inside = newAddress();
          start(inside);
          return {
            before,
            outside: use(outside),
            inside: use(inside),
            connected: outcome(() => call("sendto", open, "text", 4n, 0, null, 0)),
          };
        },
      );
      const all = (value: string) => ({ connect: value, ...(type === 2 && { send: value }) });
      expect(seen as object).toEqual({
        before: all("ok"),
        outside: all("EPERM"),
        inside: all("ok"),
        connected: "ok",
      });
    },
  );
}

testSignals("restrictScoped() leaves files and the network alone", async () => {
  const seen = await inSubprocess({}, async ({ landlock, outcome, outcomeOf }) => {
    const { readdirSync } = await import("node:fs");
    const outside = Bun.spawn(["cat"], { stdin: "pipe", stdout: "ignore" });
    const attempt = async () => ({
      path: outcome(() => readdirSync("/")),
      network: await outcomeOf(async () => {
        const server = Bun.serve({ port: 0, fetch: () => new Response("text") });
        await (await fetch(`http://127.0.0.1:${server.port}/`)).text();
        await server.stop();
      }),
      signal: outcome(() => process.kill(outside.pid, 0)),
    });
    const before = await attempt();
    landlock.V11.bestEffort().restrictScoped();
    const after = await attempt();
    await outside.stdin.end();
    return { before, after };
  });
  const before = { path: "ok", network: "ok", signal: "ok" };
  expect(seen).toEqual({ before, after: { ...before, signal: "EPERM" } });
});

testFromAbi(
  6,
  "config({ scoped: ['signal'] }) and the other scope do not touch each other",
  async () => {
    const both = await Promise.all(
      (["signal", "abstract_unix_socket"] as const).map((scope) =>
        inSubprocess({ scope }, async ({ call, landlock, outcome, unixAddress }, { scope }) => {
          const outside = Bun.spawn(["cat"], { stdin: "pipe", stdout: "ignore" });
          const address = unixAddress(`\0${crypto.randomUUID()}`);
          const server = call("socket", 1, 1, 0);
          call("bind", server, address, address.length);
          call("listen", server, 8);
          const attempt = () => ({
            signal: outcome(() => process.kill(outside.pid, 0)),
            connect: outcome(() =>
              call("connect", call("socket", 1, 1, 0), address, address.length),
            ),
          });
          const before = attempt();
          landlock
            .config({ scoped: [scope] })
            .bestEffort()
            .restrictScoped();
          const after = attempt();
          await outside.stdin.end();
          return { before, after };
        }),
      ),
    );
    const before = { signal: "ok", connect: "ok" };
    expect(both).toEqual([
      { before, after: { ...before, signal: canScopeSignals ? "EPERM" : "ok" } },
      { before, after: { ...before, connect: "EPERM" } },
    ]);
  },
);
