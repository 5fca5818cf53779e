/** What all measurements share: the published package, and the peers. */
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openDebian, type Debian } from "./peers/debian.ts";

const root = join(import.meta.dir, "..", "..");

export interface Workshop extends Disposable {
  /** A folder in which `bun-landlock` is installed. */
  readonly folder: string;
  /** Fetches Debian's newest packages once; undefined if they are not available. */
  debian(): Promise<Debian | undefined>;
  /** Runs few rounds of everything, to check that it works. */
  readonly quick: boolean;
  /** The number of rounds, from that of a full run. */
  rounds(whole: number): number;
  /** Writes a script into the folder; returns its path. */
  script(name: string, text: string): Promise<string>;
  /** Copies a script of `inside/` there, so that it uses the published package. */
  inside(name: string): Promise<string>;
}

function prepare(words: string[], cwd: string): void {
  const done = Bun.spawnSync(words, { cwd });
  if (!done.success) throw new Error(`${words.join(" ")} failed\n${done.stderr.toString()}`);
}

function reportAbsence(error: Error): undefined {
  console.error(`No peers out of Debian's packages: ${error.message.split("\n")[0]}`);
}

/** Builds and packs the package, and installs it in a new folder. */
export async function openWorkshop(quick: boolean): Promise<Workshop> {
  const folder = mkdtempSync(join(tmpdir(), "landlock-bench-"));
  const bun = process.execPath;
  prepare([bun, "run", "build"], root);
  prepare([bun, "pm", "pack", "--filename", join(folder, "package.tgz")], root);
  await Bun.write(join(folder, "package.json"), "{}");
  prepare([bun, "add", "./package.tgz"], folder);
  const script = async (name: string, text: string) => {
    const path = join(folder, name);
    await Bun.write(path, text);
    return path;
  };
  let debian: Promise<Debian | undefined> | undefined;
  return {
    folder,
    debian: () => (debian ??= openDebian().catch(reportAbsence)),
    quick,
    rounds: (whole) => (quick ? Math.min(whole, 3) : whole),
    script,
    async inside(name) {
      const text = await Bun.file(join(import.meta.dir, "inside", name)).text();
      return script(name, text.replace("../../../src/index.ts", "bun-landlock"));
    },
    [Symbol.dispose]() {
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Creates a folder with empty files 0, 1, 2… as the objects of rules; returns its path. */
export async function manyFiles({ folder }: Workshop, count: number): Promise<string> {
  const files = join(folder, "files");
  mkdirSync(files);
  for (let i = 0; i < count; i++) await Bun.write(join(files, `${i}`), "");
  return files;
}
