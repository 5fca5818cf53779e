/** Cases with their own threads, written in C. */
import { kernelAbi, testUnless } from "../harness.ts";
import { missingFor, program } from "../program-path.ts";
import type { ProgramName } from "../programs.ts";

/**
 * Tests a case that needs a compiled library, and a kernel where the library reaches the threads.
 *
 * @param body Gets the path of the library
 */
export function testBroadcast(
  library: ProgramName,
  name: string,
  body: (path: string) => Promise<void>,
) {
  testUnless(whyNot(library), name, () => body(program(library)), 60_000);
}

function whyNot(library: ProgramName): string {
  if (kernelAbi === 0) return "needs Landlock";
  if (kernelAbi >= 8) return "from Landlock ABI 8 on the kernel reaches all";
  return process.env["CI"] ? "" : missingFor(library);
}
