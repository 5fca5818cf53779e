/** Children are inside the sandbox, whatever thread starts them. */
import { expect } from "bun:test";
import { testFromAbi } from "../harness.ts";
import { confined, confinement, threads } from "./confinement.ts";

/** What `cat` needs; Bun opens /dev/null as the standard input of a child. */
const system = ["/bin", "/usr", "/lib", "/lib64", "/etc/ld.so.cache", "/dev/null"];

for (const thread of threads) {
  testFromAbi(1, `restrictPaths() denies files to the children of ${thread}`, async () => {
    const denied = "permission denied";
    expect(await confinement(thread, "children", "children", system)).toEqual(
      confined({
        "Bun.spawn": denied,
        "Bun.spawnSync": denied,
        "Bun.$": denied,
        "Bun.$ of a program": denied,
        "Bun.$ redirection": denied,
        exec: denied,
        execFile: denied,
        spawnSync: denied,
        "a grandchild": denied,
      }),
    );
  });

  testFromAbi(1, `restrictPaths() without execute denies ${thread} starting programs`, async () => {
    const seen = await confinement(thread, "children", "programs");
    const all = (outcome: string) => ({
      "Bun.spawn": outcome,
      "Bun.spawnSync": outcome,
      execFile: outcome,
      spawnSync: outcome,
    });
    expect(seen).toEqual({
      before: { granted: all("ok"), other: all("ok") },
      // The program is in neither of the folders.
      after: { granted: all("EACCES"), other: all("EACCES") },
    });
  });
}
