/** The README names what there is, and nothing that is not there. */
import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseFlags } from "../src/cli/flags.ts";
import { usage } from "../src/cli/usage.ts";
import { LandlockError, presets } from "../src/index.ts";
import { accessFs, accessNet, linuxOf, newestAbi, rightsOf, scopes } from "../src/kernel/abi.ts";
import { notCovered } from "../src/kernel/coverage.ts";
import { policyJsonSchema } from "../src/schemas/json-schema.ts";

const root = join(import.meta.dir, "..");
const read = (path: string) => readFileSync(join(root, path), "utf8");
const readme = read("README.md");

/** All that stands as code, in lines and in blocks. */
const code = [...readme.matchAll(/^```[^]*?^```|`[^`\n]+`/gm)].map(([text]) => text).join("\n");

const isNamed = (name: string) =>
  new RegExp(`(?<![\\w-])${RegExp.escape(name)}(?![\\w])`).test(code);

/** The text beneath a heading. */
function section(heading: string): string {
  return readme.split(`\n## ${heading}\n`)[1]!.split("\n## ")[0]!;
}

/** The code in the first column of a section's tables, as it stands there. */
function firstColumn(heading: string): string[] {
  const rows = section(heading).match(/^\| .+/gm) ?? [];
  return rows
    .flatMap((row) => row.split("|")[1]!.match(/`[^`]+`/g) ?? [])
    .map((name) => name.slice(1, -1));
}

/** The fields of an interface, as its file declares them. */
function fieldsOf(file: string, name: string): string[] {
  const body = read(file).split(`export interface ${name} `)[1]!.split("\n}")[0]!;
  return [...body.matchAll(/^  readonly (\w+)\??:/gm)].map(([, field]) => field!);
}

/** Code without its imports, comments and texts: what is named in there only is not used. */
const used = (text: string) =>
  text.replaceAll(/^import [^;]*;$|\/\/.*$|\/\*[^]*?\*\/|"[^"\n]*"|`[^`]*`/gm, "");

describe("every export", () => {
  const lists = [...read("src/index.ts").matchAll(/^export (?:type )?\{([^}]+)\}/gm)];
  const names = lists
    .flatMap(([, list]) => list!.split(","))
    .map((name) => name.trim().replace(/^type /, ""))
    .filter((name) => name !== "");

  test("of index.ts is found", async () => {
    const values = Object.keys(await import("../src/index.ts"));
    expect(names).toEqual(expect.arrayContaining(values));
    expect(names.length).toBeGreaterThan(values.length);
  });

  test("is named in the README", () => {
    expect(names.filter((name) => !isNamed(name))).toEqual([]);
  });

  test("that the reference names is one", () => {
    const words = firstColumn("Reference").flatMap((name) => name.split(" "));
    expect(words.filter((name) => !names.includes(name))).toEqual([]);
  });

  test("has type tests", () => {
    const tests = [...new Bun.Glob("types*.test.ts").scanSync(import.meta.dir)];
    const text = tests.map((file) => used(read(`test/${file}`))).join("\n");
    const isTested = (name: string) => new RegExp(`\\b${name}\\b`).test(text);
    expect(names.filter((name) => !isTested(name))).toEqual([]);
    expect(used('import {\n  Foo,\n} from "foo";\n// Bar\ntest("Baz", () => call());')).not.toMatch(
      /Foo|Bar|Baz/,
    );
  });
});

describe("fields", () => {
  test("of a Report are those of its table", () => {
    expect(firstColumn("Report")).toEqual(
      expect.arrayContaining(fieldsOf("src/report.ts", "Report")),
    );
    const parts = fieldsOf("src/report.ts", "ThreadReport");
    const fields = [...fieldsOf("src/report.ts", "Report"), ...parts];
    expect(firstColumn("Report").filter((name) => !fields.includes(name))).toEqual([]);
  });

  test("of a Plan are those of a Report, but for those that its row names", () => {
    const row = section("Reference").match(/^\| `Plan` .*$/m)![0];
    const [, without, more] = /Report but for (.*); and (.*) \|$/.exec(
      row.replace(/\s+\|$/, " |"),
    )!;
    const names = (text: string) => [...text.matchAll(/`(\w+)`/g)].map(([, name]) => name!);
    const shared = fieldsOf("src/report.ts", "Report").filter(
      (name) => !names(without!).includes(name),
    );
    expect(fieldsOf("src/plan.ts", "Plan").sort()).toEqual([...shared, ...names(more!)].sort());
    expect(fieldsOf("src/report.ts", "Report")).toEqual(expect.arrayContaining(names(without!)));
  });

  test("of a LandlockError are named", () => {
    const [, body] = read("src/errors.ts").split("export class LandlockError ");
    const fields = [...body!.split("\n}")[0]!.matchAll(/^  (?:declare )?readonly (\w+)\??:/gm)];
    const names = fields.map(([, name]) => name!);
    expect(names).toContain("errnoName");
    const said = section("Errors").split("\n|")[0]!.match(/`\w+`/g)!;
    expect(names.filter((name) => !said.includes(`\`${name}\``))).toEqual([]);
  });

  test("of a policy are those of its table", () => {
    const schema = policyJsonSchema() as { properties: Record<string, unknown> };
    const keys = Object.keys(schema.properties).filter((key) => key !== "$schema");
    const inner = ["access", "refer", "ifMissing"];
    expect(firstColumn("Policy files").sort()).toEqual([...keys, ...inner].sort());
  });
});

describe("names", () => {
  test("of errors' codes are those of the table", () => {
    const codes = [...read("src/errors.ts").matchAll(/^  \| "(ERR_\w+)"/gm)].map(
      ([, name]) => name!,
    );
    expect(codes.length).toBeGreaterThan(9);
    expect(firstColumn("Errors").sort()).toEqual(codes.sort());
  });

  test("of presets are those of the table", () => {
    const named = firstColumn("Presets").map((call) => call.replace(/\(.*/, ""));
    expect([...new Set(named)].sort()).toEqual(Object.keys(presets).sort());
  });

  test("of rights are all there, each in the row of its ABI", () => {
    const rows = section("Configs").match(/^\| \d+ .+/gm)!;
    expect(rows).toHaveLength(newestAbi);
    for (const [i, row] of rows.entries()) {
      const { fs, net, scoped } = rightsOf(i + 1);
      const before = rightsOf(i);
      const older: readonly string[] = [...before.fs, ...before.net, ...before.scoped];
      const added = [...fs, ...net, ...scoped].filter((right) => !older.includes(right));
      const all: readonly string[] = [...accessFs, ...accessNet, ...scopes];
      const named = [...row.matchAll(/`(\w+)`/g)].map(([, name]) => name!);
      expect(named.filter((name) => all.includes(name))).toEqual(added);
      expect(row).toContain(` ${linuxOf(i + 1)} `);
    }
  });

  test("of the Linux versions that see more are in the threat model", () => {
    const abis = notCovered(1, rightsOf(1)).flatMap((what) => /ABI (\d+)/.exec(what)?.[1] ?? []);
    expect(abis.length).toBeGreaterThan(4);
    const versions = abis.map((abi) => linuxOf(Number(abi)));
    const text = section("Threat model").replaceAll(/\s+/g, " ");
    expect(
      versions.filter(
        (version) => !text.includes(`below ${version}`) && !text.includes(`below Linux ${version}`),
      ),
    ).toEqual([]);
  });

  test("of what Landlock does not see are in the threat model, each of them", () => {
    const text = section("Threat model");
    const subjects = [
      ...["open already", "chmod", "memfd_create", "inotify", "lock", "Multipath TCP", "AF_ALG"],
      ...["System V", "keyctl", "prlimit"],
      ...["any host", "listen()", "MSG_FASTOPEN", "SIGIO", "KEYCTL_SESSION_TO_PARENT"],
    ];
    const all = notCovered(1, rightsOf(11)).filter((what) => !what.includes("(needs ABI"));
    expect(all).toHaveLength(subjects.length);
    expect(subjects.filter((subject) => !text.includes(subject))).toEqual([]);
  });
});

describe("options of landlock-restrict", () => {
  /** Options as words, from lines that begin with them. */
  const optionsIn = (texts: readonly string[]) =>
    [
      ...new Set(texts.flatMap((text) => text.match(/(?<![\w=-])--?[a-z0-9]+(?:-[a-z]+)*/g) ?? [])),
    ].sort();
  const inUsage = usage.match(/^  -.*?(?=   |$)/gm)!;

  test("are the same in its usage and in the README", () => {
    const documented = optionsIn(inUsage);
    expect(documented).toContain("-connecttcp");
    expect(optionsIn(firstColumn("Command line"))).toEqual(documented);
  });

  test("are taken by it, each of them", () => {
    // Those that stand alone are taken before.
    const alone = ["-h", "--version"];
    const refused = optionsIn(inUsage).filter((option) => {
      try {
        parseFlags([option]);
        return false;
      } catch (error) {
        return !(error instanceof LandlockError) || error.message.includes("is no option");
      }
    });
    expect(refused).toEqual(alone.sort());
  });

  test("have an entry for this version among the changes", async () => {
    const { version } = await Bun.file(join(root, "package.json")).json();
    expect(version).toMatch(/^\d+\.\d+\.\d+$/);
    expect(section("Changes").match(/^### .+/m)?.[0]).toBe(`### ${version}`);
    const cli = Bun.spawnSync([process.execPath, join(root, "src/cli.ts"), "--version"]);
    expect([cli.stdout.toString(), cli.exitCode]).toEqual([`landlock-restrict ${version}\n`, 0]);
  });
});
