/**
 * `bun run test:kernels [all | quick | NAME]... [FILE]...` runs the tests on real kernels in
 * virtual machines. Kernels and programs come from this machine's Debian mirror and stay in the
 * cache.
 */
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { openApt } from "./apt.ts";
import { cacheFolder } from "./cache.ts";
import type { Message } from "./guest/message.ts";
import { emulators, runGuest, type Guest, type Outcome } from "./guest.ts";
import { makeImage, testFiles } from "./image.ts";
import { parseJunit } from "./junit.ts";
import { linuxOf } from "./linux.ts";
import { matrixFile, matrixOf, neverPassed } from "./matrix.ts";
import { failures, reasons, summary } from "./report.ts";
import { requirePrograms } from "./run-command.ts";
import { select, type Selection } from "./select.ts";
import { kernels, userlandSuite, type Cpu, type Kernel } from "./table.ts";

const begun = performance.now();
const elapsed = () => `${Math.round((performance.now() - begun) / 1000)} s`.padStart(6);
const say = (text: string) => console.log(`${elapsed()}  ${text}`);

/** Downloads and builds everything for the guests of one CPU. */
async function prepare(cpu: Cpu, selection: Selection): Promise<Guest[]> {
  const { files, users } = selection;
  const rows = selection.kernels.filter((kernel) => kernel.cpu === cpu);
  const apt = await openApt(cpu, [userlandSuite, ...rows.flatMap(({ suites }) => suites)]);
  const image = await makeImage(cpu, apt, files);
  const guests: Guest[] = [];
  // In turn, because apt locks its folder during a download.
  for (const kernel of rows) {
    guests.push({ kernel, linux: await linuxOf(kernel, apt), image, users });
  }
  return guests;
}

/** Prints a guest's progress now and then. */
function progress(name: string): (message: Message, seconds: number) => void {
  let [files, tests, done, said] = [0, 0, 0, 0];
  return (message, seconds) => {
    const after = `after ${Math.round(seconds)} s`;
    if (message.kind === "started") {
      files = message.files;
      say(`${name}  booted Linux ${message.release}, Landlock ABI ${message.abi}, ${after}`);
    } else if (message.kind === "finished") {
      tests += parseJunit(message.junit).length;
      done++;
      for (const note of message.notes) say(`${name}  ${message.user}  ${note}`);
      const failed = message.status !== 0;
      if (failed || seconds - said > 60) {
        const what = failed ? `failed ${message.file} as ${message.user}, ` : "";
        say(`${name}  ${what}${done} of ${files} files, ${tests} tests, ${after}`);
        said = seconds;
      }
    } else {
      say(`${name}  ended, ${tests} tests, ${after}`);
    }
  };
}

/**
 * Retries a failed boot. Kernels modify their own code during boot, and the emulator sometimes
 * executes it halfway, so the kernel panics. Once the tests run, nothing is retried.
 */
const bootsAgain = 2;

/** Runs one guest for every two CPUs, because each runs two test files at a time. */
async function runAll(guests: readonly Guest[]): Promise<Outcome[]> {
  const outcomes = new Map<Kernel, Outcome>();
  const queue = [...guests];
  const next = async (): Promise<void> => {
    const guest = queue.shift();
    if (guest === undefined) return;
    const { kernel } = guest;
    const folder = cacheFolder("results", kernel.name);
    let outcome = await runGuest(guest, folder, progress(kernel.name));
    for (let again = 0; again < bootsAgain && !outcome.started; again++) {
      say(`${kernel.name}  did not boot, once more: ${outcome.failure}`);
      outcome = await runGuest(guest, folder, progress(kernel.name));
    }
    await Bun.write(join(folder, "status.txt"), outcome.started?.status ?? "");
    if (outcome.failure) say(`${kernel.name}  ${outcome.failure}`);
    outcomes.set(kernel, outcome);
    return next();
  };
  await Promise.all(Array.from({ length: Math.max(1, availableParallelism() >> 1) }, next));
  return guests.map(({ kernel }) => outcomes.get(kernel)!);
}

async function main(words: readonly string[]): Promise<number> {
  const selection = select(words, testFiles());
  const wanted = selection.kernels;
  const cpus = [...new Set(wanted.map(({ cpu }) => cpu))];
  requirePrograms({
    "apt-get": "apt",
    "dpkg-deb": "dpkg",
    setpriv: "util-linux",
    gcc: "gcc libc6-dev",
    "musl-gcc": "musl-tools",
    ...(cpus.includes("arm64") && {
      "aarch64-linux-gnu-gcc": "gcc-aarch64-linux-gnu libc6-dev-arm64-cross",
    }),
    ...Object.assign({}, ...cpus.map((cpu) => emulators[cpu])),
  });
  const guests: Guest[] = [];
  for (const cpu of cpus) guests.push(...(await prepare(cpu, selection)));
  say(`downloaded and built; ${guests.map(({ kernel }) => kernel.name).join(" ")}`);

  const outcomes = await runAll(guests);
  const matrix = matrixOf(outcomes);
  const never = neverPassed(matrix, wanted.length === kernels.length);
  const file = join(cacheFolder("results"), "matrix.tsv");
  await Bun.write(file, matrixFile(matrix));

  const why = reasons(matrix);
  console.log(`\n${summary(matrix)}\n${why && `\nNot applicable, because it\n${why}\n`}`);
  const failed = failures(outcomes, matrix, never);
  for (const failure of failed) console.log(`(fail) ${failure}\n`);
  const cells = matrix.rows.flatMap((row) => row.cells);
  const count = (result: string) => cells.filter((cell) => cell.result === result).length;
  console.log(`All of it: ${file}`);
  console.log(` ${count("passed")} pass\n ${count("skipped")} skip\n ${failed.length} fail`);
  const minutes = (performance.now() - begun) / 60_000;
  console.log(`Ran ${cells.length} cases on ${wanted.length} kernels. [${minutes.toFixed(1)} min]`);
  return failed.length === 0 ? 0 : 1;
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
