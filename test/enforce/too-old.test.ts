/** A kernel that lacks what is asked: an error, and nothing has changed. */
import { expect } from "bun:test";
import { abiOfRight, accessFs, accessNet, linuxOf, scopes } from "../../src/kernel/abi.ts";
import { inSubprocess, kernelAbi, testFromAbi, testOnAbis } from "../harness.ts";
import { threadField } from "../inside.ts";

const noNewPrivs = [...new Set(threadField("NoNewPrivs"))];
const unchanged = { readable: "ok", served: "ok", signalled: "ok", noNewPrivs };

type Version = "V2" | "V3" | "V4" | "V5" | "V6" | "V9" | "V10";

/** The versions that some kernel here is too old for, and what each asks for first. */
const versions: readonly [abi: number, version: Version, newest: string][] = [
  [3, "V3", "truncate"],
  [4, "V4", "bind_tcp"],
  [5, "V5", "ioctl_dev"],
  [6, "V6", "abstract_unix_socket"],
  [9, "V9", "resolve_unix"],
  [10, "V10", "bind_udp"],
];

/** Tries to restrict everything, and says what the error left behind. */
function tryVersion(version: Version, atLeast: number) {
  return inSubprocess({ version, atLeast }, async (inside, { version, atLeast }) => {
    const { landlock, outcome, threadField, thrown } = inside;
    const { readdirSync } = await import("node:fs");
    const strict = landlock[version];
    const config = atLeast > 0 ? strict.bestEffort({ atLeast }) : strict;
    return {
      error: thrown(() => config.restrict()),
      readable: outcome(() => readdirSync("/")),
      served: outcome(() => Bun.serve({ port: 0, fetch: () => new Response() })),
      signalled: outcome(() => process.kill(process.ppid, 0)),
      noNewPrivs: [...new Set(threadField("NoNewPrivs"))],
    };
  });
}

for (const [abi, version, newest] of versions) {
  const name = `${version}.restrict() is an error that names what the kernel lacks, with nothing changed`;
  testOnAbis(1, abi - 1, name, async () => {
    const lacking = [...accessFs, ...accessNet, ...scopes].filter(
      (right) => abiOfRight(right) > kernelAbi && abiOfRight(right) <= abi,
    );
    expect((await tryVersion(version, 0)) as object).toEqual({
      error: {
        name: "LandlockError",
        message: `Cannot restrict ${lacking.join(", ")}: ${newest} needs Landlock ABI ${abi} (Linux ${linuxOf(abi)}) and this kernel has ${kernelAbi}; use a lower version, or .bestEffort() to restrict what is possible`,
        code: "ERR_LANDLOCK_ABI_TOO_OLD",
        processChanged: false,
      },
      ...unchanged,
    });
  });
}

testOnAbis(
  1,
  10,
  "bestEffort({ atLeast }) is an error below that ABI, with nothing changed",
  async () => {
    const atLeast = kernelAbi + 1;
    expect((await tryVersion("V2", atLeast)) as object).toEqual({
      error: {
        name: "LandlockError",
        message: `Landlock ABI ${atLeast} (Linux ${linuxOf(atLeast)}) is required and this kernel has ${kernelAbi}: use a newer kernel or a lower atLeast`,
        code: "ERR_LANDLOCK_ABI_TOO_OLD",
        processChanged: false,
      },
      ...unchanged,
    });
  },
);

testFromAbi(1, "bestEffort({ atLeast }) restricts at that ABI", async () => {
  const seen = await inSubprocess(
    { atLeast: Math.min(kernelAbi, 11) },
    async (inside, { atLeast }) => {
      const { landlock, outcome } = inside;
      const { readdirSync } = await import("node:fs");
      const read = () => outcome(() => readdirSync("/"));
      const before = read();
      const { enforcement } = landlock.V1.bestEffort({ atLeast }).restrictPaths();
      return { before, enforcement, after: read() };
    },
  );
  expect(seen as object).toEqual({ before: "ok", enforcement: "full", after: "EACCES" });
});
