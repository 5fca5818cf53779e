/** No name can write rules into a policy or control a terminal, wherever it comes from. */
import { describe, expect, test } from "bun:test";
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { printable, quoted, tomlString } from "../../src/errors/errors.ts";
import { fixOf } from "../../src/explain/spell.ts";
import { loadPolicy, roDirs } from "../../src/index.ts";
import type { Content } from "../../src/learn/content.ts";
import { policyText } from "../../src/learn/toml.ts";
import { requireMeaning } from "../../src/learn/verify.ts";
import { kernelAbi, tempDir, testUnless } from "../harness.ts";
import { needsStrace } from "../observe/strace.ts";
import { randomOf } from "../random.ts";
import { drawName } from "./names/draw.ts";
import { nameOf } from "./names/operations.ts";
import { Scene } from "./scene.ts";

const missing = needsStrace || (kernelAbi < 1 ? "needs Landlock" : "");
/** Terminal controls and invisible characters, without line feeds and colours. */
const unprintable = /(?!\n)[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u;
/** Would grant everything if a comment let it through. */
const rules = '\n[[paths]]\naccess = "rw"\npaths = ["\u2215"]\n#'.replace("\u2215", "/");
const odd = `\u202e\u0085\u009b31m\u{e0041}`;

function grantsAll(policy: string): boolean {
  return JSON.stringify(loadPolicy(policy).rules).includes('"paths":["/"]');
}

describe("a name with rules and control characters in it stays a name", () => {
  const name = `a${odd}${rules.replaceAll("/", "")}`;
  const cases: [
    what: string,
    prepare: (scene: Scene) => void,
    command: (scene: Scene) => string[],
  ][] = [
    [
      "of a secret in a directory that is granted",
      (scene) => scene.write(`data/${name}/.env`, "x"),
      () => ["sh", "-c", "for i in 1 2 3 4; do echo x > data/f$i; done"],
    ],
    [
      "of a secret that was read",
      (scene) => scene.write(`${name}/.env`, "x"),
      () => ["sh", "-c", "cat ./*/.env"],
    ],
    [
      "of the command",
      (scene) => {
        scene.write(name, "#!/bin/sh\necho hi\n");
        chmodSync(join(scene.project, name), 0o755);
      },
      () => [`./${name}`],
    ],
    [
      "of a directory that is listed and too wide",
      (scene) => mkdirSync(join(scene.folder, name)),
      ({ folder }) => ["ls", folder],
    ],
    [
      "of files that are read, written and made",
      (scene) => {
        scene.write(`in/${name}`, "x");
        mkdirSync(join(scene.project, `out${name}`));
      },
      () => ["sh", "-c", "cp in/* out*/"],
    ],
  ];
  for (const [what, prepare, command] of cases) {
    testUnless(missing, what, async () => {
      for (const options of [[], ["--json"]]) {
        const scene = new Scene(tempDir());
        prepare(scene);
        const { stderr } = await scene.learn(command(scene), {}, options);
        const text = readFileSync(scene.policy, "utf8");
        expect(text).not.toMatch(unprintable);
        expect(stderr.replaceAll(/^(cat|ls|cp): .*/gm, "")).not.toMatch(unprintable);
        expect(grantsAll(scene.policy)).toBe(false);
        expect(text).toStartWith("# What ");
      }
    });
  }

  testUnless(missing, "of the folders that a run is in, and of the policy", async () => {
    const folder = join(tempDir(), name);
    mkdirSync(folder);
    const scene = new Scene(folder);
    for (const file of ["a", "b"]) scene.write(file, file);
    const output = join(scene.folder, `${name}.toml`);
    const learn = (more: string[], ...files: string[]) =>
      scene.run(scene.learning(output, ["cat", ...files], more));
    for (const said of [await learn([], "a"), await learn(["-merge"], "a", "b")]) {
      expect(said.code).toBe(0);
      expect(said.stderr).not.toMatch(unprintable);
    }
    const text = readFileSync(output, "utf8");
    expect(text).not.toMatch(unprintable);
    expect(grantsAll(output)).toBe(false);
    expect(JSON.stringify(loadPolicy(output).rules)).toContain(
      JSON.stringify(join(scene.project, "b")),
    );
  });
});

testUnless(
  missing,
  "what is not UTF-8 is named and not granted, wherever a run is in",
  async () => {
    const scene = new Scene(tempDir());
    const script = 'mkdir d; cd d; mkdir "$1"; cd "$1"; echo x >a; echo x >"b$1"; shift; exec "$@"';
    const odd = 'sh -c "$0" sh "$(printf "x\\377")" "$@"';
    const { code, stderr, stdout } = await scene.run([
      ...["sh", "-c", odd, script],
      ...scene.learning(scene.policy, ["cat", "a", "/etc/hostname", "/etc/hosts"]),
    ]);
    expect([code, stdout.startsWith("x\n")]).toEqual([0, true]);
    expect(stderr).toContain("its name is not UTF-8");
    expect(stderr).toContain("/d/x\\udcff/a");
    const text = readFileSync(scene.policy, "utf8");
    expect(text).not.toContain("\ufffd");
    const { rules } = loadPolicy(scene.policy);
    expect(JSON.stringify(rules)).not.toContain("/d/x");
    expect(JSON.stringify(rules)).toContain("/etc/hosts");
  },
);

test("what cannot stand in a variable or a preset is written another way", async () => {
  const { Names } = await import("../../src/learn/names.ts");
  const names = new Names({ base: "/p", project: "/a${b}", home: "/h", known: {} });
  expect(names.write("/a${b}/c")).toBe("/a$${b}/c");
  expect([...names.variables]).toEqual([]);
  const here = new Names({ base: "/p", project: "/p", home: "/h", known: {} });
  expect(here.writeProgram("/p/tool")).toBe("./tool");
  expect(here.writeProgram("/p/bin/tool")).toBe("bin/tool");
});

describe("a text is read back before it is written", () => {
  const path = join(tempDir(), "policy.toml");
  const content: Content = {
    texts: new Map([["ro", ["/usr"]]]),
    ports: new Map(),
    paths: [],
    variables: new Map(),
  };
  const written = { content, rules: [roDirs("/usr")] };
  const text = policyText(["A head."], content, []);

  test("one that says what was meant passes", () => {
    expect(() => requireMeaning(text, path, written, undefined)).not.toThrow();
    const before = 'bestEffort = true\nabi = 4\nro = ["/bin"]\n';
    const after = before.replace('"/bin"', '"/bin", "/usr"');
    expect(() => requireMeaning(after, path, written, before)).not.toThrow();
  });

  const wrong: [what: string, text: string, why: string][] = [
    ["grants more", `${text}\nrw = ["/srv"]\n`, 'on "/srv" (narrow, fail) is granted'],
    ["grants less", text.replace('"/usr"', ""), 'on "/usr" (narrow, fail) is not granted'],
    ["is for another path", text.replace("/usr", "/us"), 'on "/us" (narrow, fail) is granted'],
    ["restricts less", `unrestricted = ["net"]\n${text}`, "the settings differ"],
    ["is strict", text.replace("bestEffort = true", ""), "the settings differ"],
    ["is no policy", `${text}\nother = 1\n`, '"other" is unknown'],
    ["is no TOML", `${text}\n"`, "Cannot parse"],
  ];
  for (const [what, bad, why] of wrong) {
    test(`one that ${what} is refused`, () => {
      expect(() => requireMeaning(bad, path, written, undefined)).toThrow(why);
      expect(existsSync(path)).toBe(false);
    });
  }

  test("one that takes from what it extends is refused", () => {
    const before = 'bestEffort = true\nro = ["/opt"]\n';
    expect(() => requireMeaning(text, path, written, before)).toThrow('on "/opt"');
  });
});

testUnless(missing, "an extended policy says what it said, and what was learned", async () => {
  const scene = new Scene(tempDir());
  const name = `in/${odd}${rules.replaceAll("/", "")}`;
  scene.write(name, "x");
  const before = `# Mine. ${odd}\nbestEffort = true\nro = ["/usr"] # all of it\n`;
  writeFileSync(scene.policy, before);
  const old = loadPolicy(scene.policy);
  const { stderr, code } = await scene.learn(["sh", "-c", "cat in/*"], {}, ["-merge"]);
  expect([code, stderr.match(unprintable)]).toEqual([0, null]);
  const text = readFileSync(scene.policy, "utf8");
  expect(text).toStartWith(`# Mine. ${odd}\nbestEffort = true\nro = ["/usr", `);
  const { config, rules: all } = loadPolicy(scene.policy);
  expect(config).toEqual(old.config);
  expect(old.rules).toEqual([roDirs("/usr")]);
  expect(all[0]).toEqual(roDirs("/usr", join(scene.project, "in")));
});

const hidden = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u;
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

test("nothing hidden is left, and a byte that is not UTF-8 is shown as such", () => {
  for (const name of names) {
    expect([printable(name), quoted(name)].join("")).not.toMatch(hidden);
  }
  expect(printable("a\n\u009b\u202e\u{e0041}\udcff")).toBe(
    "a\\u000a\\u009b\\u202e\\udb40\\udc41\\xff",
  );
});

test("the lines that explain advises for a policy hold names as they are", () => {
  for (const name of texts.slice(0, 300)) {
    const { policy } = fixOf([{ kind: "verb", verb: "roFiles", with: [], paths: [`/a/${name}`] }]);
    expect(policy).not.toMatch(hidden);
    const { roFiles } = Bun.TOML.parse(policy) as { roFiles: string[] };
    expect(roFiles).toEqual([`/a/${name.replaceAll("$", "$$$$")}`]);
  }
});
