/** The programs that have to hold, each with its words and the ways of starting it. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { bundles } from "./bundles.ts";
import { landlockRestrict } from "./landlock-restrict.ts";
import type { Scene } from "./scene.ts";

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

const policyOf = ({ root }: Scene) => join(root, "policy.json");
const preloadOf = ({ project }: Scene) =>
  join(project, "node_modules", "bun-landlock", "dist", "preload.js");

const safely = (scene: Scene, program: string) => ({
  command: [
    ...[process.execPath, "--config=/dev/null", "--no-env-file", "--tsconfig-override=/dev/null"],
    ...[`--preload=${preloadOf(scene)}`, program],
  ],
  env: { BUN_LANDLOCK_POLICY: policyOf(scene) },
});

const programOf = ({ project }: Scene) => join(project, "program.js");

const ways: readonly Way[] = [
  { name: "absolute", call: (scene) => safely(scene, programOf(scene)) },
];

export const preloads: readonly Entry[] = [
  {
    name: "preload",
    ways,
    prepare(scene) {
      writeFileSync(policyOf(scene), JSON.stringify({ abi: 1, ro: ["/"] }));
      const program = programOf(scene);
      writeFileSync(
        program,
        `import { writeFileSync } from "node:fs";
        for (const name in process.env) if (name.includes("DOOR_")) console.log(name);
        try { writeFileSync("denied", ""); } catch ({ code }) { console.log(code); }`,
      );
      return [program, preloadOf(scene)];
    },
    words: () => [],
    right: ({ stdout, stderr, code }) => stdout === "EACCES\n" && stderr === "" && code === 0,
  },
];

/** Writes it: the program may write its folder, the current directory. */
export function policyFor({ root, folders }: Scene): string {
  const path = join(root, "policy.json");
  const presets = ["executable=bun", "bun=children"];
  writeFileSync(path, JSON.stringify({ bestEffort: true, rw: [folders.cwd], presets }));
  return path;
}

/** All of them: add the entries of a program here. */
export const entries: readonly Entry[] = [...landlockRestrict, ...bundles, ...preloads];
