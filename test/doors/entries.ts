/** The programs under test, each with its arguments and the ways to start it. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { bundles } from "./bundles.ts";
import { landlockRestrict } from "./landlock-restrict.ts";
import type { Scene } from "./scene.ts";

/** The end of a program. */
export interface Outcome {
  readonly stdout: string;
  readonly stderr: string;
  readonly code: number | null;
}

/** How a program starts; the current directory is the place `cwd`. */
export interface Call {
  /** The words before those of the entry. */
  readonly command: readonly string[];
  /** Variables added to the scene's environment. */
  readonly env?: Readonly<Record<string, string>>;
}

/** A way to start a program. */
export interface Way {
  readonly name: string;
  call(scene: Scene): Call;
  /** Kits that Bun obeys before it reads the program, so the program cannot prevent it. */
  readonly beyond?: readonly string[];
  /** The sentence that refuses this way. */
  readonly refusal?: string;
}

/** A program, or one of its commands. */
export interface Entry {
  readonly name: string;
  readonly ways: readonly Way[];
  /** Creates what it needs in a scene; returns absolute paths of the scripts that Bun gets. */
  prepare?(scene: Scene): readonly string[];
  words(scene: Scene): readonly string[];
  /** Whether this is the right end without any trap. */
  right(outcome: Outcome): boolean;
  /** Slow, so the quick table starts it less often. */
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

/** Writes a program that may write its own folder, which is the current directory. */
export function policyFor({ root, folders }: Scene): string {
  const path = join(root, "policy.json");
  const presets = ["executable=bun", "bun=children"];
  writeFileSync(path, JSON.stringify({ bestEffort: true, rw: [folders.cwd], presets }));
  return path;
}

/** All entries; add a program's entries here. */
export const entries: readonly Entry[] = [...landlockRestrict, ...bundles, ...preloads];
