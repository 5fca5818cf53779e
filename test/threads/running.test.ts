/** Servers, Workers, open files and pools that ran before the restriction. */
import { expect } from "bun:test";
import { inSubprocess, testFromAbi } from "../harness.ts";
import { insidePath, places } from "./confinement.ts";

const workers = insidePath("workers");
type Workers = typeof import("./inside/workers.ts");

testFromAbi(
  4,
  "restrict() lets a running Bun.serve accept, and denies its handler files",
  async () => {
    const seen = await inSubprocess(
      places(),
      async ({ landlock, roDirs, connectTcp, outcomeOf }, at) => {
        const { granted, other } = at;
        const server = Bun.serve({
          hostname: "127.0.0.1",
          port: 0,
          routes: {
            "/granted": async () => new Response(Bun.file(`${granted}/file`)),
            "/other": async () => new Response(Bun.file(`${other}/file`)),
            "/read": async () =>
              new Response(await outcomeOf(() => Bun.file(`${other}/file`).text())),
          },
          error: (error) =>
            new Response((error as { code?: string }).code ?? "none", { status: 500 }),
        });
        const get = async (path: string) => {
          const answer = await fetch(new URL(path, server.url), { keepalive: false });
          return [answer.status, await answer.text()];
        };
        const look = async () => [await get("/granted"), await get("/other"), await get("/read")];
        const before = await look();
        landlock.V11.bestEffort().restrict(roDirs(granted), connectTcp(server.port!));
        return { before, after: await look() };
      },
    );
    expect(seen).toEqual({
      before: [
        [200, "text"],
        [200, "text"],
        [200, "ok"],
      ],
      after: [
        [200, "text"],
        [500, "EACCES"],
        [200, "EACCES"],
      ],
    });
  },
);

testFromAbi(
  1,
  "restrictPaths() reaches Workers that run, of node:worker_threads and of the web",
  async () => {
    const seen = await inSubprocess({ ...places(), workers }, async ({ landlock, roDirs }, at) => {
      const { nodeWorker, webWorker } = (await import(at.workers)) as Workers;
      const running = { node: await nodeWorker(), web: await webWorker() };
      const look = async () => ({
        granted: [
          await running.node(`${at.granted}/file`),
          await running.web(`${at.granted}/file`),
        ],
        other: [await running.node(`${at.other}/file`), await running.web(`${at.other}/file`)],
      });
      const before = await look();
      landlock.V1.restrictPaths(roDirs(at.granted));
      return { before, after: await look() };
    });
    const well = { sync: "ok", callback: "ok", promise: "ok", bun: "ok" };
    const denied = { sync: "EACCES", callback: "EACCES", promise: "EACCES", bun: "EACCES" };
    expect(seen).toEqual({
      before: { granted: [well, well], other: [well, well] },
      after: { granted: [well, well], other: [denied, denied] },
    });
  },
);

testFromAbi(1, "restrictPaths() covers Workers that start later", async () => {
  const seen = await inSubprocess({ ...places(), workers }, async ({ landlock, roDirs }, at) => {
    const { nodeWorker, webWorker } = (await import(at.workers)) as Workers;
    landlock.V1.restrictPaths(roDirs(at.granted));
    const later = { node: await nodeWorker(), web: await webWorker() };
    return {
      granted: [await later.node(`${at.granted}/file`), await later.web(`${at.granted}/file`)],
      other: [await later.node(`${at.other}/file`), await later.web(`${at.other}/file`)],
    };
  });
  const well = { sync: "ok", callback: "ok", promise: "ok", bun: "ok" };
  const denied = { sync: "EACCES", callback: "EACCES", promise: "EACCES", bun: "EACCES" };
  expect(seen).toEqual({ granted: [well, well], other: [denied, denied] });
});

testFromAbi(1, "restrictPaths() leaves open files and databases alone", async () => {
  const seen = await inSubprocess(places(), async ({ landlock, outcomeOf }, { other }) => {
    const fs = await import("node:fs");
    const { Database } = await import("bun:sqlite");
    const database = new Database(`${other}/data.sqlite`);
    const handle = await fs.promises.open(`${other}/file`, "r+");
    const fd = fs.openSync(`${other}/file`, "r");
    const look = async () => ({
      readSync: await outcomeOf(async () => fs.readSync(fd, Buffer.alloc(4), 0, 4, 0)),
      "FileHandle.read": await outcomeOf(() => handle.read(Buffer.alloc(4), 0, 4, 0)),
      "FileHandle.write": await outcomeOf(() => handle.write("text", 0)),
      "Bun.file of a descriptor": await outcomeOf(() => Bun.file(fd).text()),
      query: await outcomeOf(async () => database.query("SELECT value FROM t").get()),
      // Needs a journal next to the database.
      insert: await outcomeOf(async () => database.run("INSERT INTO t VALUES ('more')")),
    });
    const before = await look();
    landlock.V1.restrictPaths();
    return { before, after: await look() };
  });
  const well = {
    readSync: "ok",
    "FileHandle.read": "ok",
    "FileHandle.write": "ok",
    "Bun.file of a descriptor": "ok",
    query: "ok",
    insert: "ok",
  };
  expect(seen).toEqual({ before: well, after: { ...well, insert: "SQLITE_READONLY_DIRECTORY" } });
});

testFromAbi(1, "restrict() leaves work on the pool alone that needs no file", async () => {
  const seen = await inSubprocess(undefined, async ({ landlock, outcomeOf }) => {
    const { promisify } = await import("node:util");
    const zlib = await import("node:zlib");
    const crypto = await import("node:crypto");
    const gzip = promisify(zlib.gzip);
    const gunzip = promisify(zlib.gunzip);
    const look = async () => ({
      zlib: await outcomeOf(async () => gunzip(await gzip("text".repeat(10_000)))),
      brotli: await outcomeOf(() => promisify(zlib.brotliCompress)("text")),
      scrypt: await outcomeOf(() => promisify(crypto.scrypt)("text", "salt", 32)),
      pbkdf2: await outcomeOf(() => promisify(crypto.pbkdf2)("text", "salt", 1000, 32, "sha256")),
      randomBytes: await outcomeOf(() => promisify(crypto.randomBytes)(32)),
      keys: await outcomeOf(() => promisify(crypto.generateKeyPair)("ed25519", {})),
      subtle: await outcomeOf(() => crypto.subtle.digest("SHA-256", Buffer.from("text"))),
      password: await outcomeOf(() => Bun.password.hash("text", { algorithm: "bcrypt", cost: 4 })),
      zstd: await outcomeOf(() => Bun.zstdCompress("text")),
    });
    const before = await look();
    landlock.V11.bestEffort().restrict();
    return { before, after: await look() };
  });
  const well = {
    zlib: "ok",
    brotli: "ok",
    scrypt: "ok",
    pbkdf2: "ok",
    randomBytes: "ok",
    keys: "ok",
    subtle: "ok",
    password: "ok",
    zstd: "ok",
  };
  expect(seen).toEqual({ before: well, after: well });
});

const clients = insidePath("clients");

const loops = 50;
const requests = 4000;
const layers = 10;

testFromAbi(
  4,
  "restrict() ten times in a Bun.serve under load fails no request, kept alive or new",
  async () => {
    const seen = await inSubprocess(
      { ...places(), clients, loops, requests, layers },
      async ({ landlock, roDirs, outcomeOf }, args) => {
        let answered = 0;
        const file = `${args.granted}/file`;
        const server = Bun.serve({
          hostname: "127.0.0.1",
          port: 0,
          async fetch() {
            const text = await Bun.file(file).text();
            answered++;
            return new Response(text);
          },
        });
        const load = Bun.spawn(
          [process.execPath, args.clients, JSON.stringify([server.url, args.loops, args.requests])],
          { stdout: "pipe", stderr: "inherit" },
        );
        const lines = load.stdout.pipeThrough(new TextDecoderStream()).getReader();
        const up = (await lines.read()).value;
        const during: boolean[] = [];
        for (let layer = 1; layer <= args.layers; layer++) {
          const before = answered;
          landlock.V11.bestEffort().restrict(roDirs(args.granted));
          // The next layer starts after more answers, in the middle of the traffic.
          while (answered < before + 100) await new Promise((go) => setImmediate(go));
          during.push(answered < args.requests);
        }
        let text = "";
        for (let part; !(part = await lines.read()).done;) text += part.value;
        const denied = await outcomeOf(() => Bun.file(`${args.other}/file`).text());
        return { up, during, tally: JSON.parse(text), denied };
      },
      { timeoutMs: 60_000 },
    );
    expect(seen).toEqual({
      up: "up\n",
      during: Array(layers).fill(true),
      tally: { "200 text": requests },
      denied: "EACCES",
    });
  },
  60_000,
);
