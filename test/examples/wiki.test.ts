/** The wiki over HTTP works, and its bug reads and writes nothing outside its directory. */
import { expect } from "bun:test";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { answer } from "../../src/examples/wiki.ts";
import { inSubprocess, tempDir, testFromAbi } from "../harness.ts";
import { example, startServer } from "./programs.ts";

const secretText = "nobody's business";

/** A folder with a secret next to the wiki's pages. */
function makeFolder() {
  const folder = tempDir();
  const [pages, secret] = [join(folder, "pages"), join(folder, "secret")];
  mkdirSync(pages);
  writeFileSync(secret, secretText);
  return { folder, pages, secret };
}

type Send = (path: string, init?: RequestInit) => Promise<Response>;

function post(text: string): RequestInit {
  return { method: "POST", body: new URLSearchParams({ text }), redirect: "manual" };
}

async function writesAndReads(send: Send, pages: string): Promise<void> {
  expect((await send("/Plan")).status).toBe(404);
  expect(await (await send("/Plan?edit")).text()).toContain("<textarea");
  const saved = await send("/Plan", post("# Plan A\r\n\r\nSee [[Home]]. <script>x</script>\r\n"));
  expect([saved.status, saved.headers.get("Location")]).toEqual([303, "/Plan"]);
  const text = "# Plan A\n\nSee [[Home]]. <script>x</script>\n";
  expect(readFileSync(join(pages, "Plan"), "utf8")).toBe(text);
  const shown = await (await send("/Plan")).text();
  expect(shown).toContain("<h1>Plan A</h1>");
  expect(shown).toContain('<a href="/Home">Home</a>');
  expect(shown).toContain("&lt;script&gt;");
  await send("/Plan", post("Plan B"));
  expect(await (await send("/Plan")).text()).toContain("<p>Plan B</p>");
  expect(await (await send("/")).text()).toContain('<a href="/Plan">Plan</a>');
}

async function readsNothingOutside(send: Send, secret: string): Promise<void> {
  for (const name of [
    "..%2Fsecret",
    "..%2F..%2F..%2Fetc%2Fpasswd",
    "..%2F..%2F..%2Fproc%2Fself%2Fmaps",
  ]) {
    const denied = await send(`/${name}`);
    expect(denied.status).toBe(403);
    expect(await denied.text()).toContain("<p>EACCES</p>");
  }
  for (const name of ["secret", "new"]) {
    const denied = await send(`/..%2F${name}`, post("overwritten"));
    expect(denied.status).toBe(403);
    expect(await denied.text()).toContain("<p>EACCES</p>");
  }
  expect(readFileSync(secret, "utf8")).toBe(secretText);
  expect(existsSync(join(secret, "..", "new"))).toBe(false);
}

testFromAbi(1, "without restriction the wiki's bug reads and writes files outside", async () => {
  const { pages, secret } = makeFolder();
  const send: Send = (path, init) => answer(new Request(`http://wiki${path}`, init), pages);
  await writesAndReads(send, pages);
  expect(await (await send("/..%2Fsecret")).text()).toContain("nobody's business");
  await send("/..%2Fsecret", post("overwritten"));
  expect(readFileSync(secret, "utf8")).toBe("overwritten");
});

testFromAbi(1, "wiki.ts --port works, and answers EACCES outside of its pages", async () => {
  const { folder, pages, secret } = makeFolder();
  using wiki = await startServer("wiki", ["--port", "0"], folder);
  const url = wiki.line.split(" ")[0]!;
  const send: Send = (path, init) => fetch(new URL(path, url), init);
  await writesAndReads(send, pages);
  await readsNothingOutside(send, secret);
});

testFromAbi(1, "wiki.ts --socket does the same, and starts again where one is left", async () => {
  const { folder, pages, secret } = makeFolder();
  const unix = join(folder, "wiki.sock");
  const send: Send = (path, init) => fetch(`http://wiki${path}`, { ...init, unix });
  for (const check of [
    () => writesAndReads(send, pages),
    () => readsNothingOutside(send, secret),
  ]) {
    using _wiki = await startServer("wiki", ["--socket", unix], folder);
    await check();
    expect(existsSync(unix)).toBe(true);
  }
});

testFromAbi(4, "wiki.ts keeps to its port: no other, no connection, no command", async () => {
  const { pages } = makeFolder();
  using other = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
  const seen = await inSubprocess(
    { wiki: example("wiki"), pages, port: other.port },
    async ({ outcome, outcomeOf }, { wiki, pages, port }) => {
      const attempts = async () => ({
        listen: outcome(() =>
          Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } }).stop(),
        ),
        connect: await outcomeOf(async () =>
          (await Bun.connect({ hostname: "127.0.0.1", port, socket: { data() {} } })).end(),
        ),
        execute: outcome(() => Bun.spawnSync(["/bin/true"], { stdin: "inherit" })),
      });
      const before = await attempts();
      const { start } = (await import(wiki)) as typeof import("../../src/examples/wiki.ts");
      start({ pages, port: 0 });
      return { before, after: await attempts() };
    },
  );
  expect(seen).toEqual({
    before: { listen: "ok", connect: "ok", execute: "ok" },
    after: { listen: "EACCES", connect: "EACCES", execute: "EACCES" },
  });
});
