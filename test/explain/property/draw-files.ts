/** Draws the files of a world. */
import type { Random } from "../../random.ts";
import type { Privileges, Step } from "./world.ts";

/** Paths by what is there once all steps are done. */
export interface Drawn {
  readonly steps: readonly Step[];
  readonly directories: readonly string[];
  readonly files: readonly string[];
  readonly regular: readonly string[];
  readonly sockets: readonly string[];
}

const join = (directory: string, name: string) =>
  directory === "." ? name : `${directory}/${name}`;

/** A relative link's text. */
function linkText(from: string, to: string): string {
  const up = "../".repeat(from.split("/").length - 1);
  return to === "." ? up || "." : `${up}${to}`;
}

/** Draws directories and files, and mounts where they are possible. */
export function drawFiles(random: Random, privileges: Privileges, mounts: boolean): Drawn {
  const steps: Step[] = [];
  const directories = ["."];
  const files: string[] = [];
  const regular: string[] = [];
  const sockets: string[] = [];
  /** By a link to a directory, and by a mount, files have a second path. */
  const shown: (readonly [alias: string, directory: string])[] = [];
  const make = (step: Step) => steps.push(step);

  for (const name of ["a", "b", "c", "d", "e", "g", "h", "i"]) {
    const parent = directories.length < 4 ? "." : random.one(directories);
    const path = join(parent, name);
    make({ make: "directory", path });
    directories.push(path);
  }
  const serve = (path: string, datagram: boolean) => {
    make({ make: "socket", path, datagram });
    sockets.push(path);
  };
  const fill = (within: readonly string[], count: number, prefix: string) => {
    for (let i = 0; i < count; i++) {
      const path = join(random.one(within), `${prefix}${i}`);
      const kind = random.below(20);
      if (kind < 9 || files.length === 0) {
        make({ make: "regular", path });
        regular.push(path);
      } else if (kind < 11) make({ make: "fifo", path });
      else if (kind < 12) make({ make: "whiteout", path });
      else if (kind < 14) make({ make: privileges.devices ? "char" : "fifo", path });
      else if (kind < 16) {
        serve(path, random.chance(0.4));
      } else if (kind < 17) {
        make({ make: "link", path, to: random.one(files) });
      } else if (kind < 18) {
        make({ make: "symlink", path, to: linkText(path, random.one(files)) });
      } else if (kind < 19) {
        const to = random.one(directories);
        make({ make: "symlink", path, to: linkText(path, to) });
        shown.push([path, to]);
        continue;
      } else make({ make: "directory", path });
      files.push(path);
    }
  };
  fill(directories, 16, "f");
  for (const datagram of [true, false]) {
    serve(join(random.one(directories), datagram ? "datagrams" : "stream"), datagram);
  }
  for (let i = mounts ? 1 + random.below(3) : 0; i > 0; i--) {
    const path = random.one(directories.slice(1));
    if (random.chance(0.6)) {
      const from = random.one(directories);
      make({ make: "bind", path, from });
      shown.push([path, from]);
    } else {
      make({ make: "tmpfs", path });
      make({ make: "directory", path: `${path}/t${i}` });
      make({ make: "directory", path: `${path}/u${i}` });
      directories.push(`${path}/t${i}`, `${path}/u${i}`);
      fill([path, `${path}/t${i}`, `${path}/u${i}`], 4, `m${i}`);
    }
  }
  const aliases = shown.flatMap(([alias, directory]) => [
    alias,
    ...[...directories, ...files]
      .filter((path) => directory === "." || path.startsWith(`${directory}/`))
      .map((path) => join(alias, directory === "." ? path : path.slice(directory.length + 1)))
      .slice(-4),
  ]);
  return { steps, directories, regular, files: [...files, ...aliases], sockets };
}
