/** A thread that no signal reaches: then nothing is restricted, and the error says so. */
import { expect, test } from "bun:test";
import { join } from "node:path";
import { inSubprocess, kernelAbi, tempDir } from "../harness.ts";
import { insidePath, places } from "./confinement.ts";

const modules = { deaf: insidePath("deaf"), workers: insidePath("workers") };
type Deaf = typeof import("./inside/deaf.ts");
type Workers = typeof import("./inside/workers.ts");

const compiler = Bun.which("gcc");

/** These need a compiler, and a kernel that leaves the threads to us. */
function testBroadcast(name: string, body: (library: string) => Promise<void>) {
  if (kernelAbi === 0) test.skip(`${name} (needs Landlock)`, () => {});
  else if (kernelAbi >= 8) test.skip(`${name} (from ABI 8 on the kernel reaches all)`, () => {});
  else if (!compiler && !process.env["CI"]) test.skip(`${name} (needs gcc)`, () => {});
  else test(name, () => body(compile()), 30_000);
}

function compile(): string {
  if (!compiler) throw new Error("gcc is missing: apt-get install gcc");
  const library = join(tempDir(), "deaf.so");
  const source = join(import.meta.dir, "inside", "deaf.c");
  const flags = ["-Wall", "-Werror", "-shared", "-fPIC", "-pthread"];
  const done = Bun.spawnSync([compiler, ...flags, source, "-o", library]);
  if (!done.success) throw new Error(done.stderr.toString());
  return library;
}

for (const [how, why] of [
  ["block", "blocks every signal"],
  ["hang", "sleeps in vfork()"],
] as const) {
  testBroadcast(
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
