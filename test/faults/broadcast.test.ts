/** With any of its system calls failing, the broadcast restricts every thread or none. */
import { expect, test } from "bun:test";
import { chmodSync } from "node:fs";
import { kernelAbi, tempDir, testUnless } from "../harness.ts";
import { missingFor, program } from "../program-path.ts";
import { broadcastMatrix } from "./broadcast.ts";
import { errnosOf, syscalls } from "./errnos.ts";
import { counts, markdown, type Row } from "./matrix.ts";

const missing = process.env["CI"] ? "" : missingFor("stress-glibc") || missingFor("faulty.so");
const emulated = process.env["LANDLOCK_TEST_PROGRAMS"] !== undefined;
const why =
  kernelAbi === 0 || kernelAbi >= 8
    ? `for Landlock ABI 1 to 7, this kernel has ${kernelAbi}`
    : emulated
      ? "for hours on an emulated machine, and what it shows does not depend on the kernel"
      : missing;

/** Allowed outcomes of a call: `changed` is only for an error after which the process must end. */
const allowed =
  /^(not reached, |mask stays, )?(restricted(, handler stays)?|(unreachable|E\w+), unchanged(, (restricted|changed) at the next try)?(, handler stays)?|(diverged|E\w+), changed)$/;

for (const [layers, most, what] of [
  [0, 1, "the first layer"],
  [1, 0, "a further layer"],
] as const) {
  testUnless(
    why,
    `${what} restricts every thread or none, whatever call fails, and leaves nothing behind`,
    async () => {
      const folder = tempDir();
      chmodSync(folder, 0o755);
      const programs = { stress: program("stress-glibc"), faulty: program("faulty.so"), folder };
      const rows = await broadcastMatrix(programs, layers, most);
      expect(rows.filter(({ outcome }) => !allowed.test(outcome))).toEqual([]);
      const reached = new Set(rows.map(({ syscall }) => syscall));
      const never = ["futex", "landlock_restrict_self", "openat", "prctl", "rt_tgsigqueueinfo"];
      expect([...reached]).toEqual(expect.arrayContaining(never));
      // If the kernel refuses every thread, the error must name that refusal.
      const refused = rows.filter(
        ({ syscall, call }) => syscall === "landlock_restrict_self" && call === "all",
      );
      expect(refused.map(({ outcome }) => /^E\w+, unchanged$/.test(outcome))).toEqual(
        errnosOf("landlock_restrict_self").map(() => true),
      );
    },
    240_000,
  );
}

test("every system call of the library has its errnos in the table", async () => {
  const lib = new Bun.Glob("*.{c,h}").scan({ cwd: `${import.meta.dir}/../../lib`, absolute: true });
  const used = new Set<string>();
  for await (const file of lib)
    for (const [, name] of (await Bun.file(file).text()).matchAll(/\bsys\d\(NR_(\w+)/g))
      used.add(name!);
  // These cannot fail, or do not return.
  for (const name of ["getpid", "gettid", "exit", "exit_group"]) used.delete(name);
  expect([...used].filter((name) => !syscalls.includes(name))).toEqual([]);
  expect(used.size).toBeGreaterThan(20);
});

test("the table has one line for each system call, with the errnos of each outcome", () => {
  const row = (errno: string, call: string, outcome: string): Row => {
    return { path: "p", syscall: "s", errno, call, outcome };
  };
  const ok = ["1", "2", "3", "5", "all"].flatMap((call) => [
    row("A", call, "x"),
    row("B", call, "x"),
  ]);
  const rows = [...ok, row("A", "4", "y")];
  expect(markdown(rows).split("\n").slice(2)).toEqual(["| p | s | x: A B; y: A |"]);
  expect(counts(rows).split("\n").slice(2)).toEqual(["| p | x | 10 |", "| p | y | 1 |"]);
});
