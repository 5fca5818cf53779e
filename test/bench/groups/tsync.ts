/**
 * Compares the kernel's own reach of all threads, ABI 8, with the broadcast for older kernels. It
 * runs in an emulated machine, where only the ratio means anything.
 */
import { join } from "node:path";
import { guestMissing, inGuest } from "../peers/guest.ts";
import { cProgram } from "../peers/programs.ts";
import { measured, type Absent, type Entry, type Group } from "../results.ts";
import type { Workshop } from "../workshop.ts";

const counts = [10, 100, 1_000];
const methods = {
  tsync: { name: "TSYNC, from ABI 8 on", role: "ours" },
  "/programs/liblandlock.so": { name: "lib/, the broadcast below", role: "ours" },
} as const;
type Method = keyof typeof methods;

/** Matches lines such as `BENCH 100 tsync [812.5]`. */
function samplesOf(console: string, count: number, method: Method): number[] {
  return [...console.matchAll(/BENCH (\d+) (\S+) \[([\d.]+)\]/g)]
    .filter(([, threads, how]) => Number(threads) === count && how === method)
    .map(([, , , value]) => Number(value));
}

/** The kernel's own way to reach all threads. */
export async function tsync(workshop: Workshop): Promise<Group[]> {
  const missing = guestMissing();
  let console = "";
  if (missing === undefined) {
    const program = cProgram("threads", ["threads.c", "crowd.c"]);
    const library = join(import.meta.dir, "../../../lib/prebuilt/linux-x64/liblandlock.so");
    const rounds = workshop.rounds(10);
    console = await inGuest(
      [program, library],
      `for round in $(seq ${rounds}); do for count in ${counts.join(" ")}; do
  for method in ${Object.keys(methods).join(" ")}; do
    echo "BENCH $count $method $(/programs/threads $count $method)"
  done
done; done`,
    );
  }
  return counts.map((count): Group => {
    const entries = (Object.keys(methods) as Method[]).map((method): Entry => {
      const { name, role } = methods[method];
      const samples = samplesOf(console, count, method);
      const absent: Absent = { name, role, absent: missing ?? "the emulated machine did not say" };
      return samples.length === 0 ? absent : measured(name, role, samples);
    });
    const title = `Restrict ${count.toLocaleString("en")} threads, on Linux 7.3 in an emulated machine`;
    return { id: `tsync-${count}`, title, unit: "µs", entries, bars: [] };
  });
}
