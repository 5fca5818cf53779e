/** Reads what tests need from a 64-bit little-endian ELF shared object (elf(5)). */

export interface Segment {
  readonly type: "load" | "stack" | "interpreter" | "relro" | "other";
  readonly readable: boolean;
  readonly writable: boolean;
  readonly executable: boolean;
  readonly address: number;
  readonly size: number;
  readonly alignment: number;
}

export interface Elf {
  readonly machine: "x64" | "arm64" | "other";
  readonly entry: number;
  readonly segments: readonly Segment[];
  /** Tags of the dynamic section, in order. */
  readonly dynamicTags: readonly number[];
  /** Sorted names of the dynamic symbols: the defined ones, and the undefined ones. */
  readonly exported: readonly string[];
  readonly imported: readonly string[];
  /** Bytes of relocations, in sections or named by the dynamic section. */
  readonly relocationBytes: number;
}

const segmentTypes: Record<number, Segment["type"]> = {
  1: "load",
  3: "interpreter",
  0x6474e551: "stack",
  0x6474e552: "relro",
};
const machines: Record<number, Elf["machine"]> = { 62: "x64", 183: "arm64" };

export const tags = { needed: 1, textRelocations: 22 } as const;
/** DT_PLTRELSZ, DT_RELASZ, DT_RELSZ, DT_RELRSZ */
const relocationSizes = [2, 8, 18, 35];
/** SHT_RELA, SHT_REL, SHT_RELR */
const relocationSections = [4, 9, 19];
const dynamicSymbols = 11;
const dynamicSection = 6;

export function parseElf(bytes: Uint8Array): Elf {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const u16 = (at: number) => view.getUint16(at, true);
  const u32 = (at: number) => view.getUint32(at, true);
  const u64 = (at: number) => Number(view.getBigUint64(at, true));
  // 0x7f "ELF", 64 bits, little-endian
  if (view.getUint32(0) !== 0x7f454c46 || view.getUint16(4) !== 0x0201) {
    throw new Error("this is no 64-bit little-endian ELF file");
  }

  const segments = Array.from({ length: u16(56) }, (_, i): Segment => {
    const at = u64(32) + i * u16(54);
    const flags = u32(at + 4);
    return {
      type: segmentTypes[u32(at)] ?? "other",
      readable: (flags & 4) !== 0,
      writable: (flags & 2) !== 0,
      executable: (flags & 1) !== 0,
      address: u64(at + 16),
      size: u64(at + 40),
      alignment: u64(at + 48),
    };
  });

  const sections = Array.from({ length: u16(60) }, (_, i) => {
    const at = u64(40) + i * u16(58);
    return { type: u32(at + 4), at: u64(at + 24), size: u64(at + 32), link: u32(at + 40) };
  });
  if (sections.length === 0) throw new Error("the file has no section headers");

  const entries = sections
    .filter((section) => section.type === dynamicSection)
    .flatMap((section) =>
      Array.from({ length: section.size / 16 }, (_, i) => ({
        tag: u64(section.at + i * 16),
        value: u64(section.at + i * 16 + 8),
      })),
    );

  const text = (at: number) => {
    return new TextDecoder().decode(bytes.subarray(at, bytes.indexOf(0, at)));
  };
  const symbols = sections
    .filter((section) => section.type === dynamicSymbols)
    .flatMap((section) =>
      // The first symbol is empty; section index 0 means undefined.
      Array.from({ length: section.size / 24 - 1 }, (_, i) => {
        const at = section.at + (i + 1) * 24;
        return { name: text(sections[section.link]!.at + u32(at)), defined: u16(at + 6) !== 0 };
      }),
    );
  const names = (defined: boolean) =>
    symbols
      .filter((symbol) => symbol.defined === defined)
      .map((symbol) => symbol.name)
      .sort();

  let relocationBytes = 0;
  for (const { tag, value } of entries) if (relocationSizes.includes(tag)) relocationBytes += value;
  for (const { type, size } of sections)
    if (relocationSections.includes(type)) relocationBytes += size;

  return {
    machine: machines[u16(18)] ?? "other",
    entry: u64(24),
    segments,
    dynamicTags: entries.map(({ tag }) => tag),
    exported: names(true),
    imported: names(false),
    relocationBytes,
  };
}
