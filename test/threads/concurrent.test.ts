/** Several threads restrict the process at the same time. */
import { expect } from "bun:test";
import { inSubprocess, kernelAbi, tempDir, testFromAbi } from "../harness.ts";
import { insidePath } from "./confinement.ts";

const callers = insidePath("callers");
const workers = insidePath("workers");
type Caller = import("./inside/callers.ts").Caller;
type Callers = typeof import("./inside/callers.ts");
type Workers = typeof import("./inside/workers.ts");

const method = kernelAbi >= 8 ? "tsync" : "broadcast";

/** One folder for each layer to deny, and one that all layers grant. */
async function folders(layers: number) {
  const root = tempDir();
  const all = ["shared", ...Array.from({ length: layers }, (_, i) => `of-${i}`)];
  for (const name of all) await Bun.write(`${root}/${name}/file`, "text");
  return { root, all };
}

/** Each caller grants all folders but its own. */
async function atOnce(count: number, withMain: boolean) {
  const { root, all } = await folders(count + 1);
  return inSubprocess(
    { root, all, count, withMain, callers, workers },
    async ({ landlock, roDirs, outcome, threadField }, args) => {
      const { startCaller, gate } = (await import(args.callers)) as Callers;
      const { nodeWorker, webWorker } = (await import(args.workers)) as Workers;
      const readers = [await nodeWorker(), await webWorker()];
      const others = (index: number) => [
        "/proc",
        ...args.all.filter((name) => name !== `of-${index}`).map((name) => `${args.root}/${name}`),
      ];
      const shared = gate();
      const calls = await Promise.all(
        Array.from({ length: args.count }, (_, i) => startCaller(shared, others(i))),
      );
      Atomics.store(shared, 0, 1);
      Atomics.notify(shared, 0);
      const here = args.withMain
        ? [outcome(() => landlock.V1.restrictPaths(roDirs(...others(args.count))))]
        : [];
      const answers = await Promise.all(calls.map((caller) => caller.answer));
      const look = async (name: string) => {
        const path = `${args.root}/${name}/file`;
        const seen = await Promise.all([
          ...readers.map((read) => read(path)),
          ...calls.map((caller) => caller.read(path)),
        ]);
        return [...new Set(seen.flatMap((outcomes) => Object.values(outcomes)))].join();
      };
      const files: Record<string, string> = {};
      for (const name of args.all) files[name] = await look(name);
      return {
        here,
        answers,
        files,
        noNewPrivs: [...new Set(threadField("NoNewPrivs"))],
      };
    },
    { timeoutMs: 60_000 },
  );
}

for (const count of [2, 8]) {
  testFromAbi(
    1,
    `restrict() in ${count} Workers at the same time: all succeed, and all layers hold everywhere`,
    async () => {
      const denied = Array.from({ length: count }, (_, i) => [`of-${i}`, "EACCES"]);
      expect(await atOnce(count, false)).toEqual({
        here: [],
        answers: Array(count).fill({ outcome: "ok", method }),
        files: { shared: "ok", ...Object.fromEntries(denied), [`of-${count}`]: "ok" },
        noNewPrivs: ["1"],
      });
    },
  );

  testFromAbi(
    1,
    `restrict() in ${count} Workers and the main thread at the same time: all layers hold everywhere`,
    async () => {
      const denied = Array.from({ length: count + 1 }, (_, i) => [`of-${i}`, "EACCES"]);
      expect(await atOnce(count, true)).toEqual({
        here: ["ok"],
        answers: Array(count).fill({ outcome: "ok", method }),
        files: { shared: "ok", ...Object.fromEntries(denied) },
        noNewPrivs: ["1"],
      });
    },
  );
}

testFromAbi(
  1,
  "restrict() takes 16 layers from whatever threads, and refuses the 17th",
  async () => {
    const seen = await inSubprocess(
      { ...(await folders(17)), callers, workers },
      async ({ landlock, roDirs, thrown, outcome }, args) => {
        const { startCaller, gate } = (await import(args.callers)) as Callers;
        const { nodeWorker, webWorker } = (await import(args.workers)) as Workers;
        const readers = [await nodeWorker(), await webWorker()];
        const others = (index: number) =>
          args.all.filter((name) => name !== `of-${index}`).map((name) => `${args.root}/${name}`);
        const waiting: { shared: Int32Array; caller: Caller }[] = [];
        for (let i = 1; i <= 17; i += 2) {
          const shared = gate();
          waiting.push({ shared, caller: await startCaller(shared, others(Math.min(i, 16))) });
        }
        const callNext = async () => {
          const { shared, caller } = waiting.shift()!;
          Atomics.store(shared, 0, 1);
          Atomics.notify(shared, 0);
          return { caller, ...(await caller.answer) };
        };
        const layers: string[] = [];
        for (let i = 0; i < 16; i += 2) {
          layers.push(outcome(() => landlock.V1.restrictPaths(roDirs(...others(i)))));
          layers.push((await callNext()).outcome);
        }
        const code = thrown(() => landlock.V1.restrictPaths(roDirs(...others(16))))?.["code"];
        const last = await callNext();
        const files: Record<string, string> = {};
        for (const name of args.all) {
          const path = `${args.root}/${name}/file`;
          const all = await Promise.all([last.caller.read, ...readers].map((read) => read(path)));
          files[name] = [...new Set(all.flatMap((outcomes) => Object.values(outcomes)))].join();
        }
        return { layers, seventeenth: [code, last.outcome], files };
      },
      { timeoutMs: 60_000 },
    );
    expect(seen).toEqual({
      layers: Array(16).fill("ok"),
      seventeenth: ["ERR_LANDLOCK_TOO_MANY_LAYERS", "ERR_LANDLOCK_TOO_MANY_LAYERS"],
      files: {
        shared: "ok",
        ...Object.fromEntries(Array.from({ length: 16 }, (_, i) => [`of-${i}`, "EACCES"])),
        "of-16": "ok",
      },
    });
  },
);

for (const flag of ["", "--smol"]) {
  testFromAbi(
    1,
    `restrict() in a Worker${flag && ` under bun ${flag}`} covers the main thread and its pools`,
    async () => {
      const seen = await inSubprocess(
        { ...(await folders(1)), callers, flag },
        async ({ outcome, outcomeOf, threadField }, args) => {
          const fs = await import("node:fs");
          const { startCaller, gate } = (await import(args.callers)) as Callers;
          const look = async (name: string) => {
            const path = `${args.root}/${name}/file`;
            return [
              outcome(() => fs.readFileSync(path)),
              await outcomeOf(() => fs.promises.readFile(path)),
              await outcomeOf(() => Bun.file(path).text()),
            ];
          };
          const before = [await look("shared"), await look("of-0")];
          const caller = await startCaller(gate(1), [`${args.root}/shared`, "/proc"]);
          const { outcome: called } = await caller.answer;
          return {
            flagged: process.execArgv.includes("--smol"),
            before,
            called,
            after: [await look("shared"), await look("of-0")],
            noNewPrivs: [...new Set(threadField("NoNewPrivs"))],
          };
        },
        flag ? { env: { BUN_OPTIONS: flag } } : {},
      );
      const well = ["ok", "ok", "ok"];
      const denied = ["EACCES", "EACCES", "EACCES"];
      expect(seen).toEqual({
        flagged: flag !== "",
        before: [well, well],
        called: "ok",
        after: [well, denied],
        noNewPrivs: ["1"],
      });
    },
  );
}
