/**
 * The folder of a policy, held open while the command runs, because its name may lead elsewhere
 * later.
 */
import { closeSync, constants, fstatSync, openSync, statSync } from "node:fs";
import { LandlockError } from "../errors/errors.ts";
import { fileName, lastName, parentOf } from "../kernel/names.ts";

/** A folder that stays the same even if its path is renamed or linked. */
export class Folder {
  readonly #file: string;
  readonly #real: string;
  readonly #fd: number;

  /**
   * Opens the folder. Throws like openSync().
   *
   * @param file The policy's absolute path
   * @param real Its folder, without symbolic links
   */
  constructor(file: string, real: string) {
    this.#file = file;
    this.#real = real;
    this.#fd = openSync(fileName(real), constants.O_RDONLY | constants.O_DIRECTORY);
  }

  /**
   * Checks that its names still lead to it.
   *
   * @throws {LandlockError} `ERR_LANDLOCK_PATH` if one of them leads elsewhere or nowhere
   */
  requireInPlace(): void {
    const { dev, ino } = fstatSync(this.#fd, { bigint: true });
    const isSame = (name: string) => {
      try {
        const now = statSync(fileName(name), { bigint: true });
        return now.dev === dev && now.ino === ino;
      } catch {
        return false;
      }
    };
    if ([parentOf(this.#file), this.#real].every(isSame)) return;
    throw new LandlockError(
      "ERR_LANDLOCK_PATH",
      `Cannot write ${JSON.stringify(this.#file)}: the command moved or replaced its folder; learn into another one`,
      { path: this.#file },
    );
  }

  /** A path of the file that renaming the folder doesn't change, if there is a /proc. */
  get file(): string {
    const held = `/proc/self/fd/${this.#fd}`;
    return statSync(held, { throwIfNoEntry: false })
      ? `${held}/${lastName(this.#file)}`
      : this.#file;
  }

  /** The descriptor, for fsync(2). */
  get fd(): number {
    return this.#fd;
  }

  /** Closes it. */
  close(): void {
    closeSync(this.#fd);
  }
}
