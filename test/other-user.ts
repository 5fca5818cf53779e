/** Runs things as an unprivileged user, who may not even enter the folder of the checkout. */
import { chmodSync, cpSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { tempDir, type User } from "./harness.ts";

const root = join(import.meta.dir, "..");
const isRoot = process.getuid?.() === 0;

/** What is missing to become another user; empty if nothing. */
export const userMissing = isRoot && Bun.which("setpriv") === null ? "needs setpriv" : "";

/** Another user if this is root; otherwise the current user. */
export function plainUser(): User {
  return (known ??= isRoot ? otherUser() : { ...here, uid: process.getuid!(), prefix: [] });
}
let known: User | undefined;

const here = { bun: process.execPath, project: root };

function otherUser(): User {
  const uid = 65534;
  const prefix = ["setpriv", `--reuid=${uid}`, `--regid=${uid}`, "--clear-groups"];
  const look = `await import(${JSON.stringify(join(root, "test/inside.ts"))})`;
  const canRead = Bun.spawnSync([...prefix, here.bun, "-e", look], { cwd: "/" }).success;
  return { uid, prefix, ...(canRead ? here : copyForOthers()) };
}

function copyForOthers(): { bun: string; project: string } {
  const project = tempDir();
  const bun = join(project, "bin", "bun");
  mkdirSync(join(project, "bin"));
  cpSync(process.execPath, bun);
  for (const name of ["src", "lib", "test", "node_modules/zod", "package.json", "tsconfig.json"])
    cpSync(join(root, name), join(project, name), { recursive: true });
  chmodSync(project, 0o755);
  // The checkout may have been made under any umask.
  Bun.spawnSync(["chmod", "-R", "a+rX", project]);
  return { bun, project };
}
