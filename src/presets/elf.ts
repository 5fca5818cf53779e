/** Reads from an ELF file which loader and libraries it needs. */
import { closeSync, constants, openSync, readSync } from "node:fs";
import { idOf } from "../kernel/identity.ts";

/** What loading an ELF file needs, with names as the file spells them. */
export interface Elf {
  /** The file's identity, as in `Status`. */
  readonly id: string;
  /** `shared` is `ET_DYN`: a library or a position-independent program. `program` is `ET_EXEC`. */
  readonly type: "shared" | "program" | "other";
  /** `e_machine`: 62 is x86-64, 183 is AArch64. */
  readonly machine: number;
  /** Whether any part of it is loaded into memory. */
  readonly loads: boolean;
  /** The loader (`PT_INTERP`). Static programs and most libraries have none. */
  readonly interpreter: string | undefined;
  /** Whether it is marked as a program (`DF_1_PIE`), which no loader accepts as a library. */
  readonly isPie: boolean;
  /** Whether it has a dynamic section, which every library has. */
  readonly isDynamic: boolean;
  /** The libraries that it needs (`DT_NEEDED`). */
  readonly needed: readonly string[];
  /** Folders to search for them (`DT_RPATH`). */
  readonly rpath: readonly string[];
  /** Folders to search for them (`DT_RUNPATH`). */
  readonly runpath: readonly string[];
}

const types: Readonly<Record<number, Elf["type"]>> = { 2: "program", 3: "shared" };
const PT_LOAD = 1;
const PT_DYNAMIC = 2;
const PT_INTERP = 3;
const DT_NULL = 0;
const DT_NEEDED = 1;
const DT_STRTAB = 5;
const DT_STRSZ = 10;
const DT_RPATH = 15;
const DT_RUNPATH = 29;
const DT_FLAGS_1 = 0x6fff_fffb;
const DF_1_PIE = 0x0800_0000;
/** `sizeof(Elf64_Ehdr)`, `sizeof(Elf64_Phdr)`, `sizeof(Elf64_Dyn)`. */
const headerBytes = 64;
const segmentBytes = 56;
const dynBytes = 16;
/** Real files stay below these limits. A file that exceeds them is damaged. */
const segmentsMax = 1024;
const tagsMax = 1 << 16;
const namesMax = 4096;
/** Longer than any path, because a list of folders may be. */
const nameBytesMax = 1 << 16;
const chunkBytes = 4096;

interface Segment {
  readonly type: number;
  readonly offset: number;
  readonly address: number;
  readonly fileBytes: number;
}

/** A range of bytes in a file. */
interface Range {
  readonly offset: number;
  readonly bytes: number;
}

class Damaged extends Error {}

/** Reads bytes from an offset, or fewer at the end of the file. */
function readAt(fd: number, offset: number, count: number): DataView {
  const bytes = new Uint8Array(count);
  return new DataView(bytes.buffer, 0, readSync(fd, bytes, 0, count, offset));
}

/** Reads text up to a NUL in chunks, since the range around it may be larger than memory. */
function textAt(fd: number, { offset, bytes }: Range): string {
  const end = Math.min(bytes, nameBytesMax);
  const found: number[] = [];
  while (found.length < end) {
    const view = readAt(fd, offset + found.length, Math.min(chunkBytes, end - found.length));
    if (view.byteLength === 0) break;
    const piece = new Uint8Array(view.buffer, 0, view.byteLength);
    const nul = piece.indexOf(0);
    found.push(...(nul < 0 ? piece : piece.subarray(0, nul)));
    if (nul >= 0) return new TextDecoder("utf-8", { fatal: true }).decode(new Uint8Array(found));
  }
  throw new Damaged();
}

/**
 * Uses the offsets of `Elf64_Ehdr` and `Elf64_Phdr`, which are the same on every 64-bit machine.
 */
function segments(fd: number, header: DataView): Segment[] {
  const start = Number(header.getBigUint64(32, true));
  const size = header.getUint16(54, true);
  const count = header.getUint16(56, true);
  if (count > segmentsMax || (count > 0 && size !== segmentBytes)) throw new Damaged();
  const table = readAt(fd, start, size * count);
  return Array.from({ length: count }, (_, i) => ({
    type: table.getUint32(i * size, true),
    offset: Number(table.getBigUint64(i * size + 8, true)),
    address: Number(table.getBigUint64(i * size + 16, true)),
    fileBytes: Number(table.getBigUint64(i * size + 32, true)),
  }));
}

/** The tags of the dynamic section and their values, in order. */
function dynamicTags(fd: number, all: readonly Segment[]): [number, number][] {
  const segment = all.find(({ type }) => type === PT_DYNAMIC);
  if (!segment) return [];
  const view = readAt(fd, segment.offset, Math.min(segment.fileBytes, tagsMax * dynBytes));
  const tags: [number, number][] = [];
  for (let at = 0; at + dynBytes <= view.byteLength; at += dynBytes) {
    const tag = Number(view.getBigInt64(at, true));
    if (tag === DT_NULL) return tags;
    tags.push([tag, Number(view.getBigUint64(at + 8, true))]);
  }
  throw new Damaged();
}

/**
 * The range of the name table in the file. The file gives its memory address, and a segment tells
 * which part of the file is loaded there.
 */
function namesIn(all: readonly Segment[], tags: readonly [number, number][]): Range {
  const value = (wanted: number) => tags.find(([tag]) => tag === wanted)?.[1] ?? 0;
  const address = value(DT_STRTAB);
  const home = all.find(
    (one) =>
      one.type === PT_LOAD && one.address <= address && address < one.address + one.fileBytes,
  );
  if (!home) return { offset: 0, bytes: 0 };
  const skipped = address - home.address;
  return {
    offset: home.offset + skipped,
    bytes: Math.min(value(DT_STRSZ), home.fileBytes - skipped),
  };
}

function readElf(fd: number): Omit<Elf, "id"> | undefined {
  const header = readAt(fd, 0, headerBytes);
  // Accepts only Bun's platforms: 64 bits and little-endian.
  if (header.byteLength < headerBytes || header.getUint32(0) !== 0x7f454c46) return undefined;
  if (header.getUint8(4) !== 2 || header.getUint8(5) !== 1) return undefined;
  const all = segments(fd, header);
  const tags = dynamicTags(fd, all);
  const names = namesIn(all, tags);
  const values = (wanted: number) => {
    const places = tags.filter(([tag]) => tag === wanted);
    if (places.length > namesMax) throw new Damaged();
    return places.map(([, at]) =>
      textAt(fd, { offset: names.offset + at, bytes: names.bytes - at }),
    );
  };
  const folders = (wanted: number) =>
    values(wanted).flatMap((text) => text.split(":").filter((folder) => folder !== ""));
  const loader = all.find(({ type }) => type === PT_INTERP);
  const flags = tags.find(([tag]) => tag === DT_FLAGS_1)?.[1] ?? 0;
  return {
    type: types[header.getUint16(16, true)] ?? "other",
    machine: header.getUint16(18, true),
    loads: all.some(({ type, fileBytes }) => type === PT_LOAD && fileBytes > 0),
    interpreter: loader && textAt(fd, { offset: loader.offset, bytes: loader.fileBytes }),
    isPie: (flags & DF_1_PIE) !== 0,
    isDynamic: all.some(({ type }) => type === PT_DYNAMIC),
    needed: values(DT_NEEDED),
    rpath: folders(DT_RPATH),
    runpath: folders(DT_RUNPATH),
  };
}

/**
 * What a file needs to be loaded. It executes nothing and only parses the file's layout.
 *
 * @param path Any file
 * @returns Undefined if it can't be read, is damaged, or isn't a 64-bit ELF file
 * @see {@link https://refspecs.linuxfoundation.org/elf/gabi4+/contents.html}
 */
export function elfOf(path: string): Elf | undefined {
  let fd: number;
  try {
    // Without this flag, opening a FIFO would wait for a writer. Reading one at an offset then
    // fails.
    fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch {
    return undefined;
  }
  try {
    const elf = readElf(fd);
    return elf && { ...elf, id: idOf(fd) };
  } catch {
    return undefined;
  } finally {
    closeSync(fd);
  }
}

const machines: Readonly<Record<string, number>> = { x64: 62, arm64: 183 };

/** Whether this machine can start or load it. Core dumps and object files don't qualify. */
export function isRunnable(elf: Elf): boolean {
  return elf.machine === machines[process.arch] && elf.loads && elf.type !== "other";
}

/** Whether it is a dynamic loader of this machine, which needs no other loader and no library. */
export function isLoader(elf: Elf): boolean {
  return isRunnable(elf) && elf.interpreter === undefined && elf.needed.length === 0;
}

/** Whether a loader would accept it as a library on this machine. */
export function isLibrary(elf: Elf): boolean {
  return isRunnable(elf) && elf.type === "shared" && elf.isDynamic && !elf.isPie;
}
