/** Processes with files of their own in /etc and a network of their own, where that is allowed. */
import { test } from "bun:test";
import { join } from "node:path";
import { tempDir } from "../harness.ts";
import { testWith } from "./programs.ts";

/** Files in a file system of its own: from their path to their text. */
export type Files = Readonly<Record<string, string>>;

const unshare = ["unshare", "--user", "--map-root-user", "--mount", "--net"];
const possible = Bun.spawnSync([...unshare, "true"], { stderr: "ignore" }).success;

/**
 * A command that starts another one which sees these files instead of those of the system. What
 * the path is in the end, behind links, is replaced.
 */
export async function withFiles(files: Files): Promise<string[]> {
  const folder = tempDir();
  const binds: string[] = [];
  for (const [path, text] of Object.entries(files)) {
    const own = join(folder, path.replaceAll("/", "_"));
    await Bun.write(own, text);
    binds.push(own, path);
  }
  const script = `
    while [ "$1" != -- ]; do mount --bind "$1" "$2" || exit; shift 2; done
    shift; exec "$@"`;
  return [...unshare, "sh", "-c", script, "sh", ...binds, "--"];
}

/** `testWith()`, and a skip where this machine makes no such namespaces, in CI too. */
export function testInNamespace(
  programs: readonly string[],
  name: string,
  body: () => Promise<void>,
): void {
  if (possible) testWith(programs, name, body);
  else test.skip(`${name} (needs unprivileged user namespaces)`, body);
}
