/** Programs that restrict themselves, built by `bun build` in each format. */
import { copyFileSync, cpSync, existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { bunFlags } from "../../src/cli/start.ts";
import { tempDir } from "../harness.ts";
import type { Entry, Way } from "./entries.ts";
import type { Scene } from "./scene.ts";

const app = `
  import { landlock, roDirs } from "bun-landlock";
  import { writeFileSync } from "node:fs";
  for (const name in process.env) if (name.startsWith("DOOR_")) console.log(name);
  landlock.V11.bestEffort({ atLeast: 1 }).restrictPaths(roDirs("/"));
  try { writeFileSync("denied", ""); } catch ({ code }) { if (code === "EACCES") console.log("held"); }`;

/** A compiled program also obeys files of the current directory, unless built not to. */
const compiled = ["--compile", "--no-compile-autoload-bunfig", "--no-compile-autoload-dotenv"];

const formats: readonly [name: string, file: string, options: readonly string[]][] = [
  ["ES module", "main.js", ["--format=esm", "--outdir=out"]],
  ["CommonJS", "main.js", ["--format=cjs", "--outdir=out"]],
  ["IIFE", "main.js", ["--format=iife", "--outdir=out"]],
  ["minified", "main.js", ["--minify", "--outdir=out"]],
  ["compiled", "main", [...compiled, "--outfile=out/main"]],
];

const built = new Map<string, string>();

/** Builds a program once for all scenes. */
function build(file: string, options: readonly string[], { project }: Scene): string {
  const key = options.join(" ");
  const known = built.get(key);
  if (known !== undefined) return known;
  const folder = tempDir();
  cpSync(join(project, "node_modules"), join(folder, "node_modules"), { recursive: true });
  writeFileSync(join(folder, "main.ts"), app);
  const command = [process.execPath, "build", "main.ts", "--target=bun", ...options];
  const done = Bun.spawnSync(command, { cwd: folder });
  const output = join(folder, "out", file);
  if (!done.success || !existsSync(output)) throw new Error(`${done.stderr}`);
  built.set(key, output);
  return output;
}

function entry(name: string, file: string, options: readonly string[]): Entry {
  const isCompiled = options.includes("--compile");
  const starter = isCompiled ? [] : [process.execPath, ...bunFlags];
  const inFolder = ({ project }: Scene) => join(project, name, file);
  const ways: readonly Way[] = [
    { name: "absolute", call: (scene) => ({ command: [...starter, inFolder(scene)] }) },
    {
      name: "./relative",
      call: ({ folders }) => {
        copyFileSync(built.get(options.join(" "))!, join(folders.cwd, file));
        return { command: [...starter, `./${file}`] };
      },
    },
  ];
  return {
    name: `bundle: ${name}`,
    ways,
    prepare(scene) {
      cpSync(build(file, options, scene), inFolder(scene));
      return [inFolder(scene), join(scene.folders.cwd, file)];
    },
    words: () => [],
    right: ({ stdout, stderr, code }) => stdout === "held\n" && stderr === "" && code === 0,
  };
}

export const bundles: readonly Entry[] = formats.map((format) => entry(...format));
