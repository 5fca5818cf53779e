/** A C program that performs requested operations under strace. */
import { join } from "node:path";
import { bytesOf } from "../../../src/kernel/names.ts";
import type { Attempt } from "../../../src/trace/observation.ts";
import { observe } from "../../../src/trace/observe.ts";

/** One operation; paths are bytes. */
export interface Act {
  readonly what: string;
  /** The descriptor that paths are relative to; -1 for the current directory. */
  readonly fd: number;
  readonly a: Buffer;
  readonly b: Buffer;
  /** The descriptor on which the opened file stays open, or a descriptor's new number. */
  readonly slot?: number;
}

/** What the kernel reports of it. */
export interface Truth {
  readonly cwd: Buffer;
  readonly on: Buffer | undefined;
  readonly opened: Buffer | undefined;
  readonly errno: number;
}

/** An operation, the kernel's report and the observation. */
export interface Acted {
  readonly act: Act;
  readonly truth: Truth;
  readonly seen: readonly Attempt[];
}

/** Compiles the program into a folder. */
export function buildActor(folder: string): string {
  const path = join(folder, "actor");
  const source = join(import.meta.dir, "actor.c");
  const done = Bun.spawnSync(["gcc", "-O1", "-Wall", "-Wextra", "-Werror", "-o", path, source]);
  if (!done.success) throw new Error(done.stderr.toString());
  return path;
}

const hexOf = (bytes: Buffer) => (bytes.length === 0 ? "-" : bytes.toString("hex"));

function lineOf({ what, fd, a, b, slot = -1 }: Act): string {
  return `${what} ${fd} ${slot} ${hexOf(a)} ${hexOf(b)}\n`;
}

function truthOf(line: string): Truth {
  const [, cwd, on, opened, errno] = line.split(" ");
  const bytes = (hex: string | undefined) => (hex === "-" ? undefined : Buffer.from(hex!, "hex"));
  return {
    cwd: bytes(cwd) ?? Buffer.alloc(0),
    on: bytes(on),
    opened: bytes(opened),
    errno: Number(errno),
  };
}

/**
 * Runs operations in turn; each starts after the previous one was observed.
 *
 * @param program The result of `buildActor()`
 * @param next Draws an operation from the result of the last one
 */
export async function perform(
  program: string,
  cwd: string,
  count: number,
  next: (last: Acted | undefined) => Act,
): Promise<Acted[]> {
  const watched = observe([program], { cwd, stdio: ["pipe", "pipe", "inherit"] });
  const { stdin, stdout } = watched.child as Bun.Subprocess<"pipe", "pipe", "inherit">;
  const answers = stdout.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  const answer = async () => {
    while (!text.includes("\n")) text += (await answers.read()).value ?? "\n";
    const line = text.slice(0, text.indexOf("\n"));
    text = text.slice(line.length + 1);
    return line;
  };
  const all: Acted[] = [];
  let act: Act | undefined;
  let seen: Attempt[] = [];
  const send = async () => {
    const line = next(all.at(-1));
    act = line;
    seen = [];
    stdin.write(lineOf(line));
    await stdin.flush();
  };
  let isReady = false;
  for await (const one of watched) {
    if (one.kind !== "attempt") continue;
    const { operation } = one;
    const path = "path" in operation ? bytesOf(operation.path).toString("latin1") : "";
    if (!isReady) {
      // The first lines come from the loader.
      if (path.includes("libc.so") && one.failed === undefined) {
        isReady = true;
        await send();
      }
    } else if (path === "/dev/null/done") {
      all.push({ act: act!, truth: truthOf(await answer()), seen });
      if (all.length === count) await stdin.end();
      else await send();
    } else seen.push(one);
  }
  return all;
}
