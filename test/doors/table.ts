/** Combines entries, files, places and ways, and reports which programs were trapped. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { patience } from "../harness.ts";
import type { Entry, Outcome, Way } from "./entries.ts";
import { makeScene, takeMarks, type Place, type Scene } from "./scene.ts";
import type { Kit, Trap } from "./traps.ts";

/** One scene, and what starts in it. */
export interface Trial {
  readonly kit: Kit;
  readonly places: readonly Place[];
  readonly starts: readonly (readonly [entry: Entry, way: Way])[];
}

const timeoutMs = 30_000;

async function run(
  command: readonly string[],
  cwd: string,
  env: Readonly<Record<string, string>>,
): Promise<Outcome> {
  const child = Bun.spawn([...command], {
    ...{ cwd, env, stdin: "ignore", stdout: "pipe", stderr: "pipe" },
    ...{ timeout: patience(timeoutMs), killSignal: "SIGKILL" },
  });
  const [stdout, stderr, code] = await Promise.all([
    child.stdout.text(),
    child.stderr.text(),
    child.exited,
  ]);
  return { stdout, stderr, code };
}

/** A trial's scene, with its traps in place. */
function setUp(installed: string, { kit, places, starts }: Trial): Scene {
  const scene = makeScene(installed);
  const prepared = new Set(starts.map(([{ prepare }]) => prepare));
  const scripts = [...prepared].flatMap((prepare) => prepare?.(scene) ?? []);
  for (const place of places) {
    for (const trap of kit.traps) {
      const mark = join(scene.marks, `${trap.name} in ${place}`);
      trap.plant({ folder: scene.folders[place], mark, scripts });
    }
  }
  return scene;
}

function isRefused({ stdout, stderr, code }: Outcome, refusal: string): boolean {
  return stdout === "" && stderr === `landlock-restrict: ${refusal}\n` && code === 125;
}

/**
 * Starts everything of a trial.
 *
 * @returns How many programs started, and a line for each one that obeyed a trap or ended wrongly
 */
export async function tryOut(installed: string, trial: Trial) {
  const scene = setUp(installed, trial);
  const wrong: string[] = [];
  let count = 0;
  for (const [entry, way] of trial.starts) {
    if (way.beyond?.includes(trial.kit.name)) continue;
    const { command, env } = way.call(scene);
    const words = [...command, ...entry.words(scene)];
    const outcome = await run(words, scene.folders.cwd, { ...scene.env, ...trial.kit.env, ...env });
    const marks = takeMarks(scene);
    count++;
    const isRight = way.refusal ? isRefused(outcome, way.refusal) : entry.right(outcome);
    if (marks.length === 0 && !outcome.stdout.includes("DOOR_") && isRight) continue;
    const where = `${entry.name}, ${way.name}, ${trial.kit.name} in ${trial.places.join()}`;
    wrong.push(`${where}: ${marks.join()} ${JSON.stringify(outcome)}`);
  }
  return { count, wrong };
}

/** Whether a trap works on a plain Bun, shell or npm in its folder. */
export async function isLive(installed: string, trap: Trap): Promise<boolean> {
  const scene = makeScene(installed);
  const { cwd } = scene.folders;
  const script = join(cwd, "script.js");
  writeFileSync(script, "");
  trap.plant({ folder: cwd, mark: join(scene.marks, trap.name), scripts: [script] });
  const { stdout } = await run(["/bin/sh", "-c", trap.canary], cwd, scene.env);
  return takeMarks(scene).length > 0 || stdout.includes("DOOR_");
}

/** Checks all of them, a few at a time. */
export async function inParallel<Item, Result>(
  items: readonly Item[],
  work: (item: Item) => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = [];
  let next = 0;
  const worker = async () => {
    while (next < items.length) {
      const at = next++;
      results[at] = await work(items[at]!);
    }
  };
  await Promise.all(Array.from({ length: navigator.hardwareConcurrency }, worker));
  return results;
}
