/** A loopback server that starts a sandboxed child for each request of `children.ts`. */
import { landlock, roDirs, rwFiles } from "../../src/index.ts";
import { figures } from "./figures.ts";

const ruleset = landlock.V11.bestEffort().ruleset(
  roDirs("/usr", "/bin", "/lib", "/lib64").ignoreIfMissing(),
  rwFiles("/dev/null"),
);
const options = { stdin: "ignore", stdout: "ignore", stderr: "ignore" } as const;

const server = Bun.serve({
  hostname: "127.0.0.1",
  port: 0,
  routes: {
    "/spawn": async () => {
      const child = ruleset.spawn(["/bin/true"], options);
      return new Response(`${await child.exited}`);
    },
    "/spawn-sync": () => new Response(`${ruleset.spawnSync(["/bin/true"], options).exitCode}`),
    "/refused": () => {
      try {
        ruleset.spawnSync([import.meta.path], options);
        return new Response("it started");
      } catch (error) {
        return new Response((error as { code: string }).code);
      }
    },
    "/figures": () => Response.json(figures()),
    "/stop": () => {
      setImmediate(() => process.exit(0));
      return new Response();
    },
  },
});
console.log(server.url.href);
