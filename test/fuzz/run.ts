/**
 * Fuzzes for some minutes: `bun test/fuzz/run.ts policies 20`. A third word is the seed to repeat.
 * `proc`, `launcher` and `broadcast` are the C library's parts and need `clang`. libFuzzer adds
 * inputs with new coverage to `test/fuzz/seeds`.
 */
import { mkdirSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { flags } from "./flags.ts";
import { fuzz } from "./loop.ts";
import {
  compile,
  natives,
  packSeeds,
  sanitizerSettings,
  unpackSeeds,
  type Native,
} from "./native.ts";
import { policies } from "./policies.ts";

const [name = "", minutes = "1", seedText = `${Date.now() % 2 ** 32}`] = process.argv.slice(2);
const ms = Number(minutes) * 60_000;
const seed = Number(seedText);
const folder = mkdtempSync(join(tmpdir(), "landlock-fuzz-"));

/** Runs in this process. If it hangs, the input is in the folder or in the last printed words. */
function script(): number {
  const started = performance.now();
  let said = started;
  console.log(`${name}: seed ${seed}, in ${folder}`);
  const goesOn = (tries: number, outcomes: number) => {
    const now = performance.now();
    if (now - said > 10_000) {
      said = now;
      const rate = Math.round(tries / ((now - started) / 1000));
      console.log(`${tries} tries, ${outcomes} outcomes, ${rate} a second`);
    }
    return now - started < ms;
  };
  const { tries, known, failure } =
    name === "policies" ? fuzz(policies(folder), seed, goesOn) : fuzz(flags(folder), seed, goesOn);
  console.log(`${tries} tries, ${known.length} kept, seed ${seed}`);
  if (failure === undefined) return 0;
  console.error(`fails: ${JSON.stringify(failure.input)}`, failure.error);
  return 1;
}

/** Runs as a separate program, and keeps the inputs that cover everything reached as seeds. */
function native(name: Native): number {
  const program = join(folder, name);
  const corpus = join(folder, "corpus");
  const small = join(folder, "small");
  compile(name, program, "clang");
  unpackSeeds(name, corpus);
  mkdirSync(small);
  const run = (...args: string[]) =>
    Bun.spawnSync([program, ...args], {
      stdio: ["ignore", "inherit", "inherit"],
      env: { ...process.env, ...sanitizerSettings },
    }).exitCode;
  const limits = ["-timeout=10", "-max_len=2048", `-artifact_prefix=${folder}/`];
  const time = [`-max_total_time=${Math.ceil(ms / 1000)}`, `-seed=${seed % 2 ** 31}`];
  const code = run(corpus, ...time, ...limits, "-print_final_stats=1");
  if (code !== 0 || run("-merge=1", "-use_counters=0", small, corpus) !== 0) return 1;
  packSeeds(name, small);
  return 0;
}

const isNative = (word: string): word is Native => Object.hasOwn(natives, word);
if (isNative(name)) process.exit(native(name));
if (name === "policies" || name === "flags") process.exit(script());
console.error(`what to fuzz: policies, flags, ${Object.keys(natives).join(", ")}`);
process.exit(2);
