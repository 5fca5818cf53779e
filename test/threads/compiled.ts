/** Cases with threads of their own, in C. */
import { test } from "bun:test";
import { join } from "node:path";
import { kernelAbi, tempDir } from "../harness.ts";

const compiler = Bun.which("gcc");

/**
 * A case that needs a compiler, and a kernel that leaves the threads to us.
 *
 * @param source The name of a file of `inside/`
 * @param body Gets the path of the library made from it
 */
export function testBroadcast(
  source: string,
  name: string,
  body: (library: string) => Promise<void>,
) {
  if (kernelAbi === 0) test.skip(`${name} (needs Landlock)`, () => {});
  else if (kernelAbi >= 8) test.skip(`${name} (from ABI 8 on the kernel reaches all)`, () => {});
  else if (!compiler && !process.env["CI"]) test.skip(`${name} (needs gcc)`, () => {});
  else test(name, () => body(compile(source)), 60_000);
}

function compile(source: string): string {
  if (!compiler) throw new Error("gcc is missing: apt-get install gcc");
  const library = join(tempDir(), "library.so");
  const file = join(import.meta.dir, "inside", source);
  const flags = ["-Wall", "-Werror", "-shared", "-fPIC", "-pthread"];
  const done = Bun.spawnSync([compiler, ...flags, file, "-o", library]);
  if (!done.success) throw new Error(done.stderr.toString());
  return library;
}
