/** Every way Bun can connect to or open a port, used once before it is denied; and host names. */
import { expect } from "bun:test";
import { inSubprocess, kernelAbi, testFromAbi, testUnless } from "../harness.ts";
import { insidePath, threads } from "./confinement.ts";

const modules = { network: insidePath("network"), run: insidePath("run") };
type Network = typeof import("./inside/network.ts");
type Run = typeof import("./inside/run.ts");

for (const thread of threads) {
  const args = { ...modules, inWorker: thread === "a Worker" };

  testFromAbi(4, `restrictNet() denies connecting with any client of ${thread}`, async () => {
    const seen = await inSubprocess(args, async ({ landlock, connectTcp }, args) => {
      const { twoServers } = (await import(args.network)) as Network;
      const { runner } = (await import(args.run)) as Run;
      const outcomes = await runner<number>(args.inWorker, args.network, "clients");
      const [granted, other] = twoServers();
      const look = async () => ({
        granted: await outcomes(granted),
        other: await outcomes(other),
      });
      const before = await look();
      landlock.V11.bestEffort().restrictNet(connectTcp(granted));
      return { before, after: await look() };
    });
    const all = (outcome: string) => ({
      fetch: outcome,
      "node:http": outcome,
      "node:http2": outcome,
      "node:net": outcome,
      "node:tls": outcome,
      "Bun.connect": outcome,
      WebSocket: outcome,
    });
    expect(seen).toEqual({
      before: { granted: all("ok"), other: all("ok") },
      after: { granted: all("ok"), other: { ...all("EACCES"), WebSocket: "Failed to connect" } },
    });
  });

  testFromAbi(4, `restrictNet() denies binding with any server of ${thread}`, async () => {
    const seen = await inSubprocess(args, async ({ landlock, bindTcp }, args) => {
      const { freePort } = (await import(args.network)) as Network;
      const { runner } = (await import(args.run)) as Run;
      const outcomes = await runner<number>(args.inWorker, args.network, "servers");
      const [granted, other] = [freePort(), freePort()];
      const look = async () => ({
        granted: await outcomes(granted),
        other: await outcomes(other),
        any: await outcomes(0),
      });
      const before = await look();
      landlock.V11.bestEffort().restrictNet(bindTcp(granted));
      return { before, after: await look() };
    });
    const all = (outcome: string) => ({
      "Bun.serve": outcome,
      "Bun.listen": outcome,
      "node:net": outcome,
      "node:http": outcome,
    });
    expect(seen).toEqual({
      before: { granted: all("ok"), other: all("ok"), any: all("ok") },
      after: { granted: all("ok"), other: all("EACCES"), any: all("EACCES") },
    });
  });

  testFromAbi(4, `restrictNet() denies datagrams of ${thread} from ABI 10 on only`, async () => {
    const seen = await inSubprocess(args, async ({ landlock }, args) => {
      const { freePort } = (await import(args.network)) as Network;
      const { runner } = (await import(args.run)) as Run;
      const outcomes = await runner<number>(args.inWorker, args.network, "datagrams");
      const port = freePort();
      const before = await outcomes(port);
      landlock.V11.bestEffort().restrictNet();
      return { before, after: await outcomes(port) };
    });
    const all = (outcome: string) => ({
      "node:dgram bind": outcome,
      "node:dgram send": outcome,
      "Bun.udpSocket": outcome,
    });
    expect(seen).toEqual({ before: all("ok"), after: all(kernelAbi >= 10 ? "EACCES" : "ok") });
  });
}

testFromAbi(4, "restrict() leaves open connections alone, and a pooled fetch goes on", async () => {
  const seen = await inSubprocess(modules, async ({ landlock, outcomeOf }, { network }) => {
    const { twoServers } = (await import(network)) as Network;
    const [port] = twoServers();
    const pooled = async () => (await fetch(`http://127.0.0.1:${port}/`)).text();
    const unpooled = async () =>
      (await fetch(`http://127.0.0.1:${port}/`, { keepalive: false })).text();
    const look = async () => [await outcomeOf(pooled), await outcomeOf(unpooled)];
    const before = await look();
    landlock.V11.bestEffort().restrict();
    return { before, after: await look() };
  });
  expect(seen).toEqual({ before: ["ok", "ok"], after: ["ok", "EACCES"] });
});

/** A network where no server can answer in place of /etc/hosts. */
const offline = ["unshare", "--map-root-user", "--net"];
const hasOffline = Bun.spawnSync([...offline, "true"]).success;

async function lookups(warm: boolean, granted: readonly string[]) {
  return inSubprocess(
    { warm, granted },
    async ({ landlock, roDirs, outcomeOf }, { warm, granted }) => {
      const dns = await import("node:dns");
      const look = async () => ({
        "dns.promises.lookup": await outcomeOf(() => dns.promises.lookup("localhost")),
        "Bun.dns.lookup": await outcomeOf(() => Bun.dns.lookup("localhost")),
      });
      const before = warm ? await look() : undefined;
      landlock.V1.restrictPaths(roDirs(...granted).ignoreIfMissing());
      return { before, after: await look() };
    },
    { prefix: offline },
  );
}

const resolver = ["/etc", "/lib", "/lib64", "/usr/lib", "/run/systemd/resolve"];
const outcomes = (node: string, bun: string) => ({
  "dns.promises.lookup": node,
  "Bun.dns.lookup": bun,
});

const offlineTest = hasOffline
  ? testFromAbi
  : (_: number, name: string) => testUnless("needs unshare --net", name, () => {});

offlineTest(1, "restrictPaths() lets names be resolved with /etc granted", async () => {
  const well = outcomes("ok", "ok");
  expect(await lookups(true, resolver)).toEqual({ before: well, after: well });
});

offlineTest(1, "restrictPaths() without /etc turns a first lookup into EAI_AGAIN", async () => {
  expect(await lookups(false, [])).toEqual({
    before: undefined,
    after: outcomes("EAI_AGAIN", "DNS_EAI_AGAIN"),
  });
});

offlineTest(1, "restrictPaths() without /etc turns a later lookup into EAI_AGAIN too", async () => {
  expect(await lookups(true, [])).toEqual({
    before: outcomes("ok", "ok"),
    after: outcomes("EAI_AGAIN", "DNS_EAI_AGAIN"),
  });
});
