/** Names in strings of TOML and JSON: the same names again, and nothing that a terminal obeys. */
import { expect, test } from "bun:test";
import { printable, quoted, tomlString } from "../../../src/errors/errors.ts";
import { fixOf } from "../../../src/explain/spell.ts";
import { randomOf } from "../../random.ts";
import { drawName } from "./draw.ts";
import { nameOf } from "./operations.ts";

const unprintable = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u;
const random = randomOf(1);
const names = Array.from({ length: 3000 }, (_, i) => nameOf(drawName(random, `${i}`)));
const texts = names.filter((name) => name.isWellFormed());

test("a string of TOML and one of JSON are read as the name they are for", () => {
  expect(texts.length).toBeGreaterThan(1000);
  for (const name of texts) {
    expect(Bun.TOML.parse(`a = ${tomlString(name)}`)).toEqual({ a: name });
    expect(JSON.parse(quoted(name))).toBe(name);
  }
  for (const name of names)
    expect(JSON.parse(printable(JSON.stringify({ name })))).toEqual({ name });
});

test("nothing unprintable is left, and a byte that is not UTF-8 is shown as such", () => {
  for (const name of names) {
    expect([printable(name), quoted(name)].join("")).not.toMatch(unprintable);
  }
  expect(printable("a\n\u009b\u202e\u{e0041}\udcff")).toBe(
    "a\\u000a\\u009b\\u202e\\udb40\\udc41\\xff",
  );
});

test("the lines that explain advises for a policy hold names as they are", () => {
  for (const name of texts.slice(0, 300)) {
    const { policy } = fixOf([{ kind: "verb", verb: "roFiles", with: [], paths: [`/a/${name}`] }]);
    expect(policy).not.toMatch(unprintable);
    const { roFiles } = Bun.TOML.parse(policy) as { roFiles: string[] };
    expect(roFiles).toEqual([`/a/${name.replaceAll("$", "$$$$")}`]);
  }
});
