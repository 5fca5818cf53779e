/** Layers add up, and 16 are the limit. */
import { expect } from "bun:test";
import { join } from "node:path";
import { inSubprocess, kernelAbi, tempDir, testFromAbi, testUnless } from "../harness.ts";

testFromAbi(1, "restrictPaths() adds a layer each time, up to 16, and then fails", async () => {
  const dir = tempDir();
  await Bun.write(`${dir}/file`, "text");
  const seen = await inSubprocess(
    { dir },
    async ({ landlock, roDirs, rwDirs, outcome, thrown }, { dir }) => {
      const { readFileSync, writeFileSync } = await import("node:fs");
      const read = () => outcome(() => readFileSync(`${dir}/file`));
      const write = () => outcome(() => writeFileSync(`${dir}/file`, "new"));
      const before = [read(), write()];
      const layer = () => landlock.V1.restrictPaths(roDirs("/"), rwDirs("/proc", "/dev"));
      for (let i = 0; i < 16; i++) layer();
      return { before, after: [read(), write()], error: thrown(layer) };
    },
  );
  expect(seen).toEqual({
    before: ["ok", "ok"],
    after: ["ok", "EACCES"],
    error: {
      name: "LandlockError",
      message:
        "Cannot add a layer: 16 rulesets are in force already, the kernel's limit; put the rules into fewer calls",
      code: "ERR_LANDLOCK_TOO_MANY_LAYERS",
      syscall: "landlock_restrict_self",
      errno: 7,
      errnoName: "E2BIG",
      processChanged: false,
    },
  });
});

const source = join(import.meta.dir, "../../src");

/** From ABI 11 on the kernel sets it with the layer; below ABI 8 the library tries it first. */
const setBefore = kernelAbi >= 8 && kernelAbi <= 10;

const missing =
  kernelAbi === 0
    ? "needs Landlock"
    : process.getuid?.() === 0
      ? ""
      : "needs root: others cannot enforce anything without no_new_privs";

testUnless(
  missing,
  `restrict() that the kernel refuses ${setBefore ? "admits that it set" : "leaves alone"} no_new_privs, and one that it takes sets it on every thread`,
  async () => {
    const seen = await inSubprocess({ source }, async (inside, { source }) => {
      const { landlock, threadField, thrown } = inside;
      const { landlockRestrictSelf } = await import(`${source}/kernel/syscalls.ts`);
      const { build } = await import(`${source}/sandbox/restrict.ts`);
      const config = landlock.config({ fs: ["make_block"] });
      const privs = () => [...new Set(threadField("NoNewPrivs"))].sort();
      const before = privs();
      // Needs a process of its own, since its layer would count here.
      const script = `
        import { landlock } from ${JSON.stringify(`${source}/index.ts`)};
        import { threadField } from ${JSON.stringify(`${source}/../test/inside.ts`)};
        landlock.config({ fs: ["make_block"] }).restrictPaths();
        console.log([...new Set(threadField("NoNewPrivs"))].join());`;
      const child = Bun.spawnSync([process.execPath, "-e", script], { stderr: "inherit" });
      const taken = child.stdout.toString().trim();
      // Only root may restrict without no_new_privs.
      const { fd } = build(config.plan());
      while (landlockRestrictSelf(fd, 0) === 0);
      const full = privs();
      const error = thrown(() => config.restrictPaths());
      return { before, taken, full, error, after: privs() };
    });
    expect(seen as object).toMatchObject({
      before: ["0"],
      taken: "1",
      full: ["0"],
      error: {
        code: "ERR_LANDLOCK_TOO_MANY_LAYERS",
        errnoName: "E2BIG",
        processChanged: setBefore,
      },
      after: setBefore ? ["0", "1"] : ["0"],
    });
  },
);
