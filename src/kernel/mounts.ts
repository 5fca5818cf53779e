/** Recognizes paths that lead to the same directory because it is mounted more than once. */
import { isWithin, nameOf } from "./names.ts";
import { readFile } from "./syscalls.ts";

interface Mount {
  readonly id: string;
  readonly parent: string;
  /** The path where it is mounted. */
  readonly point: string;
  /** Its file system and the mounted directory in it. */
  readonly source: string;
}

/** The mounts that this process sees. */
export class Mounts {
  /** Empty if /proc can't be read. Paths are then compared by their texts only. */
  readonly #mounts = mountsIn(readFile("/proc/self/mountinfo") ?? new Uint8Array());

  /**
   * The place of a path in its file system, which is the same for all mounts of a directory. The
   * path must not contain links.
   */
  originOf(path: string): string {
    let at: Mount = { id: "", parent: "", point: "/", source: "" };
    for (;;) {
      // A walk from the root meets the shortest mount point first, and that mount hides the others.
      let next: Mount | undefined;
      for (const mount of this.#mounts) {
        if (mount.parent !== at.id || !isWithin(path, mount.point)) continue;
        if (next === undefined || mount.point.length < next.point.length) next = mount;
      }
      if (next === undefined) break;
      at = next;
    }
    return at.source + path.slice(at.point === "/" ? 0 : at.point.length).replace(/^\/$/, "");
  }

  /** The origins of a directory and of all mounts beneath it. */
  originsBeneath(path: string): string[] {
    const beneath = this.#mounts.filter(({ point }) => point !== path && isWithin(point, path));
    return [path, ...beneath.map(({ point }) => point)].map((one) => this.originOf(one));
  }
}

/** Reads `proc_pid_mountinfo(5)`. */
function mountsIn(bytes: Uint8Array): Mount[] {
  const lines = nameOf(bytes).split("\n").slice(0, -1);
  const mounts = lines.map((line) => {
    const [id, parent, device, root, point] = line.split(" ") as [
      string,
      string,
      string,
      string,
      string,
    ];
    return { id, parent, point: plain(point), source: device + plain(root).replace(/^\/$/, "") };
  });
  const ids = new Set(mounts.map(({ id }) => id));
  // The list omits mounts outside of this process's root, so their children become roots here.
  return mounts.map((one) =>
    ids.has(one.parent) && one.parent !== one.id ? one : { ...one, parent: "" },
  );
}

/**
 * Decodes mountinfo's escapes: a backslash and three octal digits for characters such as spaces.
 */
function plain(path: string): string {
  return path.replaceAll(/\\([0-7]{3})/g, (_, digits) =>
    String.fromCharCode(Number.parseInt(digits as string, 8)),
  );
}
