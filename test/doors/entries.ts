/** The programs that have to hold, each with its words and the ways of starting it. */
import { bundles } from "./bundles.ts";
import { preloads } from "./preload.ts";
import type { Scene } from "./scene.ts";
import { landlockRestrict } from "./landlock-restrict.ts";

/** How a program ended. */
export interface Outcome {
  readonly stdout: string;
  readonly stderr: string;
  readonly code: number | null;
}

/** How a program is started; the current directory is the place `cwd`. */
export interface Call {
  /** What stands before the words of the entry. */
  readonly command: readonly string[];
  /** In addition to that of the scene. */
  readonly env?: Readonly<Record<string, string>>;
}

/** A way of starting a program. */
export interface Way {
  readonly name: string;
  call(scene: Scene): Call;
  /** Kits that are obeyed before the program's first byte is read: it cannot help that. */
  readonly beyond?: readonly string[];
  /** The sentence that refuses it. */
  readonly refusal?: string;
}

/** A program, or one of its commands. */
export interface Entry {
  readonly name: string;
  readonly ways: readonly Way[];
  /** Makes what it needs in a scene; absolute paths of scripts that Bun is given. */
  prepare?(scene: Scene): readonly string[];
  words(scene: Scene): readonly string[];
  /** Whether it ends like this where there is no trap. */
  right(outcome: Outcome): boolean;
  /** Takes longer, so the quick table starts it less often. */
  readonly slow?: boolean;
}

/** All of them: add the entries of a program here. */
export const entries: readonly Entry[] = [...landlockRestrict, ...bundles, ...preloads];
