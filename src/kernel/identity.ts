/** Identifies files, so that a rule grants exactly the file that a preset inspected. */
import { ELOOP } from "../errors/errno.ts";
import { errnoName, LandlockError } from "../errors/errors.ts";
import { close, openIn, openPath, readOpenLink, statusOf } from "./syscalls.ts";
import { O_DIRECTORY, O_NOFOLLOW, O_PATH } from "./uapi.ts";

/** The identity of an open file, as in `Status`. Empty if this system has none. */
export function idOf(fd: number): string {
  const status = process.platform === "linux" ? statusOf(fd) : 0;
  return typeof status === "number" ? "" : status.id;
}

/**
 * The identity of the file or directory at a path that must not contain links.
 *
 * @param path An absolute path that had no links when the preset inspected it
 * @throws {LandlockError} `ERR_LANDLOCK_PATH` if it contains a link now, or if nothing is there
 */
export function idWithoutLinks(path: string): string {
  if (process.platform !== "linux") return "";
  let fd = openPath("/");
  const names = path.split("/").filter((name) => name !== "");
  for (let i = 0; i < names.length && fd >= 0; i++) {
    const isLast = i === names.length - 1;
    const next = openIn(fd, names[i]!, O_PATH | O_NOFOLLOW | (isLast ? 0 : O_DIRECTORY));
    close(fd);
    fd = next;
  }
  const isLink = fd >= 0 && readOpenLink(fd) !== undefined;
  const id = fd >= 0 ? idOf(fd) : "";
  if (fd >= 0) close(fd);
  if (fd >= 0 && !isLink) return id;
  throw new LandlockError(
    "ERR_LANDLOCK_PATH",
    `Cannot grant ${JSON.stringify(path)}: it was replaced while a preset inspected it (${errnoName(isLink ? ELOOP : -fd)}); try again`,
    { path },
  );
}
