/** Policies in files: the four formats, package.json, and files that are no policies. */
import { beforeAll, describe, expect, test } from "bun:test";
import { chmodSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import {
  connectTcp,
  landlock,
  LandlockError,
  loadPolicy,
  pathAccess,
  roDirs,
  rwDirs,
} from "../../src/index.ts";
import { withRights } from "../../src/policy/handled.ts";
import { tempDir } from "../harness.ts";

const samples = join(import.meta.dir, "samples");
const folder = tempDir();
const write = (name: string, text: string | Uint8Array) => Bun.write(join(folder, name), text);

function complaint(path: string): Record<string, unknown> {
  try {
    loadPolicy(join(folder, path));
  } catch (error) {
    if (!(error instanceof LandlockError)) throw error;
    const { code, message, errnoName, path } = error;
    expect(message).not.toContain("\n");
    const details = { ...(errnoName ? { errnoName } : {}), ...(path ? { path } : {}) };
    return { code, message: message.replaceAll(folder, ""), ...details };
  }
  return { code: "none" };
}

describe("formats", () => {
  const rules = [
    roDirs("/usr", "/bin", join(samples, "src")),
    rwDirs(join(samples, "build")).withRefer().ignoreIfMissing(),
    pathAccess(["read_file", "write_file", "truncate"], "/dev/null"),
    connectTcp(443),
  ];
  const config = withRights(landlock.V11.bestEffort({ atLeast: 1 }), {
    ...landlock.V11,
    scoped: [],
  });
  for (const name of ["own.json", "own.jsonc", "own.toml", "own.yaml"]) {
    test(name, () => {
      const policy = loadPolicy(join(samples, name));
      expect(policy.rules).toEqual(rules);
      expect(policy.config).toEqual(config);
    });
  }

  test("a policy is found by a relative path and by a URL, and .yml is YAML", async () => {
    await write("policy.yml", "ro: [.]");
    const path = join(folder, "policy.yml");
    const expected = [roDirs(folder)];
    expect(loadPolicy(pathToFileURL(path)).rules).toEqual(expected);
    const up = process
      .cwd()
      .split("/")
      .slice(1)
      .map(() => "..");
    const { rules } = loadPolicy(`${up.join("/")}${path}`);
    expect(rules).toEqual([roDirs(`${process.cwd()}/${up.join("/")}${folder}`)]);
  });

  test("a byte order mark is no part of the text", async () => {
    await write("mark.json", "\uFEFF{}");
    expect(loadPolicy(join(folder, "mark.json")).rules).toEqual([]);
  });

  test("a long file is read whole", async () => {
    const ro = [...Array(2000).keys()].map((i) => `/some/folder/${i}`);
    await write("long.json", JSON.stringify({ ro }));
    expect(loadPolicy(join(folder, "long.json")).rules).toEqual([roDirs(...ro)]);
  });
});

describe("package.json", () => {
  test("the key landlock is the policy, and comments may stand beside it", async () => {
    await write("package.json", '{ "name": "x", // a comment\n "landlock": { "ro": ["src"] } }');
    const { rules } = loadPolicy(join(folder, "package.json"));
    expect(rules).toEqual([roDirs(join(folder, "src"))]);
  });

  test("complaints name the key", async () => {
    await write("package.json", '{ "landlock": { "ro": [1] } }');
    expect(complaint("package.json")).toEqual({
      code: "ERR_LANDLOCK_INVALID_POLICY",
      message:
        '"/package.json"#landlock: ro[0]: 1 is not a path: give a non-empty string without NUL',
    });
    await write("package.json", '{ "name": "x" }');
    expect(complaint("package.json")).toEqual({
      code: "ERR_LANDLOCK_INVALID_POLICY",
      message: '"/package.json" has no policy: add the key "landlock", or name another file',
      path: join(folder, "package.json"),
    });
    await write("package.json", "[]");
    expect(complaint("package.json")).toMatchObject({ code: "ERR_LANDLOCK_INVALID_POLICY" });
  });
});

describe("complaints", () => {
  beforeAll(async () => {
    await write("policy", "{}");
    await write("a.txt", "{}");
    await write("latin.json", new Uint8Array([0x22, 0xe9, 0x22]));
    mkdirSync(join(folder, "folder.json"));
  });

  const broken: [name: string, text: string, why: string][] = [
    ["a.json", '{ "ro": ["/a",] }', "JSON Parse error: Unexpected comma at the end of array"],
    ["b.json", "", "JSON Parse error: Unexpected EOF"],
    ["a.jsonc", '{ "ro": }', "JSONC Parse error: Unexpected }"],
    ["a.toml", "ro = [1", "TOML Parse error:"],
    ["b.toml", "abi = 1\nabi = 2", "TOML Parse error: Cannot redefine key 'abi'"],
    ["a.yaml", "ro: [1\nrw: 2", "YAML Parse error: Unexpected token"],
  ];
  for (const [name, text, why] of broken) {
    test(`${name}: ${JSON.stringify(text)}`, async () => {
      await write(name, text);
      const { code, message } = complaint(name);
      expect(code).toBe("ERR_LANDLOCK_INVALID_POLICY");
      expect(message).toStartWith(`Cannot parse "/${name}": ${why}`);
      expect(message).toEndWith("; correct the file");
    });
  }

  const twice: [name: string, text: string, place: string][] = [
    ["a.json", '{ "ro": ["/a"], "rw": [], "ro": [] }', "ro"],
    ["a.json", '{ "ro": [], "r\\u006f": [] }', "ro"],
    ["a.jsonc", '{ "paths": [{}, { "access": "ro", /* " */ "access": "rw" }] }', "paths[1].access"],
    ["package.json", '{ "landlock": { "ro": ["a\\"b:{"], "ro": [] } }', "landlock.ro"],
    ...["\n", "\r", "\r\n", "\u2028", "\u2029"].map((end): [string, string, string] => [
      "a.jsonc",
      `{ "ro": [], // one${end} "ro": ["/a"] }`,
      "ro",
    ]),
    ["package.json", '{ "a": 1, "a": 2, "landlock": {}, "landlock": {} }', "landlock"],
  ];
  for (const [name, text, place] of twice) {
    test(`a key that stands twice: ${JSON.stringify(text)}`, async () => {
      await write(name, text);
      expect(complaint(name)["message"]).toBe(
        `Cannot parse "/${name}": the key ${place} appears twice; remove one of the two`,
      );
    });
  }

  test("JSONC that goes on after its last bracket", async () => {
    for (const text of ['{ "ro": [] } { "rw": ["/"] }', '{} , "rw"', "{ /* } */ } // a\r[]"]) {
      await write("a.jsonc", text);
      expect(complaint("a.jsonc")["message"]).toBe(
        `Cannot parse "/a.jsonc": text follows the policy's last bracket; remove it`,
      );
    }
    await write("a.jsonc", '{ "ro": [] } // "rw": {}\n/* { */\n');
    expect(complaint("a.jsonc")).toEqual({ code: "none" });
  });

  test("a key may stand in several objects, and twice elsewhere in a package.json", async () => {
    await write(
      "a.json",
      '{ "paths": [{ "access": "ro", "paths": [] }, { "access": "ro", "paths": [] }] }',
    );
    expect(complaint("a.json")).toEqual({ code: "none" });
    await write("package.json", '{ "a": 1, "a": 2, "landlock": {} }');
    expect(complaint("package.json")).toEqual({ code: "none" });
  });

  test("a file that says something else than a policy", async () => {
    await write("empty.yaml", "");
    expect(complaint("empty.yaml")["message"]).toStartWith('"/empty.yaml": null is not an object');
    await write("two.yaml", "ro: []\n---\nro: []");
    expect(complaint("two.yaml")["message"]).toStartWith('"/two.yaml": [ { ro: [], }');
  });

  test("a file that is no policy file by its name", () => {
    const fix = "call it something.json, .jsonc, .toml or .yaml";
    for (const name of ["policy", "a.txt", "constructor", "x.toString"]) {
      expect(complaint(name)).toEqual({
        code: "ERR_LANDLOCK_INVALID_POLICY",
        message: `"/${name}" is not a policy file: ${fix}`,
        path: join(folder, name),
      });
    }
  });

  test("a file that is not UTF-8", () => {
    expect(complaint("latin.json")).toEqual({
      code: "ERR_LANDLOCK_INVALID_POLICY",
      message: 'Cannot parse "/latin.json": it is not UTF-8; save it as UTF-8',
      path: join(folder, "latin.json"),
    });
  });

  test("files that cannot be read", async () => {
    expect(complaint("missing.json")).toEqual({
      code: "ERR_LANDLOCK_PATH",
      message:
        'Cannot read the policy "/missing.json": open failed with ENOENT; name a file that can be read',
      errnoName: "ENOENT",
      path: join(folder, "missing.json"),
    });
    expect(complaint("folder.json")).toEqual({
      code: "ERR_LANDLOCK_PATH",
      message:
        'Cannot read the policy "/folder.json": it is not a regular file; name a file that can be read',
      path: join(folder, "folder.json"),
    });
    await write("secret.json", "{}");
    chmodSync(join(folder, "secret.json"), 0);
    // Root can read everything.
    if (process.getuid?.() === 0) return;
    expect(complaint("secret.json")).toMatchObject({ errnoName: "EACCES" });
  });

  test("what is no path", () => {
    const loose = loadPolicy as (path: unknown) => unknown;
    const fix = "give a non-empty string without NUL, or a file: URL";
    expect(() => loose("")).toThrow(`loadPolicy(): "" is not a path: ${fix}`);
    expect(() => loose(undefined)).toThrow(`loadPolicy(): undefined is not a path: ${fix}`);
  });
});
