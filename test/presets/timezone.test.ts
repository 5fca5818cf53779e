/** `presets.timezone()`: zones other than the local one, and a local one that is a file. */
import { expect } from "bun:test";
import { existsSync } from "node:fs";
import { presets } from "../../src/index.ts";
import { inSubprocess, testFromAbi } from "../harness.ts";
import { testInNamespace, withFiles } from "./namespace.ts";
import { run, testWith } from "./programs.ts";

const tokyo = "/usr/share/zoneinfo/Asia/Tokyo";
/** Its abbreviation is a number, by which no zone can be guessed. */
const lordHowe = "/usr/share/zoneinfo/Australia/Lord_Howe";
/** The zones, as a package that may be lacking. */
const zones = existsSync(tokyo) ? [] : ["tzdata"];

testWith(
  ["date", ...zones],
  "with timezone(), date knows the zone; without it, it takes it for UTC",
  async () => {
    const env = { TZ: "Asia/Tokyo" };
    const command = ["date", "-d", "@0", "+%H %Z"];
    const date = presets.executable("date");
    const known = await run([date, presets.timezone()], command, { env });
    expect(known.stdout).toBe("09 JST\n");
    const unknown = await run([date], command, { env });
    expect(unknown.stdout).toBe("00 Asia\n");
  },
);

testFromAbi(1, "Bun knows every zone by itself, with timezone() and without", async () => {
  const seen = await inSubprocess({}, ({ landlock }) => {
    landlock.V11.bestEffort().restrictPaths();
    const options = { timeZone: "Asia/Tokyo", timeStyle: "long" } as const;
    return new Intl.DateTimeFormat("en", options).format(0);
  });
  expect(seen).toBe("9:00:00 AM GMT+9");
});

/** What Bun takes for the local zone where /etc/localtime is a file and no link. */
async function localZone(granted: boolean) {
  // Everything else in the new /etc is missing: Bun and its libraries do without.
  const script = 'mount -t tmpfs none /etc && cp "$1" /etc/localtime && shift && exec "$@"';
  const prefix = [...(await withFiles({})), "sh", "-c", script, "sh", lordHowe];
  const body = (inside: typeof import("../inside.ts"), granted: boolean) => {
    const { landlock, presets } = inside;
    landlock.V11.bestEffort().restrictPaths(...(granted ? [presets.timezone()] : []));
    return Intl.DateTimeFormat().resolvedOptions().timeZone;
  };
  return inSubprocess(granted, body, { prefix, env: { TZ: undefined } });
}

testInNamespace(
  zones,
  "a local zone that is a file needs timezone(), and is UTC without",
  async () => {
    expect(await localZone(true)).toBe("Australia/Lord_Howe");
    expect(await localZone(false)).toBe("UTC");
  },
);
