/** Audit flags, quiet rules and the report, on the running kernel. */
import { expect } from "bun:test";
import { accessFs, accessNet, landlock, planFor, probe, scopes } from "../../src/index.ts";
import { inSubprocess, kernelAbi, tempDir, testFromAbi, testOnAbis } from "../harness.ts";
import { threadField } from "../inside.ts";

const method = kernelAbi >= 8 ? "tsync" : "broadcast";
const canScopeSignals = kernelAbi >= 8 || (kernelAbi >= 6 && (probe().errata & 2) !== 0);
const empty = { fs: [], net: [], scoped: [] };
const noNewPrivs = [...new Set(threadField("NoNewPrivs"))];

const flags = {
  log_same_exec_off: "disableLoggingForOriginatingProcess",
  log_new_exec_on: "enableLoggingForSubprocesses",
  log_subdomains_off: "disableLoggingForSubdomains",
} as const;
const flagNames = Object.keys(flags) as (keyof typeof flags)[];

/** Restricts with log flags and returns the outcome. */
function tryFlags(names: readonly (keyof typeof flags)[], mode: "strict" | "best-effort") {
  const methods = names.map((name) => flags[name]);
  return inSubprocess({ methods, mode, dir: tempDir() }, async (inside, { methods, mode, dir }) => {
    const { landlock, roDirs, outcome, thrown } = inside;
    const { readdirSync } = await import("node:fs");
    const read = () => [dir, "/"].map((path) => outcome(() => readdirSync(path)));
    let config = landlock.V1;
    for (const method of methods) config = config[method]();
    if (mode === "best-effort") config = config.bestEffort();
    const before = read();
    const { flags } = config.bestEffort().plan();
    let report: ReturnType<typeof config.restrictPaths> | undefined;
    const error = thrown(() => (report = config.restrictPaths(roDirs(dir))));
    const { enforcement, unenforced } = report ?? {};
    return { before, flags, error, enforcement, logging: unenforced?.logging, after: read() };
  });
}

const threadFlags = [
  ...(kernelAbi >= 8 ? ["tsync"] : []),
  ...(kernelAbi >= 11 ? ["no_new_privs"] : []),
];

for (const names of [...flagNames.map((name) => [name]), flagNames]) {
  const calls = names.map((name) => `${flags[name]}()`).join(" and ");
  testFromAbi(7, `${calls} is accepted by the kernel, strict and in best effort`, async () => {
    const enforced = {
      before: ["ok", "ok"],
      flags: [...names, ...threadFlags],
      enforcement: "full",
      logging: [],
      after: ["ok", "EACCES"],
    };
    expect((await tryFlags(names, "strict")) as object).toEqual(enforced);
    expect((await tryFlags(names, "best-effort")) as object).toEqual(enforced);
  });
}

testOnAbis(
  1,
  6,
  "below ABI 7 log flags are an error; in best effort they are left out and reported",
  async () => {
    const [strict, best] = await Promise.all([
      tryFlags(flagNames, "strict"),
      tryFlags(flagNames, "best-effort"),
    ]);
    expect(strict as object).toMatchObject({
      error: { code: "ERR_LANDLOCK_ABI_TOO_OLD", processChanged: false },
      after: ["ok", "ok"],
    });
    expect(best as object).toEqual({
      before: ["ok", "ok"],
      flags: [],
      enforcement: "full",
      logging: flagNames,
      after: ["ok", "EACCES"],
    });
  },
);

/** Restricts with a quiet rule that grants reading below `dir`. */
function tryQuiet(mode: "strict" | "best-effort") {
  return inSubprocess({ mode, dir: tempDir() }, async (inside, { mode, dir }) => {
    const { landlock, pathAccess, outcome, threadField, thrown } = inside;
    const { mkdirSync, readdirSync, writeFileSync } = await import("node:fs");
    for (const name of ["granted", "silent"]) mkdirSync(`${dir}/${name}`);
    const paths = [`${dir}/granted`, `${dir}/silent`, "/"];
    const read = () => paths.map((path) => outcome(() => readdirSync(path)));
    const before = read();
    const config = mode === "strict" ? landlock.V1 : landlock.V1.bestEffort();
    let report: ReturnType<typeof config.restrictPaths> | undefined;
    const error = thrown(() => {
      report = config.restrictPaths(
        pathAccess(["read_dir"], paths[0]!).quiet(),
        pathAccess([], paths[1]!).quiet(),
      );
    });
    const { enforcement, unenforced, rules = [] } = report ?? {};
    const quiet = rules.map((rule) => rule.quiet);
    const noNewPrivs = error && [...new Set(threadField("NoNewPrivs"))];
    const after = [...read(), outcome(() => writeFileSync(`${dir}/granted/new`, ""))];
    return { before, error, noNewPrivs, enforcement, unenforced, quiet, after };
  });
}

testFromAbi(
  10,
  "quiet() rules are accepted by the kernel; what is denied stays denied",
  async () => {
    const enforced = {
      before: ["ok", "ok", "ok"],
      enforcement: "full",
      unenforced: { ...empty, logging: [] },
      quiet: [true, true],
      after: ["ok", "EACCES", "EACCES", "EACCES"],
    };
    expect((await tryQuiet("strict")) as object).toEqual(enforced);
    expect((await tryQuiet("best-effort")) as object).toEqual(enforced);
  },
);

testOnAbis(
  1,
  9,
  "below ABI 10 quiet() is an error with nothing changed; in best effort reported",
  async () => {
    expect((await tryQuiet("strict")) as object).toEqual({
      before: ["ok", "ok", "ok"],
      error: {
        name: "LandlockError",
        message: `Cannot restrict quiet: quiet needs Landlock ABI 10 (Linux 7.2), but this kernel has ${kernelAbi}; use a lower version, or .bestEffort() to restrict what is possible`,
        code: "ERR_LANDLOCK_ABI_TOO_OLD",
        processChanged: false,
      },
      noNewPrivs,
      quiet: [],
      after: ["ok", "ok", "ok", "ok"],
    });
    expect((await tryQuiet("best-effort")) as object).toEqual({
      before: ["ok", "ok", "ok"],
      enforcement: "full",
      unenforced: { ...empty, logging: ["quiet"] },
      quiet: [false],
      after: ["ok", "EACCES", "EACCES", "EACCES"],
    });
  },
);

testFromAbi(1, "the report of a full enforcement says all of it", async () => {
  const dir = tempDir();
  const seen = await inSubprocess({ dir }, async ({ landlock, roDirs, outcome }, { dir }) => {
    const { readdirSync } = await import("node:fs");
    const read = () => [dir, "/"].map((path) => outcome(() => readdirSync(path)));
    const before = read();
    const report = landlock.V1.restrictPaths(roDirs(dir));
    return { before, report, frozen: Object.isFrozen(report), after: read() };
  });
  expect(seen.report.threads.count).toBeGreaterThan(1);
  expect(seen as object).toEqual({
    before: ["ok", "ok"],
    report: {
      enforcement: "full",
      abi: { kernel: kernelAbi, requested: 1, used: 1 },
      handled: { fs: accessFs.slice(0, 13), net: [], scoped: [] },
      unenforced: { ...empty, logging: [] },
      ungranted: [],
      skippedPaths: [],
      createdPaths: [],
      rules: [
        {
          path: dir,
          access: ["execute", "read_file", "read_dir"],
          onFile: "narrow",
          onMissing: "fail",
          quiet: false,
        },
      ],
      threads: { count: seen.report.threads.count, method },
      rewritable: [],
      notCovered: planFor(landlock.V1, [], probe()).notCovered,
    },
    frozen: true,
    after: ["ok", "EACCES"],
  });
});

testFromAbi(2, "the report of a best effort names what this kernel cannot restrict", async () => {
  const dir = tempDir();
  const seen = await inSubprocess({ dir }, async (inside, { dir }) => {
    const { bindUdp, connectTcp, landlock, rwDirs, outcome } = inside;
    const { readdirSync } = await import("node:fs");
    const read = () => [dir, "/"].map((path) => outcome(() => readdirSync(path)));
    const before = read();
    const rules = [rwDirs(dir).withResolveUnix(), connectTcp(443), bindUdp(0)];
    const report = landlock.V11.bestEffort().restrict(...rules);
    return { before, report, after: read() };
  });
  const fs = [0, 13, 14, 15, 15, 16, 16, 16, 16][kernelAbi] ?? 17;
  const net = kernelAbi < 4 ? 0 : kernelAbi < 10 ? 2 : 4;
  const scoped = scopes.filter(
    (scope) => kernelAbi >= 6 && (scope !== "signal" || canScopeSignals),
  );
  const abilities = accessFs.slice(0, fs);
  const path = { path: dir, onFile: "narrow", onMissing: "fail", quiet: false };
  expect(seen as object).toEqual({
    before: ["ok", "ok"],
    report: {
      enforcement: kernelAbi < 10 ? "partial" : "full",
      abi: { kernel: kernelAbi, requested: 11, used: Math.min(kernelAbi, 11) },
      handled: { fs: abilities, net: accessNet.slice(0, net), scoped },
      unenforced: {
        fs: accessFs.slice(fs),
        net: accessNet.slice(net),
        scoped: scopes.filter((scope) => !scoped.includes(scope)),
        logging: [],
      },
      ungranted: [],
      skippedPaths: [],
      createdPaths: [],
      rules: [
        {
          ...path,
          access: abilities.filter((right) => right !== "refer" && right !== "ioctl_dev"),
        },
        ...(net >= 2 ? [{ port: 443, access: ["connect_tcp"], quiet: false }] : []),
        ...(net >= 4 ? [{ port: 0, access: ["bind_udp"], quiet: false }] : []),
      ],
      threads: { count: seen.report.threads.count, method },
      rewritable: [],
      notCovered: planFor(landlock.V11.bestEffort(), [], probe()).notCovered,
    },
    after: ["ok", "EACCES"],
  });
});
