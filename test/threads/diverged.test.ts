/** If only one thread cannot be restricted, the error says that the process must end. */
import { expect } from "bun:test";
import { join } from "node:path";
import { inSubprocess, testOnAbis } from "../harness.ts";

const src = join(import.meta.dir, "../../src");

testOnAbis(1, 7, "a thread with 16 layers diverges, and the error admits the change", async () => {
  const seen = await inSubprocess({ src }, async (inside, { src }) => {
    const { landlock, threadField, thrown } = inside;
    const body = `
      const { landlock } = await import("${src}/index.ts");
      const { build, enforceThread } = await import("${src}/sandbox/restrict.ts");
      const built = build(landlock.config({ fs: ["make_sock"] }).plan());
      for (let layer = 0; layer < 16; layer++) enforceThread(built);
      setInterval(() => {}, 1000);
      postMessage("full");`;
    const source = URL.createObjectURL(new Blob([body], { type: "text/javascript" }));
    const worker = new Worker(source);
    await new Promise((full) => (worker.onmessage = full));
    const error = thrown(() => landlock.config({ fs: ["make_fifo"] }).restrictPaths());
    return { error, noNewPrivs: threadField("NoNewPrivs").includes("1") };
  });
  expect(seen as object).toEqual({
    error: {
      name: "LandlockError",
      message: expect.stringMatching(
        /^Only some threads are restricted: landlock_restrict_self on thread \d+ \("Worker"\) failed with E2BIG; end the process$/,
      ),
      code: "ERR_LANDLOCK_THREADS_DIVERGED",
      syscall: "landlock_restrict_self",
      errno: 7,
      errnoName: "E2BIG",
      processChanged: true,
    },
    noNewPrivs: true,
  });
});
