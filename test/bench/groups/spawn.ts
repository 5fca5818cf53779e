/** A sandboxed child of a process that stays unrestricted. */
import { landlock, roDirs, rwFiles } from "../../../src/index.ts";
import { interleave, type Candidate } from "../interleave.ts";
import type { Group } from "../results.ts";
import type { Workshop } from "../workshop.ts";

const plain = "Bun.spawnSync()";
const ours = "ruleset.spawnSync()";

export async function spawn(workshop: Workshop): Promise<Group[]> {
  using ruleset = landlock.V11.bestEffort().ruleset(
    roDirs("/usr", "/bin", "/lib"),
    roDirs("/lib64").ignoreIfMissing(),
    rwFiles("/dev/null"),
  );
  const command = ["/bin/true"];
  const timed = (
    name: string,
    role: "base" | "ours",
    run: () => { success: boolean },
  ): Candidate => ({
    labels: [{ name, role }],
    sample() {
      const start = Bun.nanoseconds();
      const { success } = run();
      const time = Bun.nanoseconds() - start;
      if (!success) throw new Error(`${name} failed`);
      return [time / 1e6];
    },
  });
  const entries = await interleave(
    [
      timed(plain, "base", () => Bun.spawnSync(command)),
      timed(ours, "ours", () => ruleset.spawnSync(command)),
    ],
    workshop.rounds(1000),
    20,
  );
  const bars = [{ of: ours, times: 1.1, against: [plain] }];
  return [
    {
      id: "spawn",
      title: "Spawn /bin/true from a running process",
      unit: "ms",
      entries,
      bars,
      charted: true,
    },
  ];
}
