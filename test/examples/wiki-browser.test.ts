/** The wiki in a real browser: Chromium creates, edits and reads a page, and can't read outside. */
import { expect, test } from "bun:test";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { kernelAbi, tempDir } from "../harness.ts";
import { startServer } from "./programs.ts";

const chromium = "/usr/bin/chromium";
const name = "wiki.ts in Chromium: create, read, edit, and EACCES for a file outside";

async function body(): Promise<void> {
  const folder = tempDir();
  writeFileSync(join(folder, "secret"), "nobody's business");
  using wiki = await startServer("wiki", ["--port", "0"], folder);
  const screenshot = join(folder, "screenshot.png");
  const args = [wiki.line.split(" ")[0]!, chromium, join(folder, "profile"), screenshot];
  const script = join(import.meta.dir, "browser.ts");
  // Chromium leaves files here.
  const env = { ...process.env, TMPDIR: folder };
  const options = { env, stdout: "pipe", stderr: "inherit", timeout: 100_000 } as const;
  const child = Bun.spawn([process.execPath, script, ...args], options);
  expect(JSON.parse(await child.stdout.text())).toEqual({
    missing: "There is no such page yet.\n\nCreate this page",
    created: expect.stringMatching(
      /^Shopping list\n\nFor the party, see Guests\.\n\nWhat\tHow many/,
    ),
    edited: "Done\nEdit this page",
    outside: "Not allowed\n\nEACCES",
    title: "Not allowed",
  });
  expect(await Bun.file(join(folder, "pages", "Shopping")).text()).toBe("# Done\n");
  expect(await new Bun.Image(await Bun.file(screenshot).bytes()).metadata()).toEqual({
    width: 960,
    height: expect.any(Number),
    format: "png",
  });
}

if (kernelAbi === 0) test.skip(`${name} (needs Landlock ABI 1, this kernel has 0)`, body);
else if (!existsSync(chromium)) test.skip(`${name} (needs ${chromium})`, body);
else test(name, body, 120_000);
