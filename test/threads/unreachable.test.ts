/** If no signal reaches a thread, nothing is restricted and the error says so. */
import { expect } from "bun:test";
import { inSubprocess } from "../harness.ts";
import { testBroadcast } from "./compiled.ts";
import { insidePath, places } from "./confinement.ts";

const modules = { deaf: insidePath("deaf"), workers: insidePath("workers") };
type Deaf = typeof import("./inside/deaf.ts");
type Workers = typeof import("./inside/workers.ts");

for (const [how, why] of [
  ["block", "blocks every signal"],
  ["hang", "sleeps in vfork()"],
] as const) {
  testBroadcast(
    "deaf.so",
    `restrictSelf() beside a thread that ${why} changes nothing, and covers it later`,
    async (library) => {
      const seen = await inSubprocess(
        { ...places(), ...modules, library, how },
        async ({ landlock, roDirs, thrown, threadField }, args) => {
          const { startDeafThread } = (await import(args.deaf)) as Deaf;
          const { nodeWorker, webWorker } = (await import(args.workers)) as Workers;
          const readers = [await nodeWorker(), await webWorker()];
          const look = async (dir: string) => {
            const all = await Promise.all(readers.map((read) => read(`${dir}/file`)));
            return [...new Set(all.flatMap((outcomes) => Object.values(outcomes)))].join();
          };
          const noNewPrivs = () => [...new Set(threadField("NoNewPrivs"))].join();
          const thread = startDeafThread(args.library);
          using ruleset = landlock.V1.ruleset(roDirs(args.granted, "/proc"));

          thread[args.how]();
          const started = performance.now();
          const error = thrown(() => ruleset.restrictSelf({ deadlineMs: 200 }));
          const took = performance.now() - started;
          const failed = {
            error: JSON.parse(JSON.stringify(error ?? null).replaceAll(String(thread.tid), "TID")),
            tooSoon: took < 200,
            tooLate: took > 5000,
            noNewPrivs: noNewPrivs(),
            granted: await look(args.granted),
            other: await look(args.other),
          };

          if (args.how === "block") thread.unblock();
          else thread.letGo();
          const { count } = ruleset.restrictSelf({ deadlineMs: 10_000 }).threads;
          return {
            failed,
            again: {
              several: count > 3,
              noNewPrivs: noNewPrivs(),
              granted: await look(args.granted),
              other: await look(args.other),
              thread: [thread.open(`${args.granted}/file`), thread.open(`${args.other}/file`)],
            },
          };
        },
      );
      expect(seen).toEqual({
        failed: {
          error: {
            name: "LandlockError",
            message:
              'Thread TID ("deaf") did not answer within 200 ms, so nothing was restricted: end that thread or let it take signals, and call again',
            code: "ERR_LANDLOCK_THREADS_UNREACHABLE",
            processChanged: false,
          },
          tooSoon: false,
          tooLate: false,
          noNewPrivs: "0",
          granted: "ok",
          other: "ok",
        },
        again: {
          several: true,
          noNewPrivs: "1",
          granted: "ok",
          other: "EACCES",
          thread: [0, 13],
        },
      });
    },
  );
}
