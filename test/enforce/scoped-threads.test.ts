/** Scopes between threads of one process. */
import { expect } from "bun:test";
import { probe } from "../../src/index.ts";
import { inSubprocess, kernelAbi, testFromAbi, testUnless } from "../harness.ts";

/** ABI 6 and 7 cannot scope signals without the fix of erratum 2: see `planFor()`. */
const canScopeSignals = kernelAbi >= 8 || (kernelAbi >= 6 && (probe().errata & 2) !== 0);

function testSignals(name: string, body: () => Promise<void>) {
  if (canScopeSignals || kernelAbi < 6) testFromAbi(6, name, body);
  else testUnless("needs the fix of Landlock erratum 2", name, body);
}

testSignals(
  "the threads of one process still signal each other, and JSC collects garbage",
  async () => {
    const seen = await inSubprocess({}, async ({ landlock, outcome }) => {
      const source = `
      const hoard = () => Array.from({ length: 20_000 }, (_, i) => ({ i, text: "x" + i }));
      onmessage = () => {
        let kept = [];
        for (let i = 0; i < 20; i++) kept = hoard();
        Bun.gc(true);
        process.kill(process.pid, "SIGUSR2");
        postMessage(kept.length);
      };
      postMessage("up");`;
      const url = URL.createObjectURL(new Blob([source], { type: "application/javascript" }));
      const next = (worker: Worker) =>
        new Promise<unknown>((done) => (worker.onmessage = ({ data }) => done(data)));
      const startWorkers = (count: number) =>
        Promise.all(
          Array.from({ length: count }, async () => {
            const worker = new Worker(url);
            await next(worker);
            return worker;
          }),
        );
      let signalled = Promise.withResolvers<void>();
      process.on("SIGUSR2", () => signalled.resolve());
      const run = async (workers: Worker[]) => {
        signalled = Promise.withResolvers();
        const answers = Promise.all(workers.map(next));
        for (const worker of workers) worker.postMessage("go");
        for (let i = 0; i < 10; i++) {
          Array.from({ length: 20_000 }, () => ({ text: `${i}` }));
          Bun.gc(true);
        }
        await signalled.promise;
        return await answers;
      };
      const early = await startWorkers(2);
      const before = await run(early);
      landlock.V6.restrictScoped();
      const after = await run([...early, ...(await startWorkers(2))]);
      return { before, after, parent: outcome(() => process.kill(process.ppid, 0)) };
    });
    expect(seen as object).toEqual({
      before: [20_000, 20_000],
      after: [20_000, 20_000, 20_000, 20_000],
      parent: "EPERM",
    });
  },
);

testSignals("below ABI 8 each thread that ran already is a sandbox of its own", async () => {
  const seen = await inSubprocess({}, async ({ landlock, outcome }) => {
    const source = `
      let child;
      onmessage = () => {
        child = Bun.spawn(["cat"], { stdin: "pipe", stdout: "ignore" });
        postMessage(child.pid);
      };
      postMessage("up");`;
    const url = URL.createObjectURL(new Blob([source], { type: "application/javascript" }));
    const next = (worker: Worker) =>
      new Promise<unknown>((done) => (worker.onmessage = ({ data }) => done(data)));
    const startWorker = async () => {
      const worker = new Worker(url);
      await next(worker);
      return worker;
    };
    const killChildOf = async (worker: Worker) => {
      const pid = next(worker);
      worker.postMessage("start");
      const child = Number(await pid);
      return outcome(() => process.kill(child, 0));
    };
    const early = await startWorker();
    const before = await killChildOf(early);
    landlock.V6.restrictScoped();
    return {
      before,
      early: await killChildOf(early),
      late: await killChildOf(await startWorker()),
    };
  });
  expect(seen).toEqual({ before: "ok", early: kernelAbi < 8 ? "EPERM" : "ok", late: "ok" });
});
