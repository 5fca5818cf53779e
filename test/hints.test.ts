/** One error in the words of each surface: library methods, command-line options, policy keys. */
import { beforeAll, describe, expect, test } from "bun:test";
import { join } from "node:path";
import { LandlockError, messageFor } from "../src/errors/errors.ts";
import { notationOf, settingsAs, unexpandedIn, type Surface } from "../src/errors/hints.ts";
import {
  bindTcp,
  landlock,
  loadPolicy,
  parsePolicy,
  pathAccess,
  planFor,
  presets,
  roDirs,
  rwDirs,
  type Kernel,
} from "../src/index.ts";
import { cli, kernelAbi, run, tempDir, testFromAbi, testOnAbis } from "./harness.ts";

const dir = tempDir();

/** Words that only the library uses: a call, a method, or a class name. */
const method = /\b\w+\(|\.\w+\(\)|\bConfig\b/;

function restrict(...args: string[]) {
  const { stderr, code } = run([...cli, ...args], dir);
  return { stderr: stderr.replaceAll(dir, ""), code };
}

function thrown(action: () => unknown): LandlockError {
  try {
    action();
  } catch (error) {
    if (error instanceof LandlockError) return error;
    throw error;
  }
  throw new Error("nothing was thrown");
}

const kernel = (abi: number, errata = 0xf): Kernel => ({ abi, errata, state: "enabled" });
const surfaces: readonly Surface[] = ["method", "option", "key"];

const errors: [name: string, make: () => unknown, fixes: readonly [string, string, string]][] = [
  [
    "a port too high",
    () => bindTcp(99999 as number),
    ["bindTcp(): [0]: 99999 is not", "-bindtcp: 99999 is not", "bindTcp(): [0]: 99999 is not"],
  ],
  [
    "a path that is none",
    () => roDirs(""),
    ['roDirs(): [0]: "" is not', '-ro: "" is not', 'roDirs(): [0]: "" is not'],
  ],
  [
    "a preset's name that is none",
    () => presets.executable(""),
    ['presets.executable(): [0]: ""', 'preset executable: [0]: ""', 'preset executable: [0]: ""'],
  ],
  [
    "a strict Config on an older kernel",
    () => planFor(landlock.V9, [], kernel(8)),
    [
      "use a lower version, or .bestEffort()",
      "leave out -strict, or give -8",
      'lower abi to 8, or set "bestEffort": true',
    ],
  ],
  [
    "signals without the fix of erratum 2",
    () => planFor(landlock.V6, [], kernel(6, 0)),
    [
      "use a newer kernel, or .bestEffort()",
      "use a newer kernel, or leave out -strict",
      'use a newer kernel, or set "bestEffort": true',
    ],
  ],
  [
    "atLeast above the kernel's ABI",
    () => planFor(landlock.V7.bestEffort({ atLeast: 7 }), [], kernel(6)),
    ["a lower atLeast", "a lower atLeast in the policy", "a lower bestEffort.atLeast"],
  ],
  [
    "a right that is not handled",
    () => planFor(landlock.V1, [rwDirs("/a").withRefer()], kernel(7)),
    [
      "leave the rule out, or use a Config",
      "give -2 or a higher one, or leave the rule out",
      "remove it, or set abi to 2",
    ],
  ],
];

describe("a LandlockError in the words of each surface", () => {
  for (const [name, make, fixes] of errors) {
    const error = thrown(make);
    for (const [i, surface] of surfaces.entries()) {
      test(`${name}: ${surface}`, () => {
        const message = messageFor(error, surface);
        expect(message).toContain(fixes[i]!);
        if (surface === "method") expect(error.message).toBe(message);
      });
    }

    test(`${name}: no method on the command line`, () => {
      expect(messageFor(error, "option")).not.toMatch(method);
    });
  }

  test("an error without a hint is the same everywhere", () => {
    const error = new LandlockError("ERR_LANDLOCK_PATH", "a\u001b");
    for (const surface of surfaces) expect(messageFor(error, surface)).toBe("a\\u001b");
  });
});

describe("the command line speaks of options, and of keys where the policy is at fault", () => {
  beforeAll(async () => {
    const missing = { abi: 1, bestEffort: true, ro: ["gone"] };
    await Bun.write(join(dir, "missing.json"), JSON.stringify(missing));
    await Bun.write(join(dir, "strict.json"), '{ "abi": 11, "ro": ["/"] }');
    await Bun.write(join(dir, "best.json"), '{ "bestEffort": true, "ro": ["/"] }');
    const wild = { abi: 1, bestEffort: true, ro: ["$HOME/x"] };
    await Bun.write(join(dir, "wild.json"), JSON.stringify(wild));
  });
  const cases: [name: string, args: string[], message: string][] = [
    ["a missing path", ["-ro", "/gone"], "create it, or write +ignore_missing before it"],
    ["two missing paths", ["-ro", "/gone", "/lost"], "or write +ignore_missing before them"],
    [
      "a missing path of the policy",
      ["-policy", "missing.json"],
      `create it, or put it under paths with "ifMissing": "skip"`,
    ],
    [
      "a missing path of an option beside a policy",
      ["-policy", "best.json", "-ro", "/gone"],
      "create it, or write +ignore_missing before it",
    ],
    ["a port too high", ["-bindtcp", "99999"], "-bindtcp: 99999 is not a port: give an integer"],
    ["a path that is none", ["-rofiles", ""], '-rofiles: "" is not a path'],
    ["refer under ABI 1", ["-1", "-rw", "+refer", "/"], "refer needs ABI 2; give -2 or a higher"],
    ["a port under ABI 3", ["-3", "-bindtcp", "80"], "bind_tcp needs ABI 4; give -4 or a higher"],
    ["a variable", ["-ro", "$HOME/x"], "no shell replaced $HOME: leave out the single quotes"],
    ["a home directory", ["-ro", "~/x"], "no shell replaced ~: leave out the quotes"],
    [
      "a wildcard",
      ["-ro", "/usr/*.x"],
      'no shell found a file for *: name the directory itself, "/usr"',
    ],
    [
      "a variable in the policy",
      ["-policy", "wild.json"],
      '$HOME is not replaced: write ${HOME}, with "variables": { "HOME": { "env": "HOME" } }',
    ],
  ];
  for (const [name, args, message] of cases) {
    testFromAbi(4, `${name}: the fix is in words of the command line`, async () => {
      const { stderr, code } = restrict(...args, "--", "true");
      expect(stderr).toContain(message);
      expect(stderr).not.toMatch(method);
      expect(stderr.trimEnd().split("\n")).toHaveLength(1);
      expect(code).toBe(125);
    });
  }

  testOnAbis(
    1,
    10,
    "a strict policy on an older kernel names its keys, -strict the option",
    async () => {
      for (const [args, fix] of [
        [["-policy", "strict.json"], '"/strict.json": Cannot restrict'],
        [["-policy", "strict.json"], `lower abi to ${kernelAbi}, or set "bestEffort": true`],
        [["-policy", "best.json", "-strict"], `leave out -strict, or give -${kernelAbi}`],
        [["-strict"], `leave out -strict, or give -${kernelAbi}`],
      ] as const) {
        for (const command of [[], ["plan"]]) {
          const { stderr } = restrict(
            ...command,
            ...args,
            ...(command.length ? [] : ["--", "true"]),
          );
          expect(stderr).toContain(fix);
        }
      }
    },
  );
});

testFromAbi(1, "a pipe behind /dev/stdout is named, and needs no rule", async () => {
  const piped = (options: string, script: string) => {
    const command = `"$0" "$1" ${options} -- sh -c ${Bun.$.escape(script)} 2>&1 | cat`;
    return run(["sh", "-c", command, ...cli]).stdout;
  };
  const system = "-ro /usr +ignore_missing /bin /lib /lib64";
  expect(piped("-rwfiles /dev/stdout", "echo done")).toContain(
    'beneath "/dev/stdout": it is a pipe, which Landlock never restricts; leave it out, it needs no rule',
  );
  expect(piped(system, "echo done >/dev/stdout")).toBe("done\n");
});

test("a policy's errors of the library name keys, in the file and in parsePolicy()", () => {
  const policy = parsePolicy({ abi: 1, bestEffort: true, ro: ["/gone"] });
  const { message } = thrown(() => policy.ruleset());
  expect(message).toStartWith(
    'parsePolicy(): Cannot grant execute, read_file, read_dir beneath "/gone"',
  );
  expect(message).toEndWith('create it, or put it under paths with "ifMissing": "skip"');
  const access = pathAccess(["read_file"], "/gone/$UID");
  expect(thrown(() => landlock.V1.ruleset(access)).message).toEndWith(
    "paths are taken as they are: use process.env.UID in place of $UID",
  );
});

describe("a policy's errors quote settings as its file spells them", () => {
  const spelled = {
    json: [
      '"ifMissing": "skip"',
      '"variables": { "HOME": { "env": "HOME" } }',
      '"bestEffort": true',
    ],
    toml: ['ifMissing = "skip"', 'variables = { HOME = { env = "HOME" } }', "bestEffort = true"],
    yaml: ['ifMissing: "skip"', 'variables: { HOME: { env: "HOME" } }', "bestEffort: true"],
  };
  const write = async (format: string, settings: object) => {
    const line = (key: string, value: unknown) =>
      `${key} ${format === "toml" ? "=" : ":"} ${JSON.stringify(value)}`;
    const lines = Object.entries(settings).map(([key, value]) => line(key, value));
    const path = join(tempDir(), `policy.${format}`);
    await Bun.write(path, format === "json" ? JSON.stringify(settings) : lines.join("\n"));
    return path;
  };
  for (const [format, [skip, variable, best]] of Object.entries(spelled)) {
    test(`${format}, of the library`, async () => {
      const said = async (settings: object) => {
        const path = await write(format, settings);
        return thrown(() => loadPolicy(path).ruleset()).message;
      };
      const some = { abi: 1, bestEffort: true };
      expect(await said({ ...some, ro: ["/gone"] })).toEndWith(`put it under paths with ${skip}`);
      expect(await said({ ...some, ro: ["/$HOME"] })).toEndWith(`write \${HOME}, with ${variable}`);
      expect(await said({ ...some, ro: ["~/x"] })).toContain(`with ${variable}, or ./~`);
      const path = await write(format, { abi: 11 });
      const error = thrown(() => planFor(landlock.V11, [], kernel(1)));
      expect(messageFor(error, notationOf(path))).toEndWith(`or set ${best}`);
    });

    testOnAbis(1, 10, `${format}, on the command line`, async () => {
      const path = await write(format, { abi: 11, ro: ["/"] });
      expect(restrict("-policy", path, "--", "true").stderr).toContain(`or set ${best}\n`);
      expect(restrict("plan", "-policy", path).stderr).toContain(`or set ${best}\n`);
    });
  }

  test("a package.json and data are JSON", () => {
    expect(notationOf("/a/package.json")).toBe("key");
    expect(settingsAs("toml", { presets: ["a"], bestEffort: { allowNone: true } })).toBe(
      'presets = ["a"], bestEffort = { allowNone = true }',
    );
  });
});

describe("unexpandedIn() finds what a shell would have replaced", () => {
  const cases: [path: string, found: object | undefined][] = [
    ["/usr/lib", undefined],
    ["/a/b~", undefined],
    ["/a$", undefined],
    ["/a{b}", undefined],
    ["$HOME/x", { kind: "variable", text: "$HOME", name: "HOME" }],
    ["/a/${X:-y}/b", { kind: "variable", text: "${X:-y}", name: "X" }],
    ["~", { kind: "home" }],
    ["~/x", { kind: "home" }],
    ["/usr/*", { kind: "wildcard", text: "*", folder: "/usr" }],
    ["/*", { kind: "wildcard", text: "*", folder: "/" }],
    ["*.ts", { kind: "wildcard", text: "*", folder: "." }],
    ["/usr/l?b/x", { kind: "wildcard", text: "?", folder: "/usr" }],
    ["/usr/[ab]/x", { kind: "wildcard", text: "[ab]", folder: "/usr" }],
    ["/usr/{lib,bin}", { kind: "wildcard", text: "{lib,bin}", folder: "/usr" }],
  ];
  for (const [path, found] of cases) {
    test(`in ${path}`, () => expect(unexpandedIn(path)).toEqual(found as never));
  }
});
