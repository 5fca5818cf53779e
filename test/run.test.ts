/** `sh test/run` on a machine without Bun. */
import { expect, test } from "bun:test";
import { cpSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { tempDir } from "./harness.ts";

test("without Bun, test/run says that npm fetches it, and keeps the environment's settings", () => {
  const root = tempDir();
  const bin = join(root, "bin");
  for (const folder of [bin, join(root, "test")]) mkdirSync(folder);
  cpSync(join(import.meta.dir, "run"), join(root, "test", "run"));
  for (const name of ["dirname", "env", "mkdir", "sh"]) {
    symlinkSync(Bun.which(name)!, join(bin, name));
  }
  writeFileSync(join(bin, "npm"), "#!/bin/sh\nenv\nexit 7\n", { mode: 0o755 });
  const own = { npm_config_fetch_timeout: "5", NODE_EXTRA_CA_CERTS: "/own.pem" };
  const env = { PATH: bin, ...own };
  const { stdout, stderr, exitCode } = Bun.spawnSync(["/bin/sh", "test/run", "ok"], {
    ...{ cwd: root, env },
  });
  expect(`${stderr}`).toStartWith("test/run: npm fetches Bun ");
  expect(exitCode).toBe(7);
  const seen = Object.fromEntries(`${stdout}`.split("\n").map((line) => line.split("=")));
  expect(seen).toMatchObject({ ...own, npm_config_fetch_retry_maxtimeout: "3000" });
});
