/** What rows need of the machine: a host name, servers, and a folder. */
import { Database } from "bun:sqlite";
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { nativePath } from "../../src/kernel/image.ts";
import type { Row } from "./rows.ts";

const keys = join(import.meta.dir, "../presets/tls");

/** A name of this machine that no resolver takes for `localhost`; empty if it has none. */
export const hostsName = nameIn(readFileSync("/etc/hosts", "utf8"));

function nameIn(hosts: string): string {
  const names = hosts
    .split("\n")
    .filter((line) => /^127\./.test(line))
    .flatMap((line) => line.replace(/#.*/, "").trim().split(/\s+/).slice(1));
  return names.find((name) => !name.startsWith("localhost")) ?? "";
}

/** Files for Bun to load. */
const loads = {
  "outer.ts": 'import "./module.ts"; export default 2;',
  "folder/inner.ts": "export default 3;",
  "folder/outer.ts": 'import "../module.ts"; postMessage("up");',
  "reader.ts": 'await Bun.file(`${import.meta.dir}/file`).text(); postMessage("up");',
  "macro.ts": "export const macro = () => 1;",
  "expanded.ts":
    'import { macro } from "./macro.ts" with { type: "macro" }; export default macro();',
  "packed.ts": 'export * from "pack";',
  "pages/index.ts": "export default 1;",
  "data.json": "{}",
  "text.txt": "text",
  "style.css": "a { color: red }",
  "page.html": "<html></html>",
  "node_modules/pack/package.json": JSON.stringify({
    name: "pack",
    exports: {
      ".": { import: "./dist/index.js", require: "./dist/index.cjs" },
      "./sub": "./dist/deep/sub.js",
    },
  }),
  "node_modules/pack/dist/index.js": 'export * from "needed"; export * from "./deep/a.js";',
  "node_modules/pack/dist/index.cjs": 'require("needed"); require("./deep/a.js");',
  "node_modules/pack/dist/deep/a.js": "export const a = 1;",
  "node_modules/pack/dist/deep/sub.js": "export const sub = 1;",
  "node_modules/needed/package.json": '{ "name": "needed", "main": "lib" }',
  "app/package.json": '{ "name": "app" }',
  "app/srv/main.ts": 'export default await import(["ho", "no"].join(""));',
  "app/node_modules/hono/package.json": '{ "name": "hono", "module": "dist/index.js" }',
  "app/node_modules/hono/dist/index.js": 'export * from "./hono.js";',
  "app/node_modules/hono/dist/hono.js": "export const hono = 1;",
  "node_modules/needed/lib/index.js": "exports.needed = 1;",
};

/** Creates what rows work on, and next to it what none of their rules may open. */
export function makePlace(folder: string): string {
  const dir = join(folder, "place");
  for (const name of ["folder", "other", "empty"]) mkdirSync(join(dir, name), { recursive: true });
  for (const name of ["file", "folder/inner", "other/file"]) writeFileSync(join(dir, name), "text");
  symlinkSync("file", join(dir, "link"));
  writeFileSync(join(dir, "module.ts"), "export default 1;");
  writeFileSync(join(dir, "worker.ts"), 'postMessage("up");');
  for (const [name, content] of Object.entries(loads)) {
    mkdirSync(join(dir, name, ".."), { recursive: true });
    writeFileSync(join(dir, name), content);
  }
  copyFileSync(nativePath(), join(dir, "addon.node"));
  const database = new Database(join(dir, "db"));
  database.run("create table t (x)");
  database.close();
  copyFileSync(join(keys, "ca.pem"), join(dir, "authority.pem"));
  const canary = join(folder, "canary");
  mkdirSync(canary);
  writeFileSync(join(canary, "secret"), "text");
  for (const path of [join(dir, "run"), join(canary, "run")]) {
    // A static program that exits at once.
    copyFileSync(nativePath(), path);
    chmodSync(path, 0o755);
  }
  return dir;
}

/** A server outside the sandbox, or a free port. */
export function serve(kind: Row["server"], dir: string): Disposable & { readonly port: number } {
  const server = serverOf(kind, dir);
  const port = "port" in server ? Number(server.port) : 0;
  if (kind === undefined) server.stop(true);
  return { port, [Symbol.dispose]: () => void (kind && server.stop(true)) };
}

function answer(request: Request, server: Bun.Server<undefined>): Response | undefined {
  return server.upgrade(request) ? undefined : new Response("text");
}

function serverOf(
  kind: Row["server"],
  dir: string,
): { port?: number | undefined; stop(now: true): unknown } {
  const local = { hostname: "127.0.0.1", port: 0, fetch: answer };
  if (kind === "unix")
    return Bun.serve({ unix: join(dir, "socket"), fetch: () => new Response("text") });
  if (kind !== "tls") return Bun.serve({ ...local, websocket: { message() {} } });
  const [key, cert] = ["server.key", "server.pem"].map((name) => Bun.file(join(keys, name)));
  return Bun.serve({ ...local, websocket: { message() {} }, tls: { key: key!, cert: cert! } });
}
