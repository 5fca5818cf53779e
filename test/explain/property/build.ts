/** Creates a world's files and layers, in the process that will be restricted. */
import { mkdirSync, writeFileSync } from "node:fs";
import { machineFiles } from "../../../src/model/files.ts";
import { layerOf, type Layer } from "../../../src/model/layer.ts";
import { fileRights, type FsRight } from "../../../src/kernel/abi.ts";
import {
  bindTcp,
  bindUdp,
  call,
  connectSendUdp,
  connectTcp,
  landlock,
  LandlockError,
  outcome,
  pathAccess,
  type Config,
  type Rule,
  type Ruleset,
} from "../../inside.ts";
import { servePath, SOCK_DGRAM, SOCK_STREAM, type PathServer } from "./sockets.ts";
import type { DrawnLayer, DrawnRule, Step, World } from "./world.ts";

export const S_IFREG = 0o100000;
export const S_IFIFO = 0o010000;
export const S_IFSOCK = 0o140000;
export const S_IFCHR = 0o020000;
export const S_IFBLK = 0o060000;
/** The null device, and a loop device that nothing opens. */
export const nullDevice = 0x103n;
export const loopDevice = 0x700n;
const MS_BIND = 4096n;

/** The world after all steps. */
export interface Built {
  readonly layers: readonly Layer[];
  /** Servers by the inode of the socket's file. */
  readonly servers: ReadonlyMap<string, PathServer>;
  /** Inodes of directories that a mount hides; another mount may still show them. */
  readonly covered: ReadonlySet<string>;
}

/** Not a program: execve(2) fails with ENOEXEC if it may be read and executed. */
const text = "no program\n".repeat(2);

/** Whether a step mounts, which only a process with a mount namespace of its own may do. */
const mounts = ({ make }: Step) => make === "bind" || make === "tmpfs";

function makeStep(step: Step, servers: Map<string, PathServer>): void {
  const { path } = step;
  switch (step.make) {
    case "directory":
      return mkdirSync(path);
    case "regular":
      return writeFileSync(path, text, { mode: 0o755, flag: "wx" });
    case "fifo":
      return void call("mkfifo", path, 0o600);
    case "whiteout":
      return void call("mknod", path, S_IFCHR | 0o600, 0n);
    case "char":
      return void call("mknod", path, S_IFCHR | 0o600, nullDevice);
    case "symlink":
      return void call("symlink", step.to, path);
    case "link":
      return void call("link", step.to, path);
    case "bind":
      return void call("mount", step.from, path, "none", MS_BIND, null);
    case "tmpfs":
      return void call("mount", "tmpfs", path, "tmpfs", 0n, null);
    case "socket": {
      const server = servePath(path, step.datagram ? SOCK_DGRAM : SOCK_STREAM);
      servers.set(machineFiles.find(path, false).file!.id, server);
    }
  }
}

const portRules = {
  bind_tcp: bindTcp,
  connect_tcp: connectTcp,
  bind_udp: bindUdp,
  connect_send_udp: connectSendUdp,
};

/** The rules for the library. A missing path, as in a shortened world, gets none. */
function rulesOf(drawn: DrawnRule): Rule[] {
  if ("port" in drawn) return drawn.access.map((right) => portRules[right](drawn.port));
  const { file } = machineFiles.find(drawn.path, true);
  if (file === undefined) return [];
  const fits = (right: FsRight) => file.type === "directory" || fileRights.includes(right);
  const access = drawn.access.filter(fits);
  return access.length === 0 ? [] : [pathAccess(access, drawn.path)];
}

function buildLayer({ handled, rules }: DrawnLayer): { ruleset: Ruleset; layer: Layer } {
  const config = landlock.config(handled).bestEffort();
  const ruleset = rulesetOf(config, rules);
  return { ruleset, layer: layerOf(ruleset.plan, machineFiles) };
}

/** Builds a ruleset; if a link leads out of a changeable directory, the rules use real paths. */
function rulesetOf(config: Config, rules: readonly DrawnRule[]): Ruleset {
  try {
    return config.ruleset(...rules.flatMap(rulesOf));
  } catch (error) {
    if (!(error instanceof LandlockError) || error.code !== "ERR_LANDLOCK_PATH") throw error;
    const real = rules.map((drawn) =>
      "port" in drawn ? drawn : { ...drawn, path: machineFiles.find(drawn.path, true).path },
    );
    return config.ruleset(...real.flatMap(rulesOf));
  }
}

/**
 * Creates a folder with a world's files, enters it, and enforces its layers. Skips steps that fail,
 * as they may in a shortened world.
 *
 * @returns What is there, and a function that enforces the layers
 */
export function build(world: World, folder: string): Built & { enforce(): void } {
  process.chdir(folder);
  const servers = new Map<string, PathServer>();
  const covered = new Set<string>();
  const made: ReturnType<typeof buildLayer>[] = [];
  const makeLayers = (done: number) => {
    for (const [i, layer] of world.layers.entries()) {
      if (Math.min(layer.at, world.steps.length) === done) made[i] = buildLayer(layer);
    }
  };
  makeLayers(0);
  for (const [i, step] of world.steps.entries()) {
    const { file } = machineFiles.find(step.path, true);
    if (file && world.mounts && mounts(step)) covered.add(file.id);
    if (world.mounts || !mounts(step)) outcome(() => makeStep(step, servers));
    makeLayers(i + 1);
  }
  // A kernel that lacks every right of a layer gets no such layer.
  const enforced = made.filter(({ ruleset }) => ruleset.plan.enforcement !== "none");
  return {
    layers: enforced.map(({ layer }) => layer),
    servers,
    covered,
    enforce() {
      for (const { ruleset } of enforced) ruleset.restrictSelf({ deadlineMs: 60_000 });
    },
  };
}
