/** Tells which paths lead to one directory because it is mounted more than once. */
import { isWithin, nameOf } from "./names.ts";
import { readFile } from "./syscalls.ts";

interface Mount {
  readonly id: string;
  readonly parent: string;
  /** The path that it is at. */
  readonly point: string;
  /** Its file system, and the directory of it that is mounted. */
  readonly source: string;
}

/** The mounts of this process. */
export class Mounts {
  /** None if /proc cannot be read: then paths are told apart by their texts only. */
  readonly #mounts = mountsIn(readFile("/proc/self/mountinfo") ?? new Uint8Array());

  /** A path without links as its file system has it: the same for all paths of one directory. */
  originOf(path: string): string {
    let at: Mount = { id: "", parent: "", point: "/", source: "" };
    for (;;) {
      // The way from the root meets the shortest of them first, and what is mounted there hides others.
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

  /** Of a directory and of all that is mounted beneath it. */
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
  // What is mounted outside of the root of this process is not listed.
  return mounts.map((one) =>
    ids.has(one.parent) && one.parent !== one.id ? one : { ...one, parent: "" },
  );
}

/** Spaces and the like stand there as a backslash and three digits. */
function plain(path: string): string {
  return path.replaceAll(/\\([0-7]{3})/g, (_, digits) =>
    String.fromCharCode(Number.parseInt(digits as string, 8)),
  );
}
