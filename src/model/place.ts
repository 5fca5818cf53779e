/** Where files are: all that Landlock's rules look at, as plain data. */
import type { FileType } from "./operation.ts";

/** A file that exists. Rules bind its identity, not its name. */
export interface Inode {
  /** Device and inode number, as `"8:1234"`. */
  readonly id: string;
  readonly type: FileType;
  /** Its path without symbolic links. */
  readonly path: string;
  /** The root of what is mounted there: a file system, or a part of one by a bind mount. */
  readonly mounted: boolean;
}

/** Where a path leads. */
export interface Place {
  /** Without symbolic links, as far as it exists. */
  readonly path: string;
  /** What is there, if anything. */
  readonly file: Inode | undefined;
  /** The directories it is in, the nearest one first, the root last; none: its directory is missing. */
  readonly parents: readonly Inode[];
}

/** Looks files up: the machine's, or those of a test. */
export interface Files {
  /**
   * @param path Absolute, or relative to the current directory
   * @param follow Whether a symbolic link at its end is followed
   */
  find(path: string, follow: boolean): Place;
}
