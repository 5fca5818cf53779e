/** Processes with their own files in /etc and their own network, if the machine allows that. */
import { test } from "bun:test";
import { join } from "node:path";
import { tempDir, testUnless } from "../harness.ts";
import { testWith } from "./programs.ts";

/** Files by path, for a private file system. */
export type Files = Readonly<Record<string, string>>;

const unshare = ["unshare", "--user", "--map-root-user", "--mount", "--net"];
const possible = Bun.spawnSync([...unshare, "true"], { stderr: "ignore" }).success;

/**
 * A command that starts another command which sees these files in place of the system's. If a path
 * is a link, its final target is replaced.
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

/** Like `testWith()`, but skips, even in CI, if this machine allows no such namespaces. */
export function testInNamespace(
  programs: readonly string[],
  name: string,
  body: () => Promise<void>,
): void {
  if (possible) testWith(programs, name, body);
  else test.skip(`${name} (needs unprivileged user namespaces)`, body);
}

/** The same for what depends on the owner of the root directory, which is nobody for others. */
export const testInRootsNamespace: typeof testInNamespace =
  process.getuid?.() === 0
    ? testInNamespace
    : (_, name, body) => testUnless("needs root: others own no directory in /", name, body);
