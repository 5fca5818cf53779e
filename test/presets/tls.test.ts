/**
 * `presets.tls()`: a real HTTPS server on loopback, whose certificate is from an authority that
 * only `SSL_CERT_FILE` names. Its key in `tls/` is for this test and worth nothing.
 */
import { expect } from "bun:test";
import { copyFileSync } from "node:fs";
import { join } from "node:path";
import { connectTcp, presets, type FsRuleData } from "../../src/index.ts";
import { inSubprocess, tempDir, testFromAbi } from "../harness.ts";
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

/** A copy of the authority, so that no rule for the sources reaches it. */
function authority(): string {
  const file = join(tempDir(), "authority.pem");
  copyFileSync(join(keys, "ca.pem"), file);
  return file;
}

/** What fetch() says in a process that trusts the authority, and restricts itself. */
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
