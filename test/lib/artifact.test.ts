/** The checked-in libraries match their sources and load on any machine. */
import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import { parseElf, tags, type Elf } from "./elf.ts";

const lib = join(import.meta.dir, "..", "..", "lib");
const cpus = ["x64", "arm64"] as const;
const compilers = ["gcc", "aarch64-linux-gnu-gcc"];

/** The largest page size that kernels for this CPU use. */
const pageBytes = { x64: 4096, arm64: 65_536 };

const surface = ["allthreads_restrict", "landlock_execve", "landlock_native_version"];

function loaded(elf: Elf) {
  return elf.segments.filter((segment) => segment.type === "load");
}

for (const cpu of cpus) {
  describe(`linux-${cpu}`, async () => {
    const bytes = await Bun.file(join(lib, "prebuilt", `linux-${cpu}`, "liblandlock.so")).bytes();
    const elf = parseElf(bytes);

    test("size and SHA-256 are those of the manifest", async () => {
      const manifest = await Bun.file(join(lib, "prebuilt", "MANIFEST.json")).json();
      expect(manifest[`linux-${cpu}`]).toMatchObject({
        bytes: bytes.length,
        sha256: new Bun.CryptoHasher("sha256").update(bytes).digest("hex"),
      });
    });

    test("it is for this CPU", () => {
      expect(elf.machine).toBe(cpu);
    });

    test("it needs no other library and imports nothing", () => {
      expect(elf.dynamicTags).not.toContain(tags.needed);
      expect(elf.imported).toEqual([]);
    });

    test("it exports the surface of allthreads.h and nothing else", async () => {
      const header = await Bun.file(join(lib, "allthreads.h")).text();
      const declared = [...header.matchAll(/^EXPORTED \w+ (\w+)\(/gm)].map((match) => match[1]!);
      expect(elf.exported).toEqual(surface);
      expect(declared.sort()).toEqual(surface);
    });

    test("no memory is writable and executable, nor is the stack", () => {
      const both = elf.segments.filter((segment) => segment.writable && segment.executable);
      expect(both).toEqual([]);
      const stacks = elf.segments.filter((segment) => segment.type === "stack");
      expect(stacks).toHaveLength(1);
      expect(stacks[0]).toMatchObject({ executable: false });
    });

    test("it runs without a dynamic linker: no relocation, no interpreter, an entry point", () => {
      expect(elf.relocationBytes).toBe(0);
      expect(elf.dynamicTags).not.toContain(tags.textRelocations);
      expect(elf.segments.map((segment) => segment.type)).not.toContain("interpreter");
      const home = loaded(elf).find(
        ({ address, size }) => elf.entry >= address && elf.entry < address + size,
      );
      expect(home).toMatchObject({ executable: true });
    });

    test(`its segments keep apart on pages of ${pageBytes[cpu]} bytes`, () => {
      const page = pageBytes[cpu];
      let free = 0;
      for (const { address, size, alignment } of loaded(elf)) {
        expect(alignment).toBeGreaterThanOrEqual(page);
        expect(Math.floor(address / page)).toBeGreaterThanOrEqual(free);
        free = Math.ceil((address + size) / page);
      }
      expect(loaded(elf).length).toBeGreaterThanOrEqual(2);
    });
  });
}

const missing = compilers.filter((compiler) => !Bun.which(compiler));

if (missing.length > 0 && !process.env["CI"]) {
  test.skip(`the sources build to the same bytes (needs ${missing.join(", ")})`, () => {});
} else {
  test("the sources build to the same bytes", () => {
    const done = Bun.spawnSync([process.execPath, join(lib, "build.ts"), "--check"]);
    expect(done.stderr.toString()).toBe("");
    expect(done.stdout.toString()).toBe("linux-x64: identical\nlinux-arm64: identical\n");
    expect(done.exitCode).toBe(0);
  }, 60_000);
}
