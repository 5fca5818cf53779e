/** A program of the hostile folder beneath the preload, started in the form that the README gives. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Entry, Way } from "./entries.ts";
import type { Scene } from "./scene.ts";

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

const ways: readonly Way[] = [
  { name: "./relative", call: (scene) => safely(scene, "./program.js") },
  { name: "absolute", call: (scene) => safely(scene, join(scene.folders.cwd, "program.js")) },
];

export const preloads: readonly Entry[] = [
  {
    name: "preload",
    ways,
    prepare(scene) {
      writeFileSync(policyOf(scene), JSON.stringify({ abi: 1, ro: ["/"] }));
      const program = join(scene.folders.cwd, "program.js");
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
