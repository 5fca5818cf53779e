/** What remains of a preset under a Config that leaves something alone. */
import { expect, test } from "bun:test";
import {
  bindTcp,
  composite,
  connectSendUdp,
  landlock,
  pathAccess,
  roDirs,
  type Rule,
} from "../../src/index.ts";
import { handledPart } from "../../src/policy/handled.ts";

const preset = composite(roDirs("/a").withRefer(), composite(connectSendUdp(53), bindTcp(0)));

test("handledPart() keeps what the Config handles, without nesting", () => {
  expect(handledPart(preset, landlock.V11)).toEqual([
    roDirs("/a").withRefer(),
    connectSendUdp(53),
    bindTcp(0),
  ]);
});

test("handledPart() drops families and rights that the Config leaves alone", () => {
  expect(handledPart(preset, landlock.V1)).toEqual([roDirs("/a")]);
  expect(handledPart(preset, landlock.V4)).toEqual([roDirs("/a").withRefer(), bindTcp(0)]);
  const net = landlock.config({ net: ["connect_send_udp"] });
  expect(handledPart(preset, net)).toEqual([connectSendUdp(53)]);
  expect(handledPart(pathAccess(["truncate"], "/a"), landlock.V2)).toEqual([]);
});

test("what handledPart() returns has a plan under the Config, on any kernel", () => {
  for (const config of [landlock.V1, landlock.V4, landlock.V11]) {
    const rules: Rule[] = handledPart(preset, config);
    expect(() => config.bestEffort().plan(...rules)).not.toThrow();
  }
});
