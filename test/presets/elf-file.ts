/** Writes ELF files with whatever contents a test needs. */
import { closeSync, ftruncateSync, openSync, writeSync } from "node:fs";

/** The fields of the file. */
export interface ElfFile {
  /** `e_type`; default 3, `ET_DYN`. */
  readonly type?: number;
  /** `e_machine`; default this CPU's. */
  readonly machine?: number;
  readonly interpreter?: string;
  readonly needed?: readonly string[];
  readonly rpath?: string;
  readonly runpath?: string;
  /** `DT_FLAGS_1`; default none. */
  readonly flags1?: number;
  /** Types of segments to leave out; default none. */
  readonly without?: readonly number[];
  /** Size of the string table, whose names are at its end; default is just what they take. */
  readonly tableBytes?: number;
  /** The size of that table that the file claims; default is the real one. */
  readonly claimedBytes?: number;
  /** Added to the offset of each name. */
  readonly shift?: number;
}

const ownMachine = process.arch === "arm64" ? 183 : 62;

/** Writes a sparse file. One segment maps the whole file at address 0. */
export function writeElf(path: string, elf: ElfFile): string {
  const texts = [...(elf.needed ?? []), elf.rpath, elf.runpath].filter(
    (text) => text !== undefined,
  );
  const names = Buffer.from(["", ...texts, ""].join("\0"));
  const tableBytes = Math.max(elf.tableBytes ?? 0, names.length);
  const start = tableBytes - names.length;
  const placeOf = (text: string) => start + names.indexOf(`\0${text}\0`) + 1 + (elf.shift ?? 0);
  const interpreter = Buffer.from(elf.interpreter === undefined ? "" : `${elf.interpreter}\0`);
  const interpreterAt = 64 + 3 * 56;
  const dynamicAt = (interpreterAt + interpreter.length + 15) & ~15;
  const tags: [number, number][] = (elf.needed ?? []).map((name) => [1, placeOf(name)]);
  if (elf.rpath !== undefined) tags.push([15, placeOf(elf.rpath)]);
  if (elf.runpath !== undefined) tags.push([29, placeOf(elf.runpath)]);
  if (elf.flags1 !== undefined) tags.push([0x6ffffffb, elf.flags1]);
  const tableAt = dynamicAt + (tags.length + 3) * 16;
  tags.push([5, tableAt], [10, elf.claimedBytes ?? tableBytes], [0, 0]);
  const size = tableAt + tableBytes;

  const head = Buffer.alloc(tableAt);
  head.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  head.writeUInt16LE(elf.type ?? 3, 16);
  head.writeUInt16LE(elf.machine ?? ownMachine, 18);
  head.writeUInt32LE(1, 20);
  head.writeBigUInt64LE(64n, 32);
  head.writeUInt16LE(64, 52);
  head.writeUInt16LE(56, 54);
  const segments = [
    [1, 0, size],
    [2, dynamicAt, tags.length * 16],
    ...(elf.interpreter === undefined ? [] : [[3, interpreterAt, interpreter.length]]),
  ].filter(([type]) => !elf.without?.includes(type!)) as [number, number, number][];
  head.writeUInt16LE(segments.length, 56);
  for (const [i, [type, offset, bytes]] of segments.entries()) {
    const at = 64 + i * 56;
    head.writeUInt32LE(type, at);
    head.writeUInt32LE(5, at + 4);
    for (const place of [8, 16, 24]) head.writeBigUInt64LE(BigInt(offset), at + place);
    for (const place of [32, 40]) head.writeBigUInt64LE(BigInt(bytes), at + place);
  }
  head.set(interpreter, interpreterAt);
  for (const [i, [tag, value]] of tags.entries()) {
    head.writeBigInt64LE(BigInt(tag), dynamicAt + i * 16);
    head.writeBigUInt64LE(BigInt(value), dynamicAt + i * 16 + 8);
  }

  const fd = openSync(path, "w", 0o755);
  ftruncateSync(fd, size);
  writeSync(fd, head, 0, head.length, 0);
  writeSync(fd, names, 0, names.length, tableAt + start);
  closeSync(fd);
  return path;
}
