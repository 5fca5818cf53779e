/** What rows need of the machine: a name, servers, and a place to work in. */
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

/** A name of this machine that no resolver takes for `localhost`; empty: there is none. */
export const hostsName = nameIn(readFileSync("/etc/hosts", "utf8"));

function nameIn(hosts: string): string {
  const names = hosts
    .split("\n")
    .filter((line) => /^127\./.test(line))
    .flatMap((line) => line.replace(/#.*/, "").trim().split(/\s+/).slice(1));
  return names.find((name) => !name.startsWith("localhost")) ?? "";
}

/** Makes what rows work on, and beside it what no rule of theirs may open. */
export function makePlace(folder: string): string {
  const dir = join(folder, "place");
  for (const name of ["folder", "other", "empty"]) mkdirSync(join(dir, name), { recursive: true });
  for (const name of ["file", "folder/inner", "other/file"]) writeFileSync(join(dir, name), "text");
  symlinkSync("file", join(dir, "link"));
  writeFileSync(join(dir, "module.ts"), "export default 1;");
  writeFileSync(join(dir, "worker.ts"), 'postMessage("up");');
  const database = new Database(join(dir, "db"));
  database.run("create table t (x)");
  database.close();
  copyFileSync(join(keys, "ca.pem"), join(dir, "authority.pem"));
  const canary = join(folder, "canary");
  mkdirSync(canary);
  writeFileSync(join(canary, "secret"), "text");
  for (const path of [join(dir, "run"), join(canary, "run")]) {
    // A program without an interpreter and libraries, which ends at once.
    copyFileSync(nativePath(), path);
    chmodSync(path, 0o755);
  }
  return dir;
}

/** A server outside of the sandbox, or a port that is free. */
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
