/** The location of files as plain data. Landlock's rules depend on nothing else. */
import type { FileType } from "./operation.ts";

/** An existing file. Rules apply to its identity, not its name. */
export interface Inode {
  /** Device and inode number, such as `"8:1234"`. */
  readonly id: string;
  readonly type: FileType;
  /** Its path without symbolic links. */
  readonly path: string;
  /** Whether it is the root of a mounted file system or of a bind mount. */
  readonly mounted: boolean;
}

/** Where a path leads. */
export interface Place {
  /** The existing part is without symbolic links. */
  readonly path: string;
  /** The file at the path, if it exists. */
  readonly file: Inode | undefined;
  /** Its parent directories from the nearest to the root. Empty if its directory is missing. */
  readonly parents: readonly Inode[];
}

/** Looks files up, either on the machine or in a test. */
export interface Files {
  /**
   * @param path Absolute, or relative to the current directory
   * @param follow Whether a symbolic link at its end is followed
   */
  find(path: string, follow: boolean): Place;
}
