/**
 * `presets.tls()`: a real HTTPS server on loopback. Only `SSL_CERT_FILE` names the authority of its
 * certificate. The key in `tls/` is worthless outside this test.
 */
import { expect } from "bun:test";
import { copyFileSync, existsSync } from "node:fs";
import { join } from "node:path";
import { connectTcp, presets, type FsRuleData } from "../../src/index.ts";
import { inSubprocess, tempDir, testFromAbi } from "../harness.ts";
import { testInNamespace, withFiles } from "./namespace.ts";
import { run, testWith } from "./programs.ts";

const keys = join(import.meta.dir, "tls");

function serve() {
  return Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    tls: {
      key: Bun.file(join(keys, "server.key")),
      cert: Bun.file(join(keys, "server.pem")),
    },
    fetch: () => new Response("secret"),
  });
}

/** A copy of the authority, which no rule for the sources covers. */
function authority(): string {
  const file = join(tempDir(), "authority.pem");
  copyFileSync(join(keys, "ca.pem"), file);
  return file;
}

/** What fetch() returns in a process that trusts the authority and restricts itself. */
async function get(how: "free" | "tls" | "nothing") {
  using server = serve();
  const body = async (
    inside: typeof import("../inside.ts"),
    args: { how: string; port: number },
  ) => {
    const { landlock, outcome, presets } = inside;
    if (args.how !== "free") {
      landlock.V11.bestEffort().restrictPaths(...(args.how === "tls" ? [presets.tls()] : []));
    }
    const { openSync } = await import("node:fs");
    const answer = await fetch(`https://127.0.0.1:${args.port}`).then(
      (answer) => answer.text(),
      (error: { code?: string }) => error.code,
    );
    return { answer, keys: outcome(() => openSync("/etc/ssl/private", "r")) };
  };
  return await inSubprocess({ how, port: server.port! }, body, {
    env: { SSL_CERT_FILE: authority() },
  });
}

testFromAbi(1, "with tls(), fetch() trusts the machine's authorities", async () => {
  expect(await get("free")).toMatchObject({ answer: "secret" });
  const seen = await get("tls");
  expect(seen.answer).toBe("secret");
  expect(seen.keys).toMatch(/^(EACCES|ENOENT)$/);
});

testFromAbi(1, "without tls(), fetch() does not: UNABLE_TO_VERIFY_LEAF_SIGNATURE", async () => {
  expect(await get("nothing")).toMatchObject({ answer: "UNABLE_TO_VERIFY_LEAF_SIGNATURE" });
});

testWith(["openssl"], "with tls(), openssl verifies; without it, it cannot", async () => {
  using server = serve();
  const client = ["openssl", "s_client", "-connect", `127.0.0.1:${server.port}`];
  const command = [...client, "-brief", "-verify_return_error"];
  const env = { ...process.env, SSL_CERT_FILE: authority() };
  const tls = await inSubprocess({}, ({ presets }) => presets.tls() as FsRuleData, { env });
  const openssl = presets.executable("openssl");
  const trusting = await run([openssl, tls, presets.bun(), connectTcp(server.port!)], command, {
    env,
  });
  expect(trusting).toMatchObject({ status: 0 });
  expect(trusting.stderr).toContain("Verification: OK");
  const lost = await run([openssl, presets.bun(), connectTcp(server.port!)], command, { env });
  expect(lost.status).not.toBe(0);
  expect(lost.stderr).toContain("verify");
});

const tokyo = "/usr/share/zoneinfo/Asia/Tokyo";
/** A zone whose abbreviation is a number, so that it cannot be guessed. */
const lordHowe = "/usr/share/zoneinfo/Australia/Lord_Howe";
/** The time zones, a package that may be missing. */
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

/** The zone that Bun uses if /etc/localtime is a file instead of a link. */
async function localZone(granted: boolean) {
  // The new /etc lacks everything else, which Bun and its libraries do not need.
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
