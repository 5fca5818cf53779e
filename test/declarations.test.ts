/** The published declarations compile in projects that also check the declarations they import. */
import { beforeAll, describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { patience, run } from "./harness.ts";
import { installPacked } from "./packed.ts";

const root = join(import.meta.dir, "..");
const tsc = [process.execPath, "--bun", join(root, "node_modules/typescript/bin/tsc")];
let folder = "";

beforeAll(async () => {
  folder = await installPacked();
  await Bun.write(join(folder, "package.json"), JSON.stringify({ type: "module" }));
}, 60_000);

/** Every export, values and types, and what spawn() returns. */
const use = `
  import * as library from "bun-landlock";
  import { landlock, roDirs, type PathLike, type Report, type Ruleset } from "bun-landlock";
  export const restrict = (): Report => landlock.V11.bestEffort().restrictPaths(roDirs("/usr"));
  export const all = (path: PathLike) => [library, path];
  export const code = (ruleset: Ruleset): number => ruleset.spawnSync(["true"]).exitCode;
  export async function sorted(ruleset: Ruleset): Promise<string> {
    const child = ruleset.spawn(["sort"], { stdin: "pipe", env: {} });
    child.stdin.write("b");
    return \`\${await child.exited}\`;
  }
`;
/** Types that need Bun's types; without those, they must not become `any`. */
const wrong = `
  import type { Ruleset } from "bun-landlock";
  export const sync = (ruleset: Ruleset) => ruleset.spawnSync(["true"]).nothing;
  export const input = (ruleset: Ruleset) => ruleset.spawn(["cat"]).stdin.write("x");
  export const option = (ruleset: Ruleset) => ruleset.spawn(["cat"], { stdin: "nowhere" });
`;

interface Project {
  readonly module: string;
  readonly moduleResolution: string;
  readonly types: readonly string[];
  readonly lib: readonly string[];
}

/** The compiler's errors, one a line; empty if there are none. */
async function errorsOf(text: string, project: Project): Promise<string[]> {
  await Bun.write(join(folder, "use.ts"), text);
  // An import also finds this folder, so it must not hold Bun's types.
  let typeRoot = join(root, "node_modules");
  if (!project.types.includes("bun-types")) {
    typeRoot = join(folder, "types");
    mkdirSync(typeRoot, { recursive: true });
    const node = join(typeRoot, "node");
    if (!existsSync(node)) symlinkSync(join(root, "node_modules/@types/node"), node);
  }
  const compilerOptions = {
    ...{ strict: true, noEmit: true, skipLibCheck: false, target: "esnext" },
    ...{ typeRoots: [typeRoot], ...project },
  };
  const config = JSON.stringify({ compilerOptions, files: ["use.ts"] });
  await Bun.write(join(folder, "tsconfig.json"), config);
  const { stdout } = run([...tsc, "-p", "."], folder);
  return stdout.split("\n").filter((line) => line.includes("error TS"));
}

const modules = { bundler: "preserve", nodenext: "nodenext", node16: "node16" };
const projects: Project[] = Object.entries(modules).flatMap(([moduleResolution, module]) =>
  [[], ["node"], ["bun-types"]].map((types) => ({
    moduleResolution,
    module,
    types,
    lib: ["esnext"],
  })),
);
const bundler = { moduleResolution: "bundler", module: "preserve" };
projects.push({ ...bundler, types: [], lib: ["es2022"] });
projects.push({ ...bundler, types: [], lib: ["esnext", "dom"] });

describe("the declarations compile", () => {
  for (const { lib, types, ...project } of projects) {
    const known = types.length === 0 ? "no types of a runtime" : `the types of ${types[0]} alone`;
    test(
      `with module resolution ${project.moduleResolution}, the library ${lib.join(" and ")}, ${known}`,
      async () => {
        expect(await errorsOf(use, { ...project, types, lib })).toEqual([]);
      },
      patience(30_000),
    );
  }
});

test(
  "with Bun's types the options and results of spawn() are checked",
  async () => {
    const project = { module: "preserve", moduleResolution: "bundler", lib: ["esnext"] };
    const errors = await errorsOf(wrong, { ...project, types: ["bun-types"] });
    expect(errors.map((line) => line.replace(/\(.*/, ""))).toEqual(["use.ts", "use.ts", "use.ts"]);
  },
  patience(30_000),
);
