/** Words as a shell takes them. */
import { printable } from "../../errors/errors.ts";
import { bytesOf } from "../../kernel/names.ts";

const plain = /^[\w@%+=:,./-]+$/;

/** The words as one line to paste: quoted where a shell would read something else. */
export function pasteable(words: readonly string[]): string {
  return words.map(quoted).join(" ");
}

function quoted(word: string): string {
  if (plain.test(word)) return word;
  // What a terminal must not get, and a shell would not show, goes as its bytes.
  if (printable(word) !== word) {
    const bytes = bytesOf(word);
    const text = [...bytes].map((byte) =>
      byte < 0x20 || byte > 0x7e || byte === 0x27 || byte === 0x5c
        ? `\\x${byte.toString(16).padStart(2, "0")}`
        : String.fromCharCode(byte),
    );
    return `$'${text.join("")}'`;
  }
  return `'${word.replaceAll("'", `'\\''`)}'`;
}
