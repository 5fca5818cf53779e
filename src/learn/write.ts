/** Writes a policy's file: whole or not at all, and never over anybody else's. */
import {
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  fstatSync,
  fsyncSync,
  linkSync,
  lstatSync,
  openSync,
  readFileSync,
  renameSync,
  unlinkSync,
  writeSync,
  type Stats,
} from "node:fs";
import { LandlockError } from "../errors/errors.ts";
import type { Folder } from "./folder.ts";

/**
 * Writes a text beside its place, and puts it there once it is on disk.
 *
 * @param path Absolute
 * @param before What the file held; undefined: there was none
 * @param folder Its folder, as it was before the command ran
 * @throws {LandlockError} `ERR_LANDLOCK_PATH` if it cannot be written, or somebody changed or made
 *   the file or its folder meanwhile; what was there is still there
 */
export function writeWhole(
  path: string,
  text: string,
  before: string | undefined,
  folder: Folder,
): void {
  folder.requireInPlace();
  const own = folder.file;
  const beside = `${own}.${crypto.randomUUID()}.new`;
  try {
    const old = before === undefined ? undefined : unchanged(path, own, before);
    fill(beside, text, old);
    if (old) renameSync(beside, own);
    else linkOnly(beside, own);
    sync(folder.fd);
  } catch (cause) {
    if (cause instanceof LandlockError) throw cause;
    const { code = "an error" } = cause as { code?: string };
    throw cannot(
      path,
      code === "EEXIST" ? "there is a file by now" : `it failed with ${code}`,
      cause,
    );
  } finally {
    removeQuietly(beside);
  }
}

/** The file that is to be replaced, if it still is what was read. */
function unchanged(path: string, own: string, before: string): Stats {
  const stats = lstatSync(own);
  if (!stats.isFile() || readFileSync(own, "utf8") !== before) {
    throw cannot(path, "somebody changed it meanwhile");
  }
  return stats;
}

/** Makes a file that was not there, with the owner and the mode of the one that it replaces. */
function fill(path: string, text: string, old: Stats | undefined): void {
  const { O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW } = constants;
  // One that others may write is refused, whatever the umask.
  const fd = openSync(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, old ? 0o600 : 0o644);
  try {
    for (let bytes = Buffer.from(text); bytes.length > 0;) {
      bytes = bytes.subarray(writeSync(fd, bytes));
    }
    if (old) {
      const { uid, gid } = fstatSync(fd);
      if (uid !== old.uid || gid !== old.gid) fchownSync(fd, old.uid, old.gid);
      fchmodSync(fd, old.mode & 0o7777);
    }
    sync(fd);
  } finally {
    closeSync(fd);
  }
}

/** Waits until a file is on disk, on file systems that know how. */
function sync(fd: number): void {
  try {
    fsyncSync(fd);
  } catch (error) {
    const { code = "" } = error as { code?: string };
    if (!["EINVAL", "ENOSYS", "ENOTSUP", "EOPNOTSUPP"].includes(code)) throw error;
  }
}

/** Gives a file its name, unless there is one of that name, be it a link that leads nowhere. */
function linkOnly(beside: string, path: string): void {
  try {
    linkSync(beside, path);
  } catch (error) {
    const { code = "" } = error as { code?: string };
    if (!["EPERM", "EOPNOTSUPP", "ENOTSUP", "ENOSYS"].includes(code)) throw error;
    // A file system without links: rename(2) would replace what came meanwhile.
    if (lstatSync(path, { throwIfNoEntry: false }))
      throw Object.assign(error as Error, { code: "EEXIST" });
    renameSync(beside, path);
  }
}

function removeQuietly(path: string): void {
  try {
    unlinkSync(path);
  } catch {}
}

function cannot(path: string, why: string, cause?: unknown): LandlockError {
  return new LandlockError(
    "ERR_LANDLOCK_PATH",
    `Cannot write ${JSON.stringify(path)}: ${why}; what was there is unchanged, so learn again`,
    { path, ...(cause === undefined ? {} : { cause }) },
  );
}
