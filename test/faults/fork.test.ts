/** An addon whose thread forks while the process restricts itself. */
import { expect } from "bun:test";
import { inSubprocess } from "../harness.ts";
import { testBroadcast } from "../threads/compiled.ts";
import { places } from "../threads/confinement.ts";

testBroadcast(
  "forker.so",
  "what an addon forks during restrict() is as it was or restricted, and restricted afterwards",
  async (library) => {
    const seen = await inSubprocess(
      { ...places(), library },
      async ({ landlock, outcome, roDirs }, { granted, other, library }) => {
        const { dlopen, FFIType } = await import("bun:ffi");
        const { readFileSync } = await import("node:fs");
        const { i32, cstring } = FFIType;
        const { symbols: forker } = dlopen(library, {
          forker_start: { args: [cstring], returns: i32 },
          forker_restricted: { args: [], returns: i32 },
          forker_pass: { args: [i32], returns: i32 },
          forker_stop: { args: [], returns: i32 },
          forker_count: { args: [i32, i32], returns: i32 },
        });
        forker.forker_start(`${other}/file` as never);
        forker.forker_pass(5);
        const layers: string[] = [];
        // All but the last of them leave the file in reach: many broadcasts meet a fork.
        for (let layer = 1; layer <= 15; layer++) {
          layers.push(outcome(() => landlock.V1.restrictPaths(roDirs("/"))));
          forker.forker_pass(1);
        }
        const reachable = outcome(() => readFileSync(`${other}/file`));
        layers.push(outcome(() => landlock.V1.restrictPaths(roDirs(granted))));
        forker.forker_restricted();
        // The first of them may have been forked before.
        forker.forker_pass(20);
        forker.forker_stop();
        const [opened, denied, strange] = [1, 2, 3].map((end) => forker.forker_count(1, end));
        return {
          layers,
          reachable,
          granted: outcome(() => readFileSync(`${granted}/file`)),
          other: outcome(() => readFileSync(`${other}/file`)),
          after: { opened, strange, denied: denied! >= 19 },
          strangeBefore: forker.forker_count(0, 3),
        };
      },
    );
    expect(seen).toEqual({
      layers: Array(16).fill("ok"),
      reachable: "ok",
      granted: "ok",
      other: "EACCES",
      after: { opened: 0, strange: 0, denied: true },
      strangeBefore: 0,
    });
  },
);
