/** An initramfs archive: "newc", as in the kernel's initramfs-buffer-format.rst. */
import {
  closeSync,
  lstatSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";

const S_IFDIR = 0o040000;
const S_IFREG = 0o100000;
const S_IFLNK = 0o120000;

/** Writes an archive entry by entry; root owns everything. */
export class CpioWriter {
  readonly #fd: number;
  readonly #known = new Set<string>();
  #inode = 0;

  constructor(path: string) {
    this.#fd = openSync(path, "w");
  }

  /** Adds a folder and its parents once. */
  folder(path: string, mode = 0o755): void {
    if (path === "" || path === "." || this.#known.has(path)) return;
    this.#known.add(path);
    this.folder(path.split("/").slice(0, -1).join("/"));
    this.#entry(path, S_IFDIR | mode, new Uint8Array());
  }

  /** Adds a file; `path` has no leading slash. */
  file(path: string, content: Uint8Array | string, mode = 0o644): void {
    this.folder(path.split("/").slice(0, -1).join("/"));
    this.#entry(path, S_IFREG | mode, Buffer.from(content));
  }

  /** Adds a symbolic link. */
  link(path: string, target: string): void {
    this.#known.add(path);
    this.#entry(path, S_IFLNK | 0o777, Buffer.from(target));
  }

  /** Adds a file, a link or a whole folder of this machine. */
  copy(source: string, path: string, skip: RegExp = /^$/): void {
    const stat = lstatSync(source);
    if (skip.test(path)) return;
    if (stat.isSymbolicLink()) {
      this.link(path, readlinkSync(source));
    } else if (stat.isDirectory()) {
      this.folder(path, stat.mode & 0o7777);
      for (const name of readdirSync(source).sort()) {
        this.copy(join(source, name), path === "" ? name : `${path}/${name}`, skip);
      }
    } else if (stat.isFile()) {
      this.file(path, readFileSync(source), stat.mode & 0o7777);
    }
  }

  /** Writes the remaining data and the final entry. */
  close(): void {
    this.#entry("TRAILER!!!", 0, new Uint8Array());
    closeSync(this.#fd);
  }

  #entry(path: string, mode: number, content: Uint8Array): void {
    const name = Buffer.from(`${path}\0`);
    const folder = (mode & S_IFDIR) !== 0 && (mode & S_IFREG) !== S_IFREG;
    const fields = [
      ...[++this.#inode, mode, 0, 0, folder ? 2 : 1, 0, content.length],
      ...[0, 0, 0, 0, name.length, 0],
    ];
    const header = fields.map((field) => field.toString(16).padStart(8, "0")).join("");
    this.#padded(Buffer.concat([Buffer.from(`070701${header}`), name]));
    this.#padded(content);
  }

  /** Every part starts at a multiple of four bytes. */
  #padded(bytes: Uint8Array): void {
    const padding = new Uint8Array(-bytes.length & 3);
    for (const part of [bytes, padding]) {
      for (let done = 0; done < part.length;) done += writeSync(this.#fd, part, done);
    }
  }
}
