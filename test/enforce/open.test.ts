/** What a sandbox cannot revoke: descriptors that are already open, and signals from outside. */
import { expect } from "bun:test";
import { inSubprocess, tempDir, testFromAbi } from "../harness.ts";

testFromAbi(3, "files that are open already stay usable, and cannot be opened again", async () => {
  const dir = tempDir();
  await Bun.write(`${dir}/file`, "text");
  const seen = await inSubprocess({ dir }, async ({ landlock, outcome }, { dir }) => {
    const fs = await import("node:fs");
    const fd = fs.openSync(`${dir}/file`, "r+");
    const again = () => outcome(() => fs.closeSync(fs.openSync(`/proc/self/fd/${fd}`, "r")));
    const attempt = () => ({
      read: outcome(() => fs.readSync(fd, new Uint8Array(4), { position: 0 })),
      write: outcome(() => fs.writeSync(fd, "more")),
      truncate: outcome(() => fs.ftruncateSync(fd, 2)),
      open: outcome(() => fs.closeSync(fs.openSync(`${dir}/file`, "r"))),
      again: again(),
      stat: outcome(() => fs.statSync(`${dir}/file`)),
    });
    const before = attempt();
    landlock.V3.restrictPaths();
    return { before, after: attempt() };
  });
  const before = { read: "ok", write: "ok", truncate: "ok", open: "ok", again: "ok", stat: "ok" };
  expect(seen).toEqual({ before, after: { ...before, open: "EACCES", again: "EACCES" } });
});

testFromAbi(
  4,
  "sockets that are open already stay usable, and no new one can be made",
  async () => {
    const seen = await inSubprocess({}, async ({ landlock, outcomeOf }) => {
      const { connect } = await import("node:net");
      const server = Bun.serve({ port: 0, fetch: () => new Response("text") });
      const socket = connect(server.port!, "127.0.0.1");
      await new Promise((done) => socket.on("connect", done));
      const talk = () =>
        outcomeOf(
          () =>
            new Promise((done, fail) => {
              socket.once("data", done).once("error", fail).once("close", fail);
              socket.write("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
            }),
        );
      const open = () =>
        outcomeOf(() => fetch(`http://127.0.0.1:${server.port}/`, { keepalive: false }));
      const before = [await talk(), await open()];
      landlock.V4.restrictNet();
      return { before, after: [await talk(), await open()] };
    });
    expect(seen).toEqual({ before: ["ok", "ok"], after: ["ok", "EACCES"] });
  },
);

testFromAbi(
  6,
  "a parent may signal a child in a sandbox, and the child cannot signal it",
  async () => {
    const seen = await inSubprocess({}, async ({ landlock, outcome, threadField }) => {
      const before = threadField("NoNewPrivs");
      using ruleset = landlock
        .config({ scoped: ["signal"] })
        .bestEffort()
        .ruleset();
      const child = ruleset.spawn(["cat"], { stdin: "pipe" });
      const probed = outcome(() => process.kill(child.pid, 0));
      child.kill("SIGTERM");
      await child.exited;
      const script = 'kill -0 "$PPID" && echo sent || echo failed';
      const run = (command: string[]) => ruleset.spawnSync(command).stdout.toString().trim();
      const plain = Bun.spawnSync(["/bin/sh", "-c", script]).stdout.toString().trim();
      return {
        probed,
        ended: child.signalCode,
        plain,
        restricted: run(["/bin/sh", "-c", script]),
        scoped: ruleset.plan.handled.scoped,
        unchanged: threadField("NoNewPrivs").every((value) => value === before[0]),
        parent: outcome(() => process.kill(process.ppid, 0)),
      };
    });
    expect(seen as object).toEqual({
      probed: "ok",
      ended: "SIGTERM",
      plain: "sent",
      restricted: seen.scoped.length > 0 ? "failed" : "sent",
      scoped: seen.scoped,
      unchanged: true,
      parent: "ok",
    });
  },
);
