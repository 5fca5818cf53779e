/** The policy that `learn` wrote lets a program do the same again, and nothing else. */
import { expect } from "bun:test";
import { kernelAbi, tempDir, testUnless } from "../harness.ts";
import { programs } from "./programs.ts";
import { missingFor, roundTrip } from "./round-trip.ts";

for (const program of programs) {
  const missing = kernelAbi < 1 ? "needs Landlock" : missingFor(program);
  testUnless(
    missing,
    `${program.name}: learned, run again inside, and kept from the rest`,
    async () => {
      const { learned, again, file, port, verdict } = await roundTrip(program, tempDir());
      expect(Object.values(learned.files)).not.toContain("missing");
      expect(again).toEqual(learned);
      expect(file).toEqual({ free: "the secret", restricted: "EACCES" });
      expect(verdict).toBe("EACCES");
      if (port) expect(port).toEqual({ free: "done", restricted: "EACCES" });
    },
    60_000,
  );
}
