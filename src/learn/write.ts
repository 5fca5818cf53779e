/** Writes a policy's file completely or not at all, and never over another user's. */
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
 * Writes a text to a new file, and moves that into place once it is on disk.
 *
 * @param path The absolute path
 * @param before The file's previous text; undefined if there was none
 * @param folder Its folder, opened before the command ran
 * @throws {LandlockError} `ERR_LANDLOCK_PATH` if it can't be written, or if somebody changed or
 *   made the file or its folder in the meantime; existing content is kept
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

/** The file to be replaced, if it still contains what was read. */
function unchanged(path: string, own: string, before: string): Stats {
  const stats = lstatSync(own);
  if (!stats.isFile() || readFileSync(own, "utf8") !== before) {
    throw cannot(path, "somebody changed it meanwhile");
  }
  return stats;
}

/** Makes a new file with the owner and mode of the one that it replaces. */
function fill(path: string, text: string, old: Stats | undefined): void {
  const { O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW } = constants;
  // A file that others may write would be refused later, so its mode doesn't depend on the umask.
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

/** Waits until a file is on disk, if the file system supports that. */
function sync(fd: number): void {
  try {
    fsyncSync(fd);
  } catch (error) {
    const { code = "" } = error as { code?: string };
    if (!["EINVAL", "ENOSYS", "ENOTSUP", "EOPNOTSUPP"].includes(code)) throw error;
  }
}

/** Gives a file its name, unless something already has that name, including a broken link. */
function linkOnly(beside: string, path: string): void {
  try {
    linkSync(beside, path);
  } catch (error) {
    const { code = "" } = error as { code?: string };
    if (!["EPERM", "EOPNOTSUPP", "ENOTSUP", "ENOSYS"].includes(code)) throw error;
    // On a file system without links. rename(2) would replace a file that was made in the meantime.
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
