/** Verbs that a Config cannot mean are errors, before the kernel is asked anything. */
import { expect, test } from "bun:test";
import {
  bindUdp,
  connectTcp,
  landlock,
  LandlockError,
  pathAccess,
  planFor,
  roDirs,
  rwDirs,
  type Config,
  type Kernel,
  type Rule,
} from "../src/index.ts";
import { inSubprocess } from "./harness.ts";

const here = "this Config does not restrict";
const leave = "here; leave the rule out, or use a Config and a verb that do";
const nothing = "This Config restricts nothing here: use one that handles a right of this verb";

test("a verb that its Config cannot restrict is an error, strict and best effort", async () => {
  // Were one of them no error, it would restrict the process.
  const seen = await inSubprocess({}, async (inside) => {
    const { landlock, roDirs, rwDirs, bindTcp, bindUdp, composite, thrown } = inside;
    type Verb = (config: InstanceType<typeof inside.Config>) => unknown;
    const calls: [config: InstanceType<typeof inside.Config>, verb: Verb][] = [
      [landlock.V3, (config) => config.restrictNet()],
      [landlock.V5, (config) => config.restrictScoped()],
      [landlock.config({ net: ["bind_tcp"] }), (config) => config.restrictPaths()],
      [landlock.config({}), (config) => config.restrict()],
      [landlock.V11, (config) => config.restrictPaths(...([bindTcp(80)] as Rule[]))],
      [landlock.V11, (config) => config.restrictPaths(roDirs("/"), composite(bindTcp(80)))],
      [landlock.V11, (config) => config.restrictNet(...([roDirs("/usr")] as Rule[]))],
      [landlock.V1, (config) => config.restrictPaths(rwDirs("/a").withRefer())],
      [landlock.V4, (config) => config.restrictPaths(rwDirs("/a").withIoctlDev())],
      [landlock.V8, (config) => config.restrictPaths(rwDirs("/a").withResolveUnix())],
      [landlock.V9, (config) => config.restrictNet(bindUdp(53))],
      [landlock.V3, (config) => config.restrict(bindTcp(80))],
      [landlock.V3, (config) => config.ruleset(bindTcp(80))],
      [landlock.V3, (config) => config.plan(bindTcp(80))],
    ];
    return calls.map(([config, verb]) =>
      [config, config.bestEffort()].map((one) => thrown(() => verb(one)) ?? "no error"),
    );
  });
  const messages = [
    nothing,
    nothing,
    nothing,
    nothing,
    `Cannot grant bind_tcp on port 80: ${here} bind_tcp ${leave}`,
    `Cannot grant bind_tcp on port 80: ${here} bind_tcp ${leave}`,
    `Cannot grant execute on "/usr": ${here} paths ${leave}`,
    `Cannot grant refer on "/a": ${here} refer ${leave}`,
    `Cannot grant ioctl_dev on "/a": ${here} ioctl_dev ${leave}`,
    `Cannot grant resolve_unix on "/a": ${here} resolve_unix ${leave}`,
    `Cannot grant bind_udp on port 53: ${here} bind_udp ${leave}`,
    `Cannot grant bind_tcp on port 80: ${here} bind_tcp ${leave}`,
    `Cannot grant bind_tcp on port 80: ${here} bind_tcp ${leave}`,
    `Cannot grant bind_tcp on port 80: ${here} bind_tcp ${leave}`,
  ];
  const error = { name: "LandlockError", code: "ERR_LANDLOCK_INVALID_RULE", processChanged: false };
  expect(seen).toEqual(
    messages.map((message) => [
      { ...error, message },
      { ...error, message },
    ]),
  );
});

test("planFor() refuses rules that do not fit before it looks at the kernel", () => {
  const unread = new Proxy({} as Kernel, {
    get(_, key) {
      throw new Error(`the kernel's ${String(key)} was asked`);
    },
  });
  const misfits: [config: Config, rule: Rule][] = [
    [landlock.V3, connectTcp(443)],
    [landlock.V1, rwDirs("/a").withRefer()],
    [landlock.V2, pathAccess(["truncate"], "/a")],
    [landlock.V9, bindUdp(53)],
    [landlock.config({ scoped: ["signal"] }), roDirs("/a")],
  ];
  for (const [config, rule] of misfits) {
    for (const one of [config, config.bestEffort({ atLeast: 11 })]) {
      expect(() => planFor(one, [rule], unread)).toThrow(LandlockError);
    }
  }
});
