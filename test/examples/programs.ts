/** Starts the examples as users start them. */
import { join } from "node:path";

export function example(name: string): string {
  return join(import.meta.dir, "..", "..", "src", "examples", `${name}.ts`);
}

/** Starts a server and waits for its first line of output. `using` ends it. */
export async function startServer(name: string, args: readonly string[], cwd: string) {
  const child = Bun.spawn([process.execPath, example(name), ...args], {
    cwd,
    stdout: "pipe",
    stderr: "pipe",
  });
  const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  while (!text.includes("\n")) {
    const { value, done } = await reader.read();
    if (done) throw new Error(`${name} ended: ${await child.stderr.text()}`);
    text += value;
  }
  return {
    line: text.split("\n")[0]!,
    pid: child.pid,
    [Symbol.dispose]() {
      child.kill("SIGKILL");
    },
  };
}
