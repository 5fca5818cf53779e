/** A kernel without Landlock: strict is an error, best effort reports that nothing is enforced. */
import { expect } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { probe } from "../../src/index.ts";
import { abiOfRight, accessFs, accessNet, linuxOf, scopes } from "../../src/kernel/abi.ts";
import {
  inSubprocess,
  kernelAbi,
  tempDir,
  testFromAbi,
  testOnAbis,
  testUnless,
} from "../harness.ts";
import { threadField } from "../inside.ts";

const { state, remedy } = probe();
const missing = kernelAbi > 0 ? `needs a kernel without Landlock, this one has ${kernelAbi}` : "";

testUnless(
  missing,
  "without Landlock every strict call is an error, with nothing changed",
  async () => {
    const seen = await inSubprocess({ dir: tempDir() }, async (inside, { dir }) => {
      const { landlock, outcome, roDirs, threadField, thrown } = inside;
      const { readdirSync } = await import("node:fs");
      const before = threadField("NoNewPrivs").toSorted();
      const errors = [
        thrown(() => landlock.V1.restrictPaths(roDirs(dir))),
        thrown(() => landlock.V11.restrict()),
        thrown(() => landlock.V1.ruleset()),
        thrown(() => landlock.V1.bestEffort({ atLeast: 1 }).restrictPaths(roDirs(dir))),
      ];
      return {
        errors: errors.map((error) => [error?.["code"], error?.["processChanged"]]),
        message: errors[0]?.["message"],
        readable: outcome(() => readdirSync("/")),
        unchanged: Bun.deepEquals(threadField("NoNewPrivs").toSorted(), before),
      };
    });
    const code = { unsupported: "ERR_LANDLOCK_UNSUPPORTED", disabled: "ERR_LANDLOCK_DISABLED" }[
      state as "unsupported" | "disabled"
    ];
    expect(seen as object).toEqual({
      errors: Array(4).fill([code, false]),
      message: `Cannot restrict anything: ${remedy}`,
      readable: "ok",
      unchanged: true,
    });
  },
);

testUnless(
  missing,
  "without Landlock best effort reports none, warns once and runs on",
  async () => {
    const dir = tempDir();
    const seen = await inSubprocess({ dir }, async (inside, { dir }) => {
      const { landlock, outcome, roDirs, thrown } = inside;
      const { readdirSync } = await import("node:fs");
      let warnings = 0;
      process.on("warning", () => warnings++);
      const config = landlock.V11.bestEffort();
      const first = config.restrict(roDirs(dir));
      const second = config.restrictPaths(roDirs(`${dir}/missing`));
      using refusing = config.ruleset();
      const refused = thrown(() => refusing.spawnSync(["cat", "/proc/self/status"]))?.["message"];
      using ruleset = landlock.V11.bestEffort({ allowNone: true }).ruleset();
      const child = ruleset.spawnSync(["cat", "/proc/self/status"]);
      // Warnings are emitted on the next tick.
      await new Promise((done) => setImmediate(done));
      return {
        warnings,
        enforcement: [first.enforcement, second.enforcement],
        kernel: first.abi.kernel,
        threads: first.threads,
        refused,
        child: child.exitCode,
        readable: outcome(() => readdirSync("/")),
      };
    });
    expect(seen as object).toEqual({
      warnings: 1,
      enforcement: ["none", "none"],
      kernel: 0,
      threads: { count: 0, method: "none" },
      refused: `Cannot start "cat" in a sandbox: ${remedy}; to do without a sandbox, use .bestEffort({ allowNone: true })`,
      child: 0,
      readable: "ok",
    });
  },
);

const noNewPrivs = [...new Set(threadField("NoNewPrivs"))];
const unchanged = { readable: "ok", served: "ok", signalled: "ok", noNewPrivs };

type Version = "V2" | "V3" | "V4" | "V5" | "V6" | "V9" | "V10";

/** Versions that some kernel here is too old for, and the right that each error names first. */
const versions: readonly [abi: number, version: Version, newest: string][] = [
  [3, "V3", "truncate"],
  [4, "V4", "bind_tcp"],
  [5, "V5", "ioctl_dev"],
  [6, "V6", "abstract_unix_socket"],
  [9, "V9", "resolve_unix"],
  [10, "V10", "bind_udp"],
];

/** Tries to restrict everything and returns what the error left behind. */
function tryVersion(version: Version, atLeast: number) {
  return inSubprocess({ version, atLeast }, async (inside, { version, atLeast }) => {
    const { landlock, outcome, threadField, thrown } = inside;
    const { readdirSync } = await import("node:fs");
    const strict = landlock[version];
    const config = atLeast > 0 ? strict.bestEffort({ atLeast }) : strict;
    return {
      error: thrown(() => config.restrict()),
      readable: outcome(() => readdirSync("/")),
      served: outcome(() => Bun.serve({ port: 0, fetch: () => new Response() })),
      signalled: outcome(() => process.kill(process.ppid, 0)),
      noNewPrivs: [...new Set(threadField("NoNewPrivs"))],
    };
  });
}

for (const [abi, version, newest] of versions) {
  const name = `${version}.restrict() is an error that names what the kernel lacks, with nothing changed`;
  testOnAbis(1, abi - 1, name, async () => {
    const lacking = [...accessFs, ...accessNet, ...scopes].filter(
      (right) => abiOfRight(right) > kernelAbi && abiOfRight(right) <= abi,
    );
    expect((await tryVersion(version, 0)) as object).toEqual({
      error: {
        name: "LandlockError",
        message: `Cannot restrict ${lacking.join(", ")}: ${newest} needs Landlock ABI ${abi} (Linux ${linuxOf(abi)}), but this kernel has ${kernelAbi}; use a lower version, or .bestEffort() to restrict what is possible`,
        code: "ERR_LANDLOCK_ABI_TOO_OLD",
        processChanged: false,
      },
      ...unchanged,
    });
  });
}

testOnAbis(
  1,
  10,
  "bestEffort({ atLeast }) is an error below that ABI, with nothing changed",
  async () => {
    const atLeast = kernelAbi + 1;
    expect((await tryVersion("V2", atLeast)) as object).toEqual({
      error: {
        name: "LandlockError",
        message: `Landlock ABI ${atLeast} (Linux ${linuxOf(atLeast)}) is required, but this kernel has ${kernelAbi}: use a newer kernel or a lower atLeast`,
        code: "ERR_LANDLOCK_ABI_TOO_OLD",
        processChanged: false,
      },
      ...unchanged,
    });
  },
);

testFromAbi(1, "bestEffort({ atLeast }) restricts at that ABI", async () => {
  const seen = await inSubprocess(
    { atLeast: Math.min(kernelAbi, 11) },
    async (inside, { atLeast }) => {
      const { landlock, outcome } = inside;
      const { readdirSync } = await import("node:fs");
      const read = () => outcome(() => readdirSync("/"));
      const before = read();
      const { enforcement } = landlock.V1.bestEffort({ atLeast }).restrictPaths();
      return { before, enforcement, after: read() };
    },
  );
  expect(seen as object).toEqual({ before: "ok", enforcement: "full", after: "EACCES" });
});

const source = (file: string) => join(import.meta.dir, "../../src", file);

/** Runs Bun commands in a container without Landlock; returns each one's output and status. */
function whereThereIsNone(commands: Record<string, readonly string[]>) {
  return inSubprocess(commands, (inside, commands) => {
    inside.failSyscalls(444, 446, 38);
    const ended = Object.entries(commands).map(([name, words]) => {
      const { exitCode, stdout, stderr } = Bun.spawnSync([process.execPath, ...words]);
      return [name, { code: exitCode, stdout: stdout.toString(), stderr: stderr.toString() }];
    });
    return Object.fromEntries(ended) as Record<
      string,
      { code: number; stdout: string; stderr: string }
    >;
  });
}

const unsupported =
  "this kernel has no Landlock: use Linux 5.13 or newer, built with CONFIG_SECURITY_LANDLOCK=y";

testFromAbi(
  1,
  "landlock-restrict runs no command where there is no Landlock, unless told",
  async () => {
    const folder = tempDir();
    const policy = (name: string, text: string) => {
      writeFileSync(join(folder, name), text);
      return ["-policy", join(folder, name)];
    };
    const cli = source("cli.ts");
    const echo = ["--", "/bin/echo", "ran"];
    const seen = await whereThereIsNone({
      options: [cli, "-ro", "/usr", ...echo],
      told: [cli, "-ro", "/usr", "-allow-none", ...echo],
      policy: [cli, ...policy("a.json", '{ "bestEffort": true }'), ...echo],
      toldByPolicy: [cli, ...policy("b.json", '{ "bestEffort": { "allowNone": true } }'), ...echo],
      strict: [cli, ...policy("c.json", "{}"), "-allow-none", ...echo],
      floor: [
        cli,
        ...policy("d.json", '{ "bestEffort": { "atLeast": 1 } }'),
        "-allow-none",
        ...echo,
      ],
      both: [cli, "-strict", "-allow-none", ...echo],
      withdrawn: [
        cli,
        ...policy("b.json", '{ "bestEffort": { "allowNone": true } }'),
        "-strict",
        ...echo,
      ],
      explain: [cli, "explain", "-ro", "/usr", ...echo],
    });
    const said = (text: string) => ({
      code: 125,
      stdout: "",
      stderr: `landlock-restrict: ${text}\n`,
    });
    const refusal = said(
      `Cannot run the command in a sandbox: ${unsupported}; to do without a sandbox, add -allow-none`,
    );
    const ran = {
      code: 0,
      stdout: "ran\n",
      stderr: "landlock-restrict: nothing is restricted: see landlock-restrict status\n",
    };
    const strict = said(`Cannot restrict anything: ${unsupported}`);
    expect(seen).toEqual({
      options: refusal,
      told: ran,
      policy: refusal,
      toldByPolicy: ran,
      strict,
      floor: strict,
      both: said("-strict and -allow-none contradict each other: give one of the two"),
      withdrawn: strict,
      explain: strict,
    });
  },
);

testFromAbi(1, "the preload runs no program where there is no Landlock, unless told", async () => {
  const folder = tempDir();
  const program = (name: string, policy: string) => {
    const main = join(folder, name, "main.ts");
    return Bun.write(main, 'console.log("ran")').then(() =>
      Bun.write(join(folder, name, "package.json"), `{ "landlock": ${policy} }`).then(() => [
        "--preload",
        source("preload.ts"),
        main,
      ]),
    );
  };
  const seen = await whereThereIsNone({
    bestEffort: await program("a", '{ "bestEffort": true }'),
    strict: await program("b", "{}"),
    told: await program("c", '{ "bestEffort": { "allowNone": true } }'),
  });
  expect(seen["bestEffort"]).toMatchObject({ code: 1, stdout: "" });
  expect(seen["bestEffort"]!.stderr).toEndWith(
    `bun-landlock/preload: Cannot sandbox this program: ${unsupported}; to do without a sandbox, set "bestEffort": { "allowNone": true }\n`,
  );
  expect(seen["strict"]).toMatchObject({ code: 1, stdout: "" });
  expect(seen["strict"]!.stderr).toEndWith(`Cannot restrict anything: ${unsupported}\n`);
  expect(seen["told"]).toMatchObject({ code: 0, stdout: "ran\n" });
  expect(seen["told"]!.stderr).toContain("Landlock restricts nothing here");
});
