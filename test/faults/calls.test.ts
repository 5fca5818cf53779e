/** Makes each system call of the API, the launcher and the command line fail. */
import { expect } from "bun:test";
import { kernelAbi, tempDir, testUnless } from "../harness.ts";
import { missingFor, program } from "../program-path.ts";
import { callsMatrix, cliMatrix, launcherMatrix, type Place } from "./calls.ts";
import type { Row } from "./matrix.ts";

const why = kernelAbi === 0 ? "needs Landlock" : process.env["CI"] ? "" : missingFor("faulty.so");
/** Each case starts a process. */
const slow = ["spawnSync()", "the launcher", "landlock-restrict"];
const emulated = process.env["LANDLOCK_TEST_PROGRAMS"] !== undefined;

let compiled: string | undefined;

const refused = "ERR_LANDLOCK_\\w+( \\(\\w+\\))?, unchanged";
const ran = "exit code 0, the command ran restricted";

/** Outcomes that each matrix may have, and those it must have to prove that the faults arrived. */
const matrices: Readonly<
  Record<string, { run: (place: Place) => Promise<Row[]>; may: string; must: readonly string[] }>
> = {
  "probe()": {
    run: (place) => callsMatrix(place, "probe", false),
    may: "state (blocked|disabled|unsupported)",
    must: ["state blocked", "state disabled", "state unsupported"],
  },
  "building a ruleset": {
    run: (place) => callsMatrix(place, "build", false),
    may: `built|${refused}`,
    must: ["ERR_LANDLOCK_SYSCALL (openat), unchanged", "ERR_LANDLOCK_PATH (openat), unchanged"],
  },
  "restrict()": {
    run: (place) => callsMatrix(place, "restrict", false),
    may: `restricted|not restricted, the report says so|${refused}|ERR_LANDLOCK_\\w+, changed`,
    must: ["not restricted, the report says so"],
  },
  "spawnSync()": {
    run: (place) => callsMatrix(place, "spawnSync", false),
    may: `${ran}|${refused}, the command did not run`,
    must: [ran, "ERR_LANDLOCK_NATIVE (memfd_create), unchanged, the command did not run"],
  },
  "the launcher": {
    run: (place) => launcherMatrix(place, "spawnSync"),
    may: `${ran}|${refused}, the command did not run`,
    must: [
      ran,
      "ERR_LANDLOCK_SYSCALL (fcntl), unchanged, the command did not run",
      "ERR_LANDLOCK_PATH (execve), unchanged, the command did not run",
    ],
  },
  "landlock-restrict": {
    run: (place) => cliMatrix(place, false),
    may: "exit code 12[567], says why, the command did not run|the command ran restricted",
    must: [
      "exit code 125, says why, the command did not run",
      "exit code 127, says why, the command did not run",
    ],
  },
};

for (const [name, { run, may, must }] of Object.entries(matrices)) {
  testUnless(
    why || (emulated && slow.includes(name) ? "for an hour on an emulated machine" : ""),
    `${name} does all of it or nothing, whatever call fails, and says so`,
    async () => {
      const rows = await run({
        faulty: (compiled ??= program("faulty.so")),
        folder: tempDir(),
      });
      const allowed = new RegExp(`^(${may})$`);
      expect(rows.filter(({ outcome }) => !allowed.test(outcome))).toEqual([]);
      expect(rows.map(({ outcome }) => outcome)).toEqual(expect.arrayContaining([...must]));
    },
    240_000,
  );
}
