/** Extends a policy that a person wrote. */
import { describe, expect, test } from "bun:test";
import { LandlockError } from "../../src/index.ts";
import type { Content } from "../../src/learn/content.ts";
import { unifiedDiff } from "../../src/learn/diff.ts";
import { extended } from "../../src/learn/merge.ts";
import { policyText } from "../../src/learn/toml.ts";

function content(some: Partial<Record<keyof Content, unknown>>): Content {
  const nothing = { texts: new Map(), ports: new Map(), paths: [], variables: new Map() };
  return { ...nothing, ...some } as Content;
}

const more = content({
  texts: new Map([
    ["ro", ["/srv/a"]],
    ["presets", ["dns"]],
  ]),
  ports: new Map([["connectTcp", [443]]]),
  variables: new Map([["HOME", { env: "HOME" }]]),
  paths: [{ access: ["read_dir"], paths: ["${HOME}"] }],
});

const handWritten = `# Ours, since 2024.
bestEffort   = true # for the old machines

# [not a table]
ro = ["/usr", # all of it
  '/opt/it''s',
  # nothing else
]
presets = [ "bun" ]

# Where things go
[variables]
SCRATCH = ["/tmp", "/var/tmp"]   # both

# The lock
[[paths]]
access = ["write_file"]
paths = ["/var/lock/x"]
`.replace("'/opt/it''s'", '"/opt/it\'s #1]"');

describe("extended", () => {
  test("puts in what is new, and leaves every line that was there", () => {
    const text = extended(handWritten, more, ["A note."], "policy");
    expect(text).toBe(`# Ours, since 2024.
bestEffort   = true # for the old machines

# [not a table]
ro = ["/usr", # all of it
  "/opt/it's #1]",
  # nothing else
  "/srv/a",
]
presets = [ "bun", "dns" ]

# Connect TCP to these ports
connectTcp = [443]

# Where things go
[variables]
SCRATCH = ["/tmp", "/var/tmp"]   # both
HOME = { env = "HOME" }

# The lock
[[paths]]
access = ["write_file"]
paths = ["/var/lock/x"]

[[paths]]
access = ["read_dir"]
paths = ["\${HOME}"]

# A note.
`);
  });

  test("whatever the text: the same data with more in it", () => {
    const texts = [
      "",
      "bestEffort = true",
      "ro = []\npresets = [\n]",
      'ro = ["/a"]',
      'ro = ["/a",]\n[variables]',
      'ro = [\n  "/a"\n]\n\n[variables]\nX = "a"\n\n\n',
      'ro = [\n  "/a" # last\n]\n[[paths]]\naccess = "ro"\npaths = ["x"]\n[variables]\nX = "[y]"\n',
      "[[paths]]\naccess = 'ro'\npaths = [\n'x'\n]\n",
      'ro = ["a,b]", "c"] # ] done\nconnectTcp = [ 80, 8080, ]\n',
      '\n# only a comment\n\n# about the table\n[variables]\nX = "a"',
    ];
    for (const text of texts) {
      const before = Bun.TOML.parse(text) as Record<string, never[]>;
      const after = Bun.TOML.parse(extended(text, more, [], "policy")) as Record<string, unknown>;
      expect(after).toEqual({
        ...before,
        ro: [...(before["ro"] ?? []), "/srv/a"],
        presets: [...(before["presets"] ?? []), "dns"],
        connectTcp: [...(before["connectTcp"] ?? []), 443],
        variables: { ...(before["variables"] as object | undefined), HOME: { env: "HOME" } },
        paths: [...(before["paths"] ?? []), more.paths[0]],
      });
      const lines = extended(text, content({}), [], "policy").split("\n");
      expect(lines).toEqual((text === "" || text.endsWith("\n") ? text : `${text}\n`).split("\n"));
    }
  });

  test("where there is no room, the error has all that is to be added", () => {
    const text = 'paths = [{ access = "ro", paths = ["/a"] }]\n';
    let error: unknown;
    try {
      extended(text, more, [], '"policy.toml"');
    } catch (caught) {
      error = caught;
    }
    expect(error).toBeInstanceOf(LandlockError);
    expect((error as LandlockError).code).toBe("ERR_LANDLOCK_INVALID_POLICY");
    const { message } = error as LandlockError;
    for (const part of ['"policy.toml"', '"/srv/a"', "[443]", "[[paths]]", 'env = "HOME"']) {
      expect(message).toContain(part);
    }
  });
});

test("a new policy is TOML with the same content, whatever the names", () => {
  const odd = ['/a "b" \\ c', "/new\nline", "/é\u007f", "/${HOME}$$"];
  const text = policyText(
    ["A head."],
    content({
      texts: new Map([["ro", odd]]),
      paths: [{ access: "rw", refer: true, paths: odd }],
      variables: new Map([["PROJECT", odd[0]!]]),
    }),
    [],
  );
  expect(Bun.TOML.parse(text)).toEqual({
    bestEffort: true,
    ro: odd,
    paths: [{ access: "rw", refer: true, paths: odd }],
    variables: { PROJECT: odd[0]! },
  });
});

describe("unifiedDiff", () => {
  test("says nothing about equal texts", () => {
    expect(unifiedDiff("a\nb\n", "a\nb\n")).toEqual([]);
    expect(unifiedDiff("", "")).toEqual([]);
  });

  test("is what diff -u prints", () => {
    const before = [..."abcdefghijklmnop"].join("\n");
    const after = before.replace("c\n", "c\nX\n").replace("n\n", "N\n");
    expect(unifiedDiff(`${before}\n`, `${after}\n`)).toEqual([
      "@@ -1,6 +1,7 @@",
      ...[" a", " b", " c", "+X", " d", " e", " f"],
      "@@ -11,6 +12,6 @@",
      ...[" k", " l", " m", "-n", "+N", " o", " p"],
    ]);
    expect(unifiedDiff("", "a\n")).toEqual(["@@ -0,0 +1,1 @@", "+a"]);
    expect(unifiedDiff("a\n", "")).toEqual(["@@ -1,1 +0,0 @@", "-a"]);
  });
});
