/** Places where a process may find itself: namespaces, a chroot, under a tracer, short of things. */
import { expect } from "bun:test";
import { inSubprocess, kernelAbi, tempDir, testUnless } from "../harness.ts";
import { insidePath, places } from "../threads/confinement.ts";

type Workers = typeof import("../threads/inside/workers.ts");

const root = tempDir();
const unshare = ["unshare", "--map-root-user"];

/** Commands that start a process in such a place. */
const prefixes: Readonly<Record<string, readonly string[]>> = {
  "a user namespace": unshare,
  "a user namespace without a user of its own": ["unshare", "--user"],
  "a pid namespace with its /proc": [...unshare, "--pid", "--fork", "--mount-proc"],
  "a chroot": [
    ...[...unshare, "--mount", "sh", "-c"],
    // Debian has it where the PATH of an ordinary user does not lead.
    ...['mount --rbind / "$0" && PATH="$PATH:/usr/sbin" && exec chroot "$0" "$@"', root],
  ],
  "a tracer's hands": ["strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=prctl"],
};

for (const [place, prefix] of Object.entries(prefixes)) {
  const works = Bun.which(prefix[0]!) !== null && Bun.spawnSync([...prefix, "true"]).success;
  testUnless(
    kernelAbi === 0 ? "needs Landlock" : works ? "" : `needs ${prefix[0]}`,
    `in ${place} every thread is restricted, and children are`,
    async () => {
      const seen = await inSubprocess(
        { ...places(), workers: insidePath("workers") },
        async ({ landlock, roDirs, rwFiles, threadField }, { granted, other, workers }) => {
          const { nodeWorker, webWorker } = (await import(workers)) as Workers;
          const readers = [await nodeWorker(), await webWorker()];
          const look = async (dir: string) => {
            const all = await Promise.all(readers.map((read) => read(`${dir}/file`)));
            return [...new Set(all.flatMap((outcomes) => Object.values(outcomes)))].join();
          };
          const system = [
            roDirs("/usr", "/bin", "/proc"),
            roDirs("/lib", "/lib64").ignoreIfMissing(),
            rwFiles("/dev/null"),
          ];
          using ruleset = landlock.V1.ruleset(...system, roDirs(granted));
          const cat = (dir: string) => ruleset.spawnSync(["cat", `${dir}/file`]).exitCode;
          const before = [await look(granted), await look(other)];
          const children = [cat(granted), cat(other)];
          const unchanged = [await look(granted), await look(other)];
          const { threads } = ruleset.restrictSelf({ deadlineMs: 10_000 });
          return {
            before,
            children,
            unchanged,
            after: [await look(granted), await look(other)],
            noNewPrivs: [...new Set(threadField("NoNewPrivs"))],
            several: threads.count > 2,
          };
        },
        { prefix, timeoutMs: 60_000 },
      );
      expect(seen).toEqual({
        before: ["ok", "ok"],
        children: [0, 1],
        unchanged: ["ok", "ok"],
        after: ["ok", "EACCES"],
        noNewPrivs: ["1"],
        several: true,
      });
    },
    90_000,
  );
}
