/** The preload in a hostile folder, started in the form that src/policy/README.md gives: the program is not in it. */
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
