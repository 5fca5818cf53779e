/** Presets as rules: their fields, their names, and how they fit into Configs. */
import { describe, expect, expectTypeOf, test } from "bun:test";
import { mkdirSync, realpathSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  landlock,
  LandlockError,
  planFor,
  presets,
  type BunOptions,
  type CompositeRule,
  type CwdOptions,
  type DnsOptions,
  type FsRule,
  type Rule,
} from "../../src/index.ts";
import { presetOf } from "../../src/presets/presets.ts";
import { tempDir } from "../harness.ts";

const { bun, cwd, dns, executable, modules, timezone, tls, tmp } = presets;
const main = join(import.meta.dir, "../../src/cli.ts");

/** Each preset by the text that `presetOf()` accepts. */
const all: Readonly<Record<string, () => Rule>> = {
  bun: () => bun(),
  "bun=children": () => bun({ children: true }),
  dns: () => dns(),
  "dns=ports": () => dns({ ports: true }),
  tls: () => tls(),
  timezone: () => timezone(),
  tmp: () => tmp(),
  cwd: () => cwd(),
  "cwd=write": () => cwd({ write: true }),
  "executable=sh": () => executable("sh"),
  [`modules=${main}`]: () => modules(main),
};

function failure(action: () => unknown): Pick<LandlockError, "code" | "message"> {
  try {
    action();
  } catch (error) {
    if (error instanceof LandlockError) return { code: error.code, message: error.message };
    throw error;
  }
  throw new Error("it does not fail");
}

/** The plan on a kernel with everything, or on an older one. */
function plan(rule: Rule, config = landlock.V11.bestEffort(), abi = 11) {
  return planFor(config, [rule], { abi, errata: 15, state: "enabled" });
}

describe("every preset", () => {
  for (const [spec, make] of Object.entries(all)) {
    test(`${spec} is frozen plain data, the same by its name and from JSON`, () => {
      const rule = make();
      expect(Object.isFrozen(rule)).toBe(true);
      expect(JSON.stringify(presetOf(spec))).toBe(JSON.stringify(rule));
      const copy = JSON.parse(JSON.stringify(rule)) as Rule;
      expect(plan(copy)).toEqual(plan(rule));
    });

    test(`${spec} fits into every Config that handles its ports`, () => {
      const rule = make();
      const least = spec === "dns=ports" ? 10 : 1;
      for (let version = least; version <= 11; version++) {
        const config = landlock[`V${version as 1}`];
        expect(() => plan(rule, config)).not.toThrow();
        expect(() => plan(rule, config.bestEffort(), 1)).not.toThrow();
      }
      if (least === 1) {
        const narrow = landlock.config({ fs: ["write_file"] });
        const handled = plan(rule, narrow).rules.flatMap((rule) => rule.access);
        expect(handled.filter((right) => right !== "write_file")).toEqual([]);
      }
    });
  }

  test("grants writing to nothing but /dev/null, unless it says so", () => {
    const readers = Object.entries(all).filter(([spec]) => !["tmp", "cwd=write"].includes(spec));
    const written = readers.flatMap(([, make]) =>
      plan(make()).rules.filter(
        (rule) => "path" in rule && rule.access.some((right) => /write|make|remove/.test(right)),
      ),
    );
    expect(new Set(written.map((rule) => "path" in rule && rule.path))).toEqual(
      new Set(["/dev/null"]),
    );
  });

  test("executes nothing but the programs of executable(), and what lies beneath cwd()", () => {
    const others = Object.entries(all).filter(([spec]) => !/^(executable|cwd|tmp)/.test(spec));
    const rights = others.flatMap(([, make]) => plan(make()).rules.flatMap(({ access }) => access));
    expect(rights).not.toContain("execute");
  });
});

describe("presetOf()", () => {
  const names =
    "bun, bun=children, dns, dns=ports, tls, timezone, tmp, cwd, cwd=write, executable=PROGRAM, modules=FILE";

  for (const spec of ["", "nope", "systemd", "ntp=port", "tmp=x"]) {
    test(`${JSON.stringify(spec)} is an error that names what there is`, () => {
      expect(failure(() => presetOf(spec))).toEqual({
        code: "ERR_LANDLOCK_INVALID_RULE",
        message: `"${spec}" is not a preset: use one of ${names}`,
      });
    });
  }

  const near = {
    DNS: "dns",
    "dns=": "dns",
    "dns=port": "dns=ports",
    executable: "executable=PROGRAM",
    "modules=": "modules=FILE",
    "module=a=b": "modules=a=b",
  };
  for (const [spec, name] of Object.entries(near)) {
    test(`${JSON.stringify(spec)} is an error that names the nearest preset, ${name}`, () => {
      expect(failure(() => presetOf(spec))).toEqual({
        code: "ERR_LANDLOCK_INVALID_RULE",
        message: `"${spec}" is not a preset: did you mean "${name}"?`,
      });
    });
  }

  for (const spec of ["toString", "constructor=a", "__proto__", "hasOwnProperty=b"]) {
    test(`${spec} is no preset`, () => {
      expect(failure(() => presetOf(spec)).code).toBe("ERR_LANDLOCK_INVALID_RULE");
    });
  }

  test("takes relative paths from its base, names of programs from PATH", () => {
    const base = realpathSync(tempDir());
    mkdirSync(join(base, "bin"));
    writeFileSync(join(base, "bin/tool"), "#!/bin/sh\n", { mode: 0o755 });
    writeFileSync(join(base, "main.ts"), "");
    symlinkSync("main.ts", join(base, "a=b.ts"));
    const first = (rule: Rule) => ((rule as CompositeRule).rules[0] as FsRule).paths[0];
    expect(first(presetOf("executable=./bin/tool", base))).toBe(join(base, "bin/tool"));
    expect(first(presetOf("modules=main.ts", base))).toBe(join(base, "main.ts"));
    expect(first(presetOf("modules=./a=b.ts", base))).toBe(join(base, "main.ts"));
    expect(first(presetOf("executable=sh", base))).toBe(Bun.which("sh")!);
    expect(failure(() => presetOf("modules=main.ts", "/")).message).toContain('"/main.ts"');
  });
});

describe("options", () => {
  test("dns({ ports: true }) adds port 53, and is for Configs that handle UDP", () => {
    const ports = plan(dns({ ports: true })).rules.flatMap((rule) =>
      "port" in rule ? [rule] : [],
    );
    expect(ports.map(({ port, access }) => [access[0], port])).toEqual([
      ["connect_tcp", 53],
      ["bind_udp", 0],
      ["connect_send_udp", 0],
      ["connect_send_udp", 53],
    ]);
    expect(failure(() => plan(dns({ ports: true }), landlock.V9)).code).toBe(
      "ERR_LANDLOCK_INVALID_RULE",
    );
  });

  test("an unknown one, or a wrong value, is an error that names it", () => {
    const wrong = { port: true } as DnsOptions;
    expect(failure(() => dns(wrong))).toEqual({
      code: "ERR_LANDLOCK_INVALID_RULE",
      message: 'presets.dns(): "port" is unknown: use ports',
    });
    expect(failure(() => cwd({ write: 1 } as never)).message).toBe(
      "presets.cwd(): write: 1 is not a setting: use true or false",
    );
    expect(failure(() => bun(null as never)).code).toBe("ERR_LANDLOCK_INVALID_RULE");
  });

  test("have types", () => {
    expectTypeOf(bun).toBeCallableWith({ children: true } satisfies BunOptions);
    expectTypeOf(dns).toBeCallableWith({ ports: true } satisfies DnsOptions);
    expectTypeOf(cwd).toBeCallableWith({ write: true } satisfies CwdOptions);
    expectTypeOf(executable).parameters.toEqualTypeOf<string[]>();
    expectTypeOf(modules).returns.toEqualTypeOf<CompositeRule>();
    expectTypeOf(tls).returns.toEqualTypeOf<FsRule>();
    expectTypeOf(presetOf).toBeCallableWith("dns", "/");
    expectTypeOf(presetOf).returns.toEqualTypeOf<Rule>();
  });
});
