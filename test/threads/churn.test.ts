/** Threads start and end, pools grow and collectors run during a restriction. */
import { expect } from "bun:test";
import { inSubprocess, testFromAbi } from "../harness.ts";
import { insidePath, places } from "./confinement.ts";

const modules = { churn: insidePath("churn"), load: insidePath("load") };
type Churn = typeof import("./inside/churn.ts");
type Load = typeof import("./inside/load.ts");

const runs = Number(process.env["LANDLOCK_CHURN_RUNS"] ?? 10);

const starters = 2;
const collectors = 3;
/** Reads of each loop that begin after the last call returned. */
const more = { starter: 2, collector: 3, pool: 50 };

async function oneRun() {
  const seen = await inSubprocess(
    { ...places(), ...modules, starters, collectors, more },
    async ({ landlock, roDirs, threadField }, args) => {
      const { startStarter, startCollector } = (await import(args.churn)) as Churn;
      const { cells, readOn, summary, untilRunning, RETURNED } = (await import(args.load)) as Load;
      const { promises } = await import("node:fs");
      const shared = cells();
      const path = `${args.other}/file`;
      const started = await Promise.all([
        ...Array.from({ length: args.starters }, () =>
          startStarter(shared, args.more.starter, path),
        ),
        ...Array.from({ length: args.collectors }, () =>
          startCollector(shared, args.more.collector, path),
        ),
      ]);
      const here = Array.from({ length: 16 }, () =>
        readOn(shared, args.more.pool, () => promises.readFile(path)),
      );
      await untilRunning(shared, args.starters + 3 * args.collectors + 16);
      // Several layers: each one broadcasts again while threads come and go.
      for (let layer = 0; layer < 4; layer++) {
        landlock.V1.restrictPaths(roDirs("/"));
        await Bun.sleep(1);
      }
      landlock.V1.restrictPaths(roDirs(args.granted, "/proc"));
      Atomics.store(shared, RETURNED, 1);
      const noNewPrivs = [...new Set(threadField("NoNewPrivs"))];
      const rest = await Promise.all(started.map(({ tallies }) => tallies));
      const tallies = [...(await Promise.all(here)), ...rest.flat()];
      const before = summary(tallies, "before");
      return {
        workedBefore: before.outcomes.includes("ok"),
        strange: before.outcomes.filter((outcome) => outcome !== "ok" && outcome !== "EACCES"),
        after: summary(tallies, "after").outcomes,
        noNewPrivs,
      };
    },
    { timeoutMs: 30_000 },
  );
  return seen;
}

testFromAbi(
  1,
  `restrict() lets no thread escape, hangs nothing and breaks nothing while Workers come and go (${runs} processes)`,
  async () => {
    for (let run = 1; run <= runs; run++) {
      expect({ run, ...(await oneRun()) }).toEqual({
        run,
        workedBefore: true,
        strange: [],
        after: ["EACCES"],
        noNewPrivs: ["1"],
      });
    }
  },
  runs * 31_000,
);
