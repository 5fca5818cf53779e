/**
 * Maps the native library without /proc, which dlopen(3) needs to reach a file in memory. The
 * library has no relocations and needs no other library, so mapping its segments is enough.
 */
import { dlopen, FFIType, toArrayBuffer, type Pointer } from "bun:ffi";
import { libcNames } from "./syscalls.ts";

/** `elf(5)`, the 64-bit layout. */
const PT_LOAD = 1;
const PT_DYNAMIC = 2;
const PF_X = 1;
const DT_STRTAB = 5;
const DT_SYMTAB = 6;
const symbolBytes = 24;

/** `mmap(2)`, the same on x64 and arm64. */
const PROT_READ = 1;
const PROT_WRITE = 2;
const PROT_EXEC = 4;
const MAP_PRIVATE = 0x02;
const MAP_FIXED = 0x10;
const MAP_ANONYMOUS = 0x20;

const { i32, i64, i64_fast, u64 } = FFIType;
const symbols = { mmap: { args: [u64, u64, i32, i32, i32, i64], returns: i64_fast } } as const;

/** The fields of `Elf64_Phdr` that this file uses; positions and sizes in bytes. */
interface Segment {
  readonly type: number;
  readonly flags: number;
  readonly offset: number;
  readonly address: number;
  readonly fileSize: number;
  readonly memorySize: number;
}

/**
 * Maps the library.
 *
 * @param fd The file in memory that holds it
 * @param image Its bytes
 * @returns The addresses of its functions by name, or a text that explains the failure
 */
export function mapLibrary(fd: number, image: Uint8Array): ReadonlyMap<string, number> | string {
  const view = new DataView(image.buffer, image.byteOffset, image.byteLength);
  const segments = segmentsOf(view);
  const loaded = segments.filter(({ type }) => type === PT_LOAD);
  const end = Math.max(...loaded.map(({ address, memorySize }) => address + memorySize));
  const mmap = libcMmap();
  const flags = MAP_PRIVATE | MAP_ANONYMOUS;
  const base = Number(mmap(0, end, PROT_READ | PROT_WRITE, flags, -1, 0));
  if (base === -1) return "mmap failed for its memory";
  for (const { flags, offset, address, fileSize } of loaded) {
    const start = base + address;
    if ((flags & PF_X) === 0) {
      const memory = new Uint8Array(toArrayBuffer(start as Pointer, 0, fileSize));
      memory.set(image.subarray(offset, offset + fileSize));
      continue;
    }
    const code = PROT_READ | PROT_EXEC;
    if (Number(mmap(start, fileSize, code, MAP_PRIVATE | MAP_FIXED, fd, offset)) !== start) {
      return "mmap failed for its code; let this process map executable memory";
    }
  }
  return new Map(
    exportsOf(view, image, segments).map(([name, value]) => [name, base + value] as const),
  );
}

function libcMmap() {
  for (const name of libcNames) {
    try {
      return dlopen(name, symbols).symbols.mmap;
    } catch {}
  }
  throw new Error("this process has a libc by now");
}

function segmentsOf(view: DataView): Segment[] {
  const at = Number(view.getBigUint64(32, true));
  const size = view.getUint16(54, true);
  const word = (position: number) => Number(view.getBigUint64(position, true));
  return Array.from({ length: view.getUint16(56, true) }, (_, i) => at + i * size).map((start) => ({
    type: view.getUint32(start, true),
    flags: view.getUint32(start + 4, true),
    offset: word(start + 8),
    address: word(start + 16),
    fileSize: word(start + 32),
    memorySize: word(start + 40),
  }));
}

/** The functions that the library exports. Its linker places the names right after the symbols. */
function exportsOf(
  view: DataView,
  image: Uint8Array,
  segments: readonly Segment[],
): [name: string, value: number][] {
  const dynamic = segments.find(({ type }) => type === PT_DYNAMIC)!;
  const entries = new Map<number, number>();
  for (let at = dynamic.offset; at < dynamic.offset + dynamic.fileSize; at += 16) {
    entries.set(Number(view.getBigUint64(at, true)), Number(view.getBigUint64(at + 8, true)));
  }
  const [table, names] = [entries.get(DT_SYMTAB)!, entries.get(DT_STRTAB)!];
  const found: [string, number][] = [];
  for (let at = table + symbolBytes; at + symbolBytes <= names; at += symbolBytes) {
    const start = names + view.getUint32(at, true);
    const name = new TextDecoder().decode(image.subarray(start, image.indexOf(0, start)));
    found.push([name, Number(view.getBigUint64(at + 8, true))]);
  }
  return found;
}
