/** The limit of 16 layers, and that layers add up. */
import { expect } from "bun:test";
import { inSubprocess, tempDir, testFromAbi } from "../harness.ts";

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
