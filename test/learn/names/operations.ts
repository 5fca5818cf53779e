/**
 * Operations on files with odd names, as script lines. The rules that each needs follow from the
 * operation itself, not from how it was observed.
 */
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import type { Random } from "../../random.ts";
import { drawName } from "./draw.ts";

/** Names in the project's own form: bytes that are not UTF-8 are U+DC80 to U+DCFF. */
export function nameOf(bytes: Buffer): string {
  let name = "";
  for (let at = 0; at < bytes.length;) {
    const length = [1, 2, 3, 4].find((count) => isCharacter(bytes.subarray(at, at + count)));
    name += length
      ? bytes.toString("utf8", at, at + length)
      : String.fromCharCode(0xdc00 + bytes[at]!);
    at += length ?? 1;
  }
  return name;
}

function isCharacter(bytes: Buffer): boolean {
  const character = bytes.toString("utf8");
  return [...character].length === 1 && Buffer.from(character).equals(bytes);
}

/** The part of a policy about one path. */
export interface Wanted {
  readonly path: string;
  readonly rights: readonly string[];
  readonly ifMissing?: "create" | "skip";
}

/** An operation: its script lines and the rules that it needs. */
export interface Step {
  readonly kind: string;
  readonly script: Buffer;
  readonly wanted: readonly Wanted[];
  /** What `explain` calls its files, if it differs from the rule's path. */
  readonly named?: readonly string[];
  /** The folders that contain its files. */
  readonly folders: readonly string[];
  /** How many names were drawn for it. */
  readonly names: number;
}

const roFile = ["execute", "read_file"];
const rwFile = ["execute", "write_file", "read_file", "truncate"];
const rw = [
  ...["execute", "write_file", "read_file", "read_dir", "remove_dir", "remove_file", "make_char"],
  ...["make_dir", "make_reg", "make_sock", "make_fifo", "make_block", "make_sym", "truncate"],
];

/** A folder of the project that only one operation uses. */
class Place {
  readonly #random: Random;
  readonly #project: Buffer;
  readonly #mark: string;
  readonly folder: Buffer;
  names = 0;

  constructor(random: Random, project: Buffer, mark: string) {
    this.#random = random;
    this.#project = project;
    this.#mark = mark;
    this.folder = this.#draw();
    mkdirSync(this.path());
  }

  #draw(): Buffer {
    return drawName(this.#random, `${this.#mark}${(this.names++).toString(36)}`);
  }

  name(): Buffer {
    return this.#draw();
  }

  /** The absolute path of the folder, or of something in it. */
  path(...names: Buffer[]): Buffer {
    return joined([this.#project, this.folder, ...names]);
  }

  wants(rights: readonly string[], ...names: Buffer[]): Wanted {
    return { path: nameOf(this.path(...names)), rights };
  }

  /** A path as in the script: absolute, or relative to the project. */
  word(...names: Buffer[]): Buffer {
    const path = this.#random.chance(0.5)
      ? this.path(...names)
      : joined([Buffer.from("."), this.folder, ...names]);
    return quoted(path);
  }
}

function joined(parts: readonly Buffer[]): Buffer {
  return Buffer.concat(parts.flatMap((part, i) => (i === 0 ? [part] : [Buffer.from("/"), part])));
}

/** Quotes any bytes for a shell. */
function quoted(word: Buffer): Buffer {
  const pieces: Buffer[] = [Buffer.from("'")];
  for (const byte of word) pieces.push(byte === 0x27 ? Buffer.from("'\\''") : Buffer.of(byte));
  return Buffer.concat([...pieces, Buffer.from("'")]);
}

/** Joins text and words alternately. */
function line(strings: TemplateStringsArray, ...words: Buffer[]): Buffer {
  const parts = strings.flatMap((text, i) => [Buffer.from(text), words[i] ?? Buffer.alloc(0)]);
  return Buffer.concat([...parts, Buffer.from("\n")]);
}

type Make = (place: Place, other: () => Place) => Omit<Step, "kind" | "folders" | "names">;

function file(place: Place, ...names: Buffer[]): Buffer {
  const [name = place.name()] = names;
  writeFileSync(place.path(name), "text");
  return name;
}

const kinds: Readonly<Record<string, Make>> = {
  read(place) {
    const name = file(place);
    return { script: line`true < ${place.word(name)}`, wanted: [place.wants(roFile, name)] };
  },
  "read in the folder"(place) {
    const name = file(place);
    const script = line`( cd ${place.word()} && true < ./${quoted(name)} )`;
    return { script, wanted: [place.wants(roFile, name)] };
  },
  write(place) {
    const name = file(place);
    return { script: line`true > ${place.word(name)}`, wanted: [place.wants(rwFile, name)] };
  },
  append(place) {
    const name = file(place);
    return { script: line`true >> ${place.word(name)}`, wanted: [place.wants(rwFile, name)] };
  },
  truncate(place) {
    const name = file(place);
    const script = line`truncate -s 0 -- ${place.word(name)}`;
    return { script, wanted: [place.wants(rwFile, name)] };
  },
  list(place) {
    // The loop makes the shell read the folder.
    const script = line`for one in ${place.word()}/*; do :; done`;
    return { script, wanted: [place.wants(["read_dir"])] };
  },
  create(place) {
    const script = line`true > ${place.word(place.name())}`;
    return { script, wanted: [place.wants(["write_file", "make_reg", "truncate"])] };
  },
  mkdir(place) {
    const [name, inside] = [place.name(), place.name()];
    const script = line`mkdir -p -- ${place.word(name)}; true > ${place.word(name, inside)}`;
    return { script, wanted: [{ ...place.wants(rw, name), ifMissing: "create" }] };
  },
  remove(place) {
    const script = line`rm -f -- ${place.word(file(place))}`;
    return { script, wanted: [place.wants(["remove_file"])] };
  },
  rmdir(place) {
    const name = place.name();
    mkdirSync(place.path(name));
    return { script: line`rmdir -- ${place.word(name)}`, wanted: [place.wants(["remove_dir"])] };
  },
  symlink(place) {
    const script = line`ln -s -- ${quoted(place.name())} ${place.word(place.name())}`;
    return { script, wanted: [place.wants(["make_sym"])] };
  },
  rename(place) {
    const script = line`mv -T -- ${place.word(file(place))} ${place.word(place.name())}`;
    return { script, wanted: [place.wants(["remove_file", "make_reg"])] };
  },
  move(place, other) {
    const to = other();
    const script = line`mv -T -- ${place.word(file(place))} ${to.word(to.name())}`;
    const wanted = [
      place.wants(["remove_file", "refer"]),
      to.wants(["remove_file", "make_reg", "refer"]),
    ];
    return { script, wanted };
  },
  link(place, other) {
    const to = other();
    const script = line`ln -T -- ${place.word(file(place))} ${to.word(to.name())}`;
    return { script, wanted: [place.wants(["refer"]), to.wants(["make_reg", "refer"])] };
  },
  "read by a link"(place) {
    const [name, link] = [file(place), place.name()];
    symlinkSync(name, place.path(link));
    const wanted = [place.wants(roFile, name)];
    const named = [nameOf(place.path(link))];
    return { script: line`true < ${place.word(link)}`, wanted, named };
  },
  execute(place) {
    const name = place.name();
    writeFileSync(place.path(name), "#!/bin/sh\n:\n");
    chmodSync(place.path(name), 0o755);
    // The preset for programs writes its rules with `ifMissing`.
    const wanted = [{ ...place.wants(roFile, name), ifMissing: "skip" as const }];
    return { script: line`${place.word(name)}`, wanted };
  },
};

/** Every kind of operation. */
export const kindNames = Object.keys(kinds);

/**
 * Draws an operation and creates the files that it expects.
 *
 * @param project The script's working folder, absolute
 * @param mark Makes its names different from all others
 */
export function drawStep(random: Random, project: Buffer, mark: string, kind: string): Step {
  const places: Place[] = [];
  const place = () => {
    const made = new Place(random, project, `${mark}${"xyz"[places.length]}`);
    places.push(made);
    return made;
  };
  const step = kinds[kind]!(place(), place);
  const folders = places.map((one) => nameOf(one.path()));
  return { ...step, kind, folders, names: places.reduce((sum, { names }) => sum + names, 0) };
}
