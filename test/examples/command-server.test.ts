/** The command server: what its commands can do, cannot do, and what ends them. */
import { describe, expect } from "bun:test";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { runCommand } from "../../src/examples/command-server.ts";
import { tempDir, testFromAbi } from "../harness.ts";
import { startServer } from "./programs.ts";

const limits = { timeoutMs: 60_000, outputBytes: 10_000 };
const nothing = { exitCode: 0, signal: null, stdout: "", stderr: "" };

function sh(script: string, some: Partial<typeof limits> = {}) {
  return runCommand(["bash", "-c", script], "", { ...limits, ...some });
}

testFromAbi(6, "command-server.ts answers with what became of a command", async () => {
  using server = await startServer("command-server", ["--port", "0"], tempDir());
  const send = async (body: string, type = "application/json") => {
    const headers = { "Content-Type": type };
    const response = await fetch(server.line, { method: "POST", headers, body });
    return [response.status, await response.json()];
  };
  const sort = { command: ["sort", "-u"], stdin: "b\na\nb\n" };
  expect(await send(JSON.stringify(sort))).toEqual([200, { ...nothing, stdout: "a\nb\n" }]);
  const unknown = { command: ["no-such-command"] };
  expect(await send(JSON.stringify(unknown))).toEqual([
    400,
    { error: expect.stringContaining('"no-such-command": it is not on PATH') },
  ]);
  expect(await send('{ "command": "ls" }')).toEqual([400, { error: expect.any(String) }]);
  expect(await send("{")).toEqual([400, { error: expect.any(String) }]);
  expect(await send(JSON.stringify(sort), "text/plain")).toEqual([
    415,
    { error: expect.any(String) },
  ]);
  const status = readFileSync(`/proc/${server.pid}/status`, "utf8");
  expect(status).toMatch(/^NoNewPrivs:\s*0$/m);
});

testFromAbi(6, "a command has an empty environment, and a directory for itself", async () => {
  expect(await runCommand(["env"], "", limits)).toEqual(nothing);
  const first = await sh("echo text >file; cat file; pwd");
  const [text, scratch] = first.stdout.split("\n");
  expect(text).toBe("text");
  expect(existsSync(scratch!)).toBe(false);
  expect(await sh("ls -A")).toEqual(nothing);
});

testFromAbi(6, "a command reaches no other file, no port and no process", async () => {
  const secret = join(tempDir(), "secret");
  writeFileSync(secret, "text");
  using server = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
  const attacks = {
    [`cat ${secret}`]: "Permission denied",
    [`echo more >>${secret}`]: "Permission denied",
    "ls /proc": "Permission denied",
    [`exec 3<>/dev/tcp/127.0.0.1/${server.port}`]: "Permission denied",
    [`kill -0 ${process.pid}`]: "Operation not permitted",
  };
  for (const [script, reason] of Object.entries(attacks)) {
    expect(Bun.spawnSync(["bash", "-c", script]).exitCode).toBe(0);
    const { exitCode, stdout, stderr } = await sh(script);
    expect(exitCode).not.toBe(0);
    expect(stdout).toBe("");
    expect(stderr).toContain(reason);
  }
  expect(readFileSync(secret, "utf8")).toBe("textmore\n");
});

describe("limits", () => {
  testFromAbi(6, "a command that does not end is ended, with what it has started", async () => {
    const stopped = await sh("sleep 1000 & echo $!; wait", { timeoutMs: 500 });
    expect(stopped).toMatchObject({ signal: "SIGKILL", stopped: "timeoutMs" });
    const pid = Number(stopped.stdout);
    if (pid) await gone(pid);
  });

  testFromAbi(6, "what a command leaves behind is ended, and not waited for", async () => {
    const done = await sh("sleep 1000 & echo $!");
    expect(done).toEqual({ ...nothing, stdout: expect.stringMatching(/^\d+\n$/) });
    await gone(Number(done.stdout));
  });

  testFromAbi(6, "what leaves the group is not waited for beyond the time limit", async () => {
    const script = `setsid sh -c "touch up; exec sleep 1000" & until [ -e up ]; do sleep .01; done; echo $!`;
    const done = await sh(script, { timeoutMs: 2000 });
    expect(done).toMatchObject({ exitCode: 0, stopped: "timeoutMs" });
    process.kill(Number(done.stdout), "SIGKILL");
  });

  testFromAbi(6, "a command that says too much is ended, and cut off", async () => {
    const stopped = await runCommand(["yes"], "", limits);
    expect(stopped).toMatchObject({ exitCode: null, signal: "SIGKILL", stopped: "outputBytes" });
    expect(stopped.stdout).toBe("y\n".repeat(limits.outputBytes / 2));
    const exact = await sh(`yes | head -c ${limits.outputBytes}`);
    expect(exact).toEqual({ ...nothing, stdout: stopped.stdout });
  });
});

/** Waits until a process has ended, even if its status is not yet collected. */
async function gone(pid: number): Promise<void> {
  for (;;) {
    try {
      if (/^State:\s*Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8"))) return;
    } catch {
      return;
    }
    await Bun.sleep(10);
  }
}
