/** Draws unusual file names, as bytes. */
import type { Random } from "../../random.ts";

const text = (value: string) => Buffer.from(value);

/** Characters with a meaning somewhere between a file name and a policy. */
const pieces: readonly Buffer[] = [
  ...["a", "Z", "9", ".", "-", "_", " ", "+", "%s", "é", "日本", "\u{1f600}"].map(text),
  // TOML, shells, patterns, variables.
  ...['"', "'", "\\", "]]", "[[", "#", "=", ",", "{", "}", "${", "${HOME}", "$$", "$x", "~"].map(
    text,
  ),
  ...[
    ...["*", "?", "[a]", "{a,b}", "!", "&", ";", "|", "`", "$(x)", "<", ">", "(", ")"],
    '"""',
    "'''",
  ].map(text),
  ...["\\n", "\\u0000", "\\x41", "\\377", "%00"].map(text),
  // Line breaks, and words that end a line.
  ...[
    ...["\n", "\r", "\t", "\r\n", "\v", "\f", "\u0085", "\u2028", "\u2029", "\x1b[31m", "\x07"],
    ...["\x7f"],
  ].map(text),
  // C1 controls, text direction, and invisible characters.
  ...[
    ...["\u009b31m", "\u0090", "\u202e", "\u2066", "\u061c", "\u200f", "\u200b", "\ufeff"],
    ...["\u{e0041}"],
  ].map(text),
  // Words that strace itself prints.
  ...["->", " (deleted)", "<char 1:3>", "...", "/*", "<unfinished ...>", " = 0", "pipe:[1]"]
    .map((one) => one.replaceAll("/", "|"))
    .map(text),
  // Not UTF-8: a lone byte, half a character, a surrogate, an overlong form.
  ...[
    [0xff],
    [0xc3],
    [0x80],
    [0xe2, 0x80],
    [0xed, 0xa0, 0x80],
    [0xc0, 0xaf],
    [0xf4, 0x90, 0x80, 0x80],
  ].map((bytes) => Buffer.from(bytes)),
  text('\n[[paths]]\naccess = "rw"\npaths = ["|"]\n#'.replaceAll("|", "\u2215")),
  text('"]\nrw = ["x'),
];

const starts = ["-", "--", "-rw", "+refer", "~", "#", " ", "executable=", "$HOME", "."].map(text);
const ends = ["-", " (deleted)", "->", ">", "<>", " ", "\\", "\n", "$", '"', ".toml"].map(text);

/** `NAME_MAX` of the kernel. */
const longest = 255;

/**
 * Draws a unique name.
 *
 * @param mark Makes it different from all others
 */
export function drawName(random: Random, mark: string): Buffer {
  const parts: Buffer[] = random.chance(0.2) ? [random.one(starts)] : [];
  for (let left = random.below(5); left >= 0; left--) {
    parts.push(random.chance(0.7) ? random.one(pieces) : Buffer.of(1 + random.below(255)));
  }
  parts.splice(random.below(parts.length + 1), 0, text(mark));
  if (random.chance(0.2)) parts.push(random.one(ends));
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  if (random.chance(0.02)) parts.splice(1, 0, Buffer.alloc(longest - length, "x"));
  // A name cannot contain these two.
  return Buffer.from(
    Buffer.concat(parts).map((byte) => (byte === 0 || byte === 0x2f ? 0x5f : byte)),
  );
}
