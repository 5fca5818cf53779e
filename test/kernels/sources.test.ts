/** apt's sources, in both formats. */
import { expect, test } from "bun:test";
import { parseList, parseStanzas, sourceList } from "./sources.ts";

const list = `# comment
deb http://mirror.example/debian bookworm main contrib
deb-src http://mirror.example/debian bookworm main
deb [signed-by=/usr/share/keyrings/key.gpg] http://mirror.example/security bookworm-security main
`;
const stanzas = `Types: deb
# A comment in between.
URIs: http://mirror.example/debian
Suites: bookworm bookworm-updates
Components: main
Signed-By: /usr/share/keyrings/key.gpg

Types: deb-src
URIs: http://mirror.example/sources
Suites: bookworm
Components: main

Types: deb
URIs: http://mirror.example/security
Suites: bookworm-security
Components: main
Signed-By:
 -----BEGIN PGP PUBLIC KEY BLOCK-----
 .

Enabled: no
Types: deb
URIs: http://mirror.example/off
Suites: bookworm
Components: main
`;

test("parseList() reads the one-line format", () => {
  expect(parseList(list)).toEqual([
    { uri: "http://mirror.example/debian", suites: ["bookworm"], options: "" },
    {
      uri: "http://mirror.example/security",
      suites: ["bookworm-security"],
      options: "[signed-by=/usr/share/keyrings/key.gpg]",
    },
  ]);
});

test("parseStanzas() reads what is enabled, and only files of keys", () => {
  expect(parseStanzas(stanzas)).toEqual([
    {
      uri: "http://mirror.example/debian",
      suites: ["bookworm", "bookworm-updates"],
      options: "[signed-by=/usr/share/keyrings/key.gpg]",
    },
    { uri: "http://mirror.example/security", suites: ["bookworm-security"], options: "" },
  ]);
});

test("sourceList() takes other suites from the mirrors that are known", () => {
  expect(sourceList(["trixie", "bullseye-security"], parseList(list))).toBe(
    `deb  http://mirror.example/debian trixie main
deb [signed-by=/usr/share/keyrings/key.gpg] http://mirror.example/security bullseye-security main
`,
  );
});

test("sourceList() leaves the security suite out where no mirror of it is known", () => {
  const known = parseList(list).slice(0, 1);
  expect(sourceList(["trixie", "bookworm-security"], known)).toBe(
    "deb  http://mirror.example/debian trixie main\n",
  );
});

test("sourceList() without a mirror of Debian is an error", () => {
  const other = { uri: "http://mirror.example/other", suites: ["nodistro"], options: "" };
  expect(() => sourceList(["trixie"], [other])).toThrow("no mirror of Debian");
});
