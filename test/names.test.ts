/** Names of files that are not UTF-8. */
import { expect, test } from "bun:test";
import { mkdirSync, symlinkSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { printable } from "../src/errors/errors.ts";
import { machineFiles } from "../src/model/files.ts";
import {
  bytesOf,
  fileName,
  lastName,
  linkTarget,
  nameOf,
  parentOf,
  realPath,
} from "../src/kernel/names.ts";
import { pasteable } from "../src/terminal/text.ts";
import { tempDir } from "./harness.ts";
import { randomOf } from "./random.ts";

const bytes = (text: string) => Buffer.from(text, "latin1");

test("every sequence of bytes has a name of its own, which stands for it again", () => {
  const random = randomOf(7);
  const alphabet = [0x2f, 0x61, 0x80, 0xbf, 0xc3, 0xa9, 0xed, 0xb3, 0xbf, 0xef, 0xbf, 0xbd, 0xf4];
  for (let round = 0; round < 20_000; round++) {
    const name = Buffer.from(
      Array.from({ length: random.below(9) }, () =>
        random.chance(0.3) ? random.below(256) : random.one(alphabet),
      ),
    );
    expect(bytesOf(nameOf(name))).toEqual(name);
  }
  expect(nameOf(bytes("\xed\xb3\xbf"))).not.toBe(nameOf(bytes("\xff")));
});

test("text is itself, and nothing else is well-formed", () => {
  for (const text of ["é", "\ufeffa", "\u{1f600}", "\ufffd"]) {
    expect(nameOf(Buffer.from(text))).toBe(text);
    expect(nameOf(Buffer.from(text)).isWellFormed()).toBe(true);
  }
  expect(nameOf(bytes("a\xff")).isWellFormed()).toBe(false);
});

test("parents and last names are those of node:path where that can tell", () => {
  for (const path of ["/", "/a", "/a/", "/a/b", "a", "a/b", "/a/b//", "../é"]) {
    expect([parentOf(path), lastName(path)]).toEqual([dirname(path), basename(path)]);
  }
  const name = nameOf(bytes("/a/\xff/\xfe"));
  expect([parentOf(name), lastName(name)]).toEqual(
    [bytes("/a/\xff"), bytes("\xfe")].map((one) => nameOf(one)),
  );
});

test("files are looked up by their bytes", () => {
  const base = realPath(tempDir());
  const odd = `${base}/${nameOf(bytes("\xff"))}`;
  const link = `${base}/${nameOf(bytes("\xfe"))}`;
  mkdirSync(fileName(odd));
  // What the name becomes if something decodes it as text.
  mkdirSync(join(base, "\ufffd"));
  symlinkSync(fileName(odd), fileName(link));
  expect([linkTarget(link), realPath(link)]).toEqual([odd, odd]);
  const place = machineFiles.find(link, true);
  expect(place.path).toBe(odd);
  expect(place.file?.id).not.toBe(machineFiles.find(`${base}/\ufffd`, true).file!.id);
});

test("the current directory keeps its bytes", () => {
  const base = realPath(tempDir());
  const odd = `${base}/${nameOf(bytes("\xff"))}`;
  mkdirSync(fileName(odd));
  const program = `
    import { currentDirectory } from ${JSON.stringify(join(import.meta.dir, "../src/kernel/names.ts"))};
    console.log(JSON.stringify(currentDirectory()));`;
  const done = Bun.spawnSync([
    ...["sh", "-c", `cd "$1"/* && exec "$2" -e "$3"`, "sh"],
    ...[base, process.execPath, program],
  ]);
  expect(JSON.parse(done.stdout.toString())).toBe(odd);
});

test("they are shown by their bytes, and pasted as them", () => {
  const name = nameOf(bytes("a\xff'\n"));
  expect(printable(name)).toBe("a\\xff'\\u000a");
  expect(pasteable([name])).toBe("$'a\\xff\\x27\\x0a'");
});
