/** The kernel reuses thread ids during a restriction. */
import { expect } from "bun:test";
import { release } from "node:os";
import { inSubprocess, testUnless } from "../harness.ts";
import { testBroadcast } from "./compiled.ts";
import { places } from "./confinement.ts";

/** A pid namespace with 15 ids beyond the reserved ones. */
const fewIds = [
  ...["unshare", "--map-root-user", "--pid", "--fork", "--mount-proc"],
  ...["sh", "-c", 'echo 315 > /proc/sys/kernel/pid_max && exec "$@"', "sh"],
];
// Before Linux 6.14 the limit was global, so this would lower it for the whole machine.
const limitIsLocal = Bun.semver.satisfies(release().split("-")[0]!, ">=6.14.0");
const hasFewIds = limitIsLocal && Bun.spawnSync([...fewIds, "true"]).success;

async function throughRelay(library: string, prefix: readonly string[]) {
  return inSubprocess(
    { ...places(), library },
    async ({ landlock, roDirs, outcome }, { granted, other, library }) => {
      const { dlopen, FFIType } = await import("bun:ffi");
      const { i32, cstring } = FFIType;
      const { symbols: relay } = dlopen(library, {
        relay_start: { args: [cstring], returns: i32 },
        relay_pass: { args: [i32], returns: i32 },
        relay_returned: { args: [], returns: i32 },
        relay_stop: { args: [], returns: i32 },
        relay_opened: { args: [], returns: i32 },
        relay_denied: { args: [], returns: i32 },
      });
      relay.relay_start(`${other}/file` as never);
      relay.relay_pass(100);
      const calls: string[] = [];
      for (let layer = 1; layer <= 15; layer++) {
        calls.push(outcome(() => landlock.V1.restrictPaths(roDirs("/"))));
        relay.relay_pass(10);
      }
      calls.push(outcome(() => landlock.V1.restrictPaths(roDirs(granted))));
      relay.relay_returned();
      relay.relay_pass(100);
      relay.relay_stop();
      return {
        calls,
        opened: relay.relay_opened(),
        denied: relay.relay_denied() > 0,
      };
    },
    { prefix, timeoutMs: 50_000 },
  );
}

const well = { calls: Array(16).fill("ok"), opened: 0, denied: true };

testBroadcast(
  "relay.so",
  "restrict() catches a chain of threads that each start the next one and end",
  async (library) => {
    expect(await throughRelay(library, [])).toEqual(well);
  },
);

const name = "restrict() catches threads that get the id of one that has just ended";
if (!hasFewIds) testUnless("needs unshare and Linux 6.14", name, () => {});
else {
  testBroadcast("relay.so", name, async (library) => {
    expect(await throughRelay(library, fewIds)).toEqual(well);
  });
}
