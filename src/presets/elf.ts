/** Reads what an ELF file says of itself: which loader and which libraries it needs. */
import { closeSync, openSync, readSync } from "node:fs";

/** What loading an ELF file takes, all of it as the file spells it. */
export interface Elf {
  /** `e_machine`: 62 is x86-64, 183 is AArch64. */
  readonly machine: number;
  /** The loader, `PT_INTERP`; programs linked statically and most libraries have none. */
  readonly interpreter: string | undefined;
  /** Libraries, `DT_NEEDED`. */
  readonly needed: readonly string[];
  /** Where to look for them, `DT_RPATH`. */
  readonly rpath: readonly string[];
  /** Where to look for them, `DT_RUNPATH`. */
  readonly runpath: readonly string[];
}

const PT_LOAD = 1;
const PT_DYNAMIC = 2;
const PT_INTERP = 3;
const DT_NULL = 0;
const DT_NEEDED = 1;
const DT_STRTAB = 5;
const DT_STRSZ = 10;
const DT_RPATH = 15;
const DT_RUNPATH = 29;
/** `sizeof(Elf64_Dyn)`. */
const dynBytes = 16;
/** More than any part read here has; what claims more is damaged. */
const partBytesMax = 1 << 24;

interface Segment {
  readonly type: number;
  readonly offset: number;
  readonly address: number;
  readonly fileBytes: number;
}

/** The bytes of a file from an offset on, as many as there are. */
function readAt(fd: number, offset: number, count: number): DataView {
  const bytes = new Uint8Array(Math.min(count, partBytesMax));
  return new DataView(bytes.buffer, 0, readSync(fd, bytes, 0, bytes.length, offset));
}

/** The text from an offset to the next NUL. */
function textAt(view: DataView, offset: number): string {
  const rest = new Uint8Array(view.buffer, view.byteOffset, view.byteLength).subarray(offset);
  const end = rest.indexOf(0);
  return new TextDecoder().decode(end < 0 ? rest : rest.subarray(0, end));
}

/** Offsets in `Elf64_Ehdr` and `Elf64_Phdr`, which are the same on every 64-bit machine. */
function segments(fd: number, header: DataView): Segment[] {
  const start = Number(header.getBigUint64(32, true));
  const size = header.getUint16(54, true);
  const count = header.getUint16(56, true);
  const table = readAt(fd, start, size * count);
  return Array.from({ length: count }, (_, i) => ({
    type: table.getUint32(i * size, true),
    offset: Number(table.getBigUint64(i * size + 8, true)),
    address: Number(table.getBigUint64(i * size + 16, true)),
    fileBytes: Number(table.getBigUint64(i * size + 32, true)),
  }));
}

/** The tags of the dynamic section and their values, in their order. */
function dynamicTags(fd: number, all: readonly Segment[]): [number, number][] {
  const segment = all.find(({ type }) => type === PT_DYNAMIC);
  if (!segment) return [];
  const view = readAt(fd, segment.offset, segment.fileBytes);
  const tags: [number, number][] = [];
  for (let at = 0; at + dynBytes <= view.byteLength; at += dynBytes) {
    const tag = Number(view.getBigInt64(at, true));
    if (tag === DT_NULL) break;
    tags.push([tag, Number(view.getBigUint64(at + 8, true))]);
  }
  return tags;
}

/** The table of names; the file gives its address in memory, a segment says where that lies. */
function names(fd: number, all: readonly Segment[], tags: readonly [number, number][]): DataView {
  const value = (wanted: number) => tags.find(([tag]) => tag === wanted)?.[1] ?? 0;
  const address = value(DT_STRTAB);
  const home = all.find(
    (one) =>
      one.type === PT_LOAD && one.address <= address && address < one.address + one.fileBytes,
  );
  return home
    ? readAt(fd, home.offset + address - home.address, value(DT_STRSZ))
    : new DataView(new ArrayBuffer(0));
}

function readElf(fd: number): Elf | undefined {
  const header = readAt(fd, 0, 64);
  // The magic number, 64 bits, the lower byte first: what Bun runs on.
  if (header.byteLength < 64 || header.getUint32(0) !== 0x7f454c46) return undefined;
  if (header.getUint8(4) !== 2 || header.getUint8(5) !== 1) return undefined;
  const all = segments(fd, header);
  const tags = dynamicTags(fd, all);
  const table = names(fd, all, tags);
  const values = (wanted: number) =>
    tags.flatMap(([tag, value]) => (tag === wanted ? [textAt(table, value)] : []));
  const folders = (wanted: number) =>
    values(wanted).flatMap((text) => text.split(":").filter((folder) => folder !== ""));
  const loader = all.find(({ type }) => type === PT_INTERP);
  return {
    machine: header.getUint16(18, true),
    interpreter: loader && textAt(readAt(fd, loader.offset, loader.fileBytes), 0),
    needed: values(DT_NEEDED),
    rpath: folders(DT_RPATH),
    runpath: folders(DT_RUNPATH),
  };
}

/**
 * What a file needs to be loaded. Executes nothing, and believes nothing but the file's layout.
 *
 * @param path Any file
 * @returns Nothing where it cannot be read, is damaged, or is no 64-bit ELF file
 * @see {@link https://refspecs.linuxfoundation.org/elf/gabi4+/contents.html}
 */
export function elfOf(path: string): Elf | undefined {
  let fd: number;
  try {
    fd = openSync(path, "r");
  } catch {
    return undefined;
  }
  try {
    return readElf(fd);
  } catch {
    return undefined;
  } finally {
    closeSync(fd);
  }
}
