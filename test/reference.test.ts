/** The pages name every public name, and no name that does not exist. */
import { describe, expect, test } from "bun:test";
import { existsSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { parseFlags } from "../src/cli/flags.ts";
import { usage } from "../src/cli/usage.ts";
import { LandlockError, presets } from "../src/index.ts";
import { accessFs, accessNet, linuxOf, newestAbi, rightsOf, scopes } from "../src/kernel/abi.ts";
import { notCovered } from "../src/kernel/probe.ts";
import { policyJsonSchema } from "../src/validate/schemas/json-schema.ts";
import { pages, textOf } from "./pages/blocks.ts";

const root = join(import.meta.dir, "..");
const manual = (folder: string) => textOf(`src/${folder}/README.md`);

const sources = [...new Bun.Glob("src/**/*.ts").scanSync(root)].map((file) =>
  readFileSync(join(root, file), "utf8"),
);

/** The text below a heading. */
function section(text: string, heading: string): string {
  return text.split(`\n## ${heading}\n`)[1]!.split("\n## ")[0]!;
}

/** The code in the first column of a text's tables, as written. */
function firstColumn(text: string): string[] {
  const rows = text.match(/^\| .+/gm) ?? [];
  return rows
    .flatMap((row) => row.split("|")[1]!.match(/`[^`]+`/g) ?? [])
    .map((name) => name.slice(1, -1));
}

/** The body of an exported interface, class or type, wherever it is declared. */
function bodyOf(declaration: string): string {
  const parts = sources.flatMap((text) => text.split(`export ${declaration} `).slice(1));
  expect([declaration, parts.length]).toEqual([declaration, 1]);
  return parts[0]!.split(/\n\}|;\n\n/)[0]!;
}

/** The fields of an interface, as its file declares them. */
const fieldsOf = (name: string) =>
  [...bodyOf(`interface ${name}`).matchAll(/^  readonly (\w+)\??:/gm)].map(([, field]) => field!);

/** Code without imports, comments and strings, which do not count as a use. */
const used = (text: string) =>
  text.replaceAll(/^import [^;]*;$|\/\/.*$|\/\*[^]*?\*\/|"[^"\n]*"|`[^`]*`/gm, "");

describe("every export", () => {
  const index = readFileSync(join(root, "src/index.ts"), "utf8");
  const names = [...index.matchAll(/^export (?:type )?\{([^}]+)\}/gm)]
    .flatMap(([, list]) => list!.split(","))
    .map((name) => name.trim().replace(/^type /, ""))
    .filter((name) => name !== "");

  test("of index.ts is found", async () => {
    const values = Object.keys(await import("../src/index.ts"));
    expect(names).toEqual(expect.arrayContaining(values));
    expect(names.length).toBeGreaterThan(values.length);
  });

  test("that is a value is named in a page", async () => {
    const code = pages.flatMap((page) => textOf(page).match(/^```[^]*?^```|`[^`\n]+`/gm) ?? []);
    const isNamed = (name: string) => new RegExp(`\\b${name}\\b`).test(code.join("\n"));
    const values = Object.keys(await import("../src/index.ts"));
    expect(values.filter((name) => !isNamed(name))).toEqual([]);
  });

  test("has type tests", () => {
    const tests = [...new Bun.Glob("types*.test.ts").scanSync(import.meta.dir)];
    const text = tests
      .map((file) => used(readFileSync(join(import.meta.dir, file), "utf8")))
      .join("\n");
    const isTested = (name: string) => new RegExp(`\\b${name}\\b`).test(text);
    expect(names.filter((name) => !isTested(name))).toEqual([]);
    expect(used('import {\n  Foo,\n} from "foo";\n// Bar\ntest("Baz", () => call());')).not.toMatch(
      /Foo|Bar|Baz/,
    );
  });
});

describe("fields", () => {
  const report = section(manual("sandbox"), "Report");

  test("of a Report are those of its table", () => {
    expect(firstColumn(report)).toEqual(expect.arrayContaining(fieldsOf("Report")));
    const fields = [...fieldsOf("Report"), ...fieldsOf("ThreadReport")];
    expect(firstColumn(report).filter((name) => !fields.includes(name))).toEqual([]);
  });

  test("of a Plan are those of a Report, but for those that the manual names", () => {
    const [, without, more] = /same fields except ([^.]*)\.\s+It also has ([^.]*)\./.exec(report)!;
    const named = (text: string) => [...text.matchAll(/`(\w+)`/g)].map(([, name]) => name!);
    const shared = fieldsOf("Report").filter((name) => !named(without!).includes(name));
    expect(fieldsOf("Plan").sort()).toEqual([...shared, ...named(more!)].sort());
    expect(fieldsOf("Report")).toEqual(expect.arrayContaining(named(without!)));
  });

  test("of a LandlockError are named", () => {
    const body = bodyOf("class LandlockError");
    const fields = [...body.matchAll(/^  (?:declare )?readonly (\w+)\??:/gm)];
    const names = fields.map(([, name]) => name!);
    expect(names).toContain("errnoName");
    const said = section(manual("explain"), "Errors").split("\n|")[0]!.match(/`\w+`/g)!;
    expect(names.filter((name) => !said.includes(`\`${name}\``))).toEqual([]);
  });

  test("of an Explanation are named", () => {
    const said = section(manual("explain"), "explain()");
    const fields = fieldsOf("ExplanationData");
    expect(fields.length).toBeGreaterThan(6);
    expect(fields.filter((name) => !said.includes(`\`${name}\``))).toEqual([]);
  });

  test("of a policy are those of its table", () => {
    const schema = policyJsonSchema() as { properties: Record<string, unknown> };
    const keys = Object.keys(schema.properties).filter((key) => key !== "$schema");
    const inner = ["access", "refer", "ifMissing"];
    expect(firstColumn(manual("policy")).sort()).toEqual([...keys, ...inner].sort());
  });
});

describe("names", () => {
  test("of errors' codes are those of the table", () => {
    const body = bodyOf("type LandlockErrorCode");
    const codes = [...body.matchAll(/^  \| "(ERR_\w+)"/gm)].map(([, name]) => name!);
    expect(codes.length).toBeGreaterThan(9);
    expect(firstColumn(section(manual("explain"), "Errors")).sort()).toEqual(codes.sort());
  });

  test("of presets are those that the manual describes", () => {
    const items = [...section(manual("presets"), "What each one grants").matchAll(/^`(\w+)\(/gm)];
    expect([...new Set(items.map(([, name]) => name!))].sort()).toEqual(
      Object.keys(presets).sort(),
    );
  });

  test("of rights are all there, each in the item of its ABI", () => {
    const items = section(manual("sandbox"), "ABIs").match(/^- \*\*ABI [^]*?(?=\n- |\n\n)/gm)!;
    expect(items).toHaveLength(newestAbi);
    for (const [i, item] of items.entries()) {
      const { fs, net, scoped } = rightsOf(i + 1);
      const before = rightsOf(i);
      const older: readonly string[] = [...before.fs, ...before.net, ...before.scoped];
      const added = [...fs, ...net, ...scoped].filter((right) => !older.includes(right));
      const all: readonly string[] = [...accessFs, ...accessNet, ...scopes];
      // The first sentence names the additions.
      const named = [...item.split(/\.\s/)[0]!.matchAll(/`(\w+)`/g)].map(([, name]) => name!);
      expect(named.filter((name) => all.includes(name))).toEqual(added);
      expect(item).toStartWith(`- **ABI ${i + 1}** (Linux ${linuxOf(i + 1)}):`);
    }
  });
});

describe("what is not covered", () => {
  const text = section(manual("sandbox"), "What is not covered").replaceAll(/\s+/g, " ");

  test("names the Linux versions that see more", () => {
    const abis = notCovered(1, rightsOf(1)).flatMap((what) => /ABI (\d+)/.exec(what)?.[1] ?? []);
    expect(abis.length).toBeGreaterThan(4);
    const versions = abis.map((abi) => linuxOf(Number(abi)));
    const isNamed = (version: string) =>
      new RegExp(`below (Linux )?${RegExp.escape(version)}\\b`).test(text);
    expect(versions.filter((version) => !isNamed(version))).toEqual([]);
  });

  test("names what Landlock does not see, each of it", () => {
    const subjects = [
      ...["Open files", "chmod", "memfd_create", "inotify", "lock", "Multipath TCP", "AF_ALG"],
      ...["System V", "keyctl", "prlimit"],
      ...["filter hosts", "listen()", "MSG_FASTOPEN", "SIGIO", "KEYCTL_SESSION_TO_PARENT"],
    ];
    const all = notCovered(1, rightsOf(11)).filter((what) => !what.includes("(needs ABI"));
    expect(all).toHaveLength(subjects.length);
    expect(subjects.filter((subject) => !text.includes(subject))).toEqual([]);
  });
});

describe("options of landlock-restrict", () => {
  /** Splits lines that begin with options into words. */
  const optionsIn = (texts: readonly string[]) =>
    [
      ...new Set(texts.flatMap((text) => text.match(/(?<![\w=-])--?[a-z0-9]+(?:-[a-z]+)*/g) ?? [])),
    ].sort();
  const inUsage = usage.match(/^  -.*?(?=   |$)/gm)!;

  test("are the same in its usage and in its manual", () => {
    const documented = optionsIn(inUsage);
    expect(documented).toContain("-connecttcp");
    expect(optionsIn(firstColumn(section(manual("cli"), "Options")))).toEqual(documented);
  });

  test("are taken by it, each of them", () => {
    // Standalone options are already taken.
    const alone = ["-h", "--version"];
    const refused = optionsIn(inUsage).filter((option) => {
      try {
        parseFlags([option]);
        return false;
      } catch (error) {
        return !(error instanceof LandlockError) || error.message.includes("is not an option");
      }
    });
    expect(refused).toEqual(alone.sort());
  });

  test("have an entry for this version in the README", async () => {
    const { version } = await Bun.file(join(root, "package.json")).json();
    expect(version).toMatch(/^\d+\.\d+\.\d+$/);
    expect(section(textOf("README.md"), "Versions").match(/^- .+/m)?.[0]).toStartWith(
      `- **${version}**:`,
    );
    const cli = Bun.spawnSync([process.execPath, join(root, "src/cli.ts"), "--version"]);
    expect([cli.stdout.toString(), cli.exitCode]).toEqual([`landlock-restrict ${version}\n`, 0]);
  });
});

describe("pages", () => {
  /** The text without code blocks, with each heading as a link names it. */
  const plain = (page: string) => textOf(page).replaceAll(/^```[^]*?^```$/gm, "");
  const anchors = (page: string) =>
    (plain(page).match(/^#+ .+/gm) ?? []).map((heading) =>
      heading
        .replace(/^#+ /, "")
        .toLowerCase()
        .replaceAll(/[^\w -]/g, "")
        .replaceAll(" ", "-"),
    );
  const written = pages.filter((page) => /^(README|src|lib|\.github|test\/README)/.test(page));

  test("lead to files and headings that are there", () => {
    const links = pages.flatMap((page) =>
      [...plain(page).matchAll(/\]\(([^)\s]+)\)/g)]
        .map(([, target]) => target!)
        .filter((target) => !/^[a-z]+:/.test(target))
        .map((target) => [page, target, ...target.split("#")] as const),
    );
    expect(links.length).toBeGreaterThan(30);
    const dead = links.filter(([page, , path, anchor]) => {
      const file = path === "" ? page : join(page, "..", path!);
      if (!existsSync(join(root, file))) return true;
      return anchor !== undefined && !anchors(file).includes(anchor);
    });
    expect(dead.map(([page, target]) => `${page}: ${target}`)).toEqual([]);
  });

  test("name programs and scripts of the project that are there", async () => {
    const { scripts } = await Bun.file(join(root, "package.json")).json();
    const code = pages
      .flatMap((page) => textOf(page).match(/^```[^]*?^```|`[^`\n]+`/gm) ?? [])
      .join("\n");
    const files = [...code.matchAll(/\b(?:bun|sh) (?:test )?((?:test|lib|src)\/[\w./-]+)/g)];
    expect(files.length).toBeGreaterThan(10);
    const named = [...code.matchAll(/\b(?:bun run|sh test\/run) ([\w:]+)/g)];
    expect(named.length).toBeGreaterThan(3);
    const missing = [
      ...files.map(([, file]) => file!).filter((file) => !existsSync(join(root, file))),
      ...named.map(([, name]) => name!).filter((name) => !Object.hasOwn(scripts, name)),
    ];
    expect(missing).toEqual([]);
  });

  test("of issues and the workflow are valid, and the workflow runs .ci/run", async () => {
    const read = async (file: string) =>
      Bun.YAML.parse(await Bun.file(join(root, ".github", file)).text());
    for (const name of ["bug", "denied", "feature"]) {
      const form = (await read(`ISSUE_TEMPLATE/${name}.yml`)) as Record<string, unknown>;
      expect(form).toMatchObject({ name: expect.any(String), description: expect.any(String) });
      const body = form["body"] as { type: string; id?: string; attributes: { label?: string } }[];
      const fields = body.filter(({ type }) => type !== "markdown");
      const ids = fields.map(({ id }) => id);
      expect(fields.every(({ id, attributes: { label } }) => id && label)).toBe(true);
      expect(new Set(ids).size).toBe(ids.length);
    }
    const { jobs } = (await read("workflows/ci.yml")) as {
      jobs: { test: { "runs-on": string; steps: { run?: string }[] } };
    };
    expect(jobs.test["runs-on"]).toBe("ubuntu-latest");
    expect(jobs.test.steps.at(-1)!.run).toBe(".ci/run");
    expect(statSync(join(root, ".ci/run")).mode & 0o100).toBe(0o100);
  });

  test("say each sentence once", () => {
    const sentences = written.flatMap((page) =>
      plain(page)
        .replaceAll(/<!-- bun run bench[^]*<!-- to here/g, "")
        .replaceAll(/^[|#<].*$/gm, "")
        .split(/\n\n|\n *- |(?<=[.:!?])\s+/)
        .map((sentence) => sentence.replaceAll(/\s+/g, " ").trim())
        .filter((sentence) => sentence.split(" ").length > 5),
    );
    expect(sentences.length).toBeGreaterThan(200);
    const twice = sentences.filter((sentence, i) => sentences.indexOf(sentence) !== i);
    expect(twice).toEqual([]);
  });

  test("have lines of 100 columns at most, tables of 120, code of 160, and the README 220 lines", () => {
    const linesOf = (text: string) => text.split("\n");
    const wide = written.flatMap((page) => [
      ...linesOf(plain(page)).filter((line) => line.length > (line.startsWith("|") ? 120 : 100)),
      ...linesOf(textOf(page)).filter((line) => line.length > 160),
    ]);
    expect(wide).toEqual([]);
    expect(textOf("README.md").split("\n").length - 1).toBeLessThanOrEqual(220);
  });
});
