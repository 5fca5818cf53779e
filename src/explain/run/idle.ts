/** What programs try in passing, whether it is allowed or not. */
import type { Operation } from "../../model/operation.ts";

/** Whether a program's name is that of Bun. */
export function isBun(program: string): boolean {
  return /^bunx?$/.test(program);
}

/** The name of a thread. */
const ownName = /^\/proc\/(self|thread-self|\d+)(\/task\/\d+)?\/comm$/;

/**
 * Whether it makes no difference: asking devices that know no ioctl(2) whether they are terminals;
 * naming a thread; Bun, listing the directories above the current one for settings, or asking how
 * much memory it has.
 *
 * @param cwd The current directory
 */
export function isIdle(operation: Operation, program: string, cwd: string): boolean {
  if (operation.kind === "open" && operation.write && ownName.test(operation.path)) return true;
  if (operation.kind === "ioctl") return /^\/dev\/(null|zero|full)$/.test(operation.path);
  if (operation.kind !== "open" || !isBun(program)) return false;
  if (/^\/proc\/(self|\d+)\/statm$/.test(operation.path)) return true;
  const path = operation.path.replace(/\/*$/, "/");
  return path !== `${cwd}/` && `${cwd}/`.startsWith(path);
}
