/** Where learned programs run: a project, a home, a temporary folder, and a neighbour. */
import { mkdirSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { constants } from "node:os";
import { join } from "node:path";

const cli = join(import.meta.dir, "../../src/cli.ts");
/** The runtime flags from the first line of `cli.ts`. */
const bun = [process.execPath, "--config=/dev/null", "--no-env-file"];

/** A command's output and exit status. */
export interface Ran {
  readonly stdout: string;
  readonly stderr: string;
  readonly code: number | null;
}

/** Acts on a running command, e.g. sends a request to a server. */
export type Drive = (child: Bun.Subprocess<Blob | "ignore", "pipe", "pipe">) => Promise<void>;

/** Options for a command. */
export interface Way {
  readonly stdin?: Uint8Array;
  readonly drive?: Drive | undefined;
}

/** No command takes a second; a hanging one is killed. */
const boundMs = 60_000;

/** The content of the neighbour's file. */
export const secretText = "nobody's business";

/** A scene of its own for a test. */
export class Scene {
  readonly folder: string;
  readonly project: string;
  readonly home: string;
  /** The policy is outside the project, so that its paths cannot be relative by chance. */
  readonly policy: string;
  /** A file that no program here uses. */
  readonly secret: string;

  /**
   * Creates the scene; `bun`, `bunx` and `node` are this Bun.
   *
   * @param folder An empty folder
   */
  constructor(folder: string) {
    this.folder = realpathSync(folder);
    this.project = join(this.folder, "project");
    this.home = join(this.folder, "home");
    this.policy = join(this.folder, "policy.toml");
    this.secret = join(this.folder, "neighbour", "secret");
    for (const name of ["home/.ssh", "tmp", "bin", "neighbour"]) {
      mkdirSync(join(this.folder, name), { recursive: true });
    }
    for (const name of ["bun", "bunx", "node"]) {
      symlinkSync(process.execPath, join(this.folder, "bin", name));
    }
    writeFileSync(this.secret, secretText);
    this.empty();
  }

  /** Restores the project's original files. */
  empty(): void {
    rmSync(this.project, { recursive: true, force: true });
    mkdirSync(this.project);
  }

  /** Writes a file into the project. */
  write(name: string, text: string | Uint8Array): void {
    const path = join(this.project, name);
    mkdirSync(join(path, ".."), { recursive: true });
    writeFileSync(path, text);
  }

  async run(command: readonly string[], { stdin, drive }: Way = {}): Promise<Ran> {
    const child = Bun.spawn([...command], {
      cwd: this.project,
      stdin: stdin ? new Blob([stdin]) : "ignore",
      stdout: "pipe",
      stderr: "pipe",
      timeout: boundMs,
      killSignal: "SIGKILL",
      env: {
        HOME: this.home,
        TMPDIR: join(this.folder, "tmp"),
        PATH: `${join(this.folder, "bin")}:/usr/bin:/bin`,
        LANG: "C.UTF-8",
      },
    });
    await drive?.(child);
    const [stdout, stderr] = await Promise.all([child.stdout.text(), child.stderr.text()]);
    await child.exited;
    const signal =
      child.signalCode === null ? undefined : constants.signals[child.signalCode as "SIGTERM"];
    // The signal's exit status in a shell.
    return { stdout, stderr, code: signal === undefined ? child.exitCode : 128 + signal };
  }

  /** The command that learns what another command needs, into the policy file. */
  learning(policy: string, command: readonly string[], options: readonly string[] = []): string[] {
    return [...bun, cli, "learn", "-o", policy, ...options, "--", ...command];
  }

  learn(command: readonly string[], way?: Way, options: readonly string[] = []): Promise<Ran> {
    return this.run(this.learning(this.policy, command, options), way);
  }

  /** The plan of the learned policy. */
  plan(): Promise<Ran> {
    return this.run([...bun, cli, "plan", "--json", "-policy", this.policy]);
  }

  /** Runs a command with the learned policy, and options that allow more. */
  restricted(command: readonly string[], way?: Way, options: readonly string[] = []): Promise<Ran> {
    return this.run([...bun, cli, "-policy", this.policy, ...options, "--", ...command], way);
  }
}
