/**
 * Provokes a denial, explains it, and applies exactly the proposed rule, as data. Each run has a
 * process and a folder of its own.
 */
import { expect } from "bun:test";
import { fileRows } from "./rows-files.ts";
import { loadRows } from "./rows-loads.ts";
import { networkRows, newerRows } from "./rows-network.ts";
import { childRows, programRows } from "./rows-programs.ts";
import * as library from "../../src/index.ts";
import { composite, connectTcp, type Fix, type Rule } from "../../src/index.ts";
import { inSubprocess, kernelAbi, tempDir, testUnless } from "../harness.ts";
import { hostsName, makePlace, serve } from "./machine.ts";
import type { Row, Rows } from "./rows.ts";

export interface Run {
  /** The error as text; empty if it worked. */
  readonly thrown?: string;
  readonly explained?: {
    readonly cause: string;
    readonly certain: boolean;
    readonly message: string;
    readonly fixes: readonly Fix[];
  };
  /** How each canary next to the place is protected after the restriction. */
  readonly canary: readonly string[];
}

/** The results of one row. */
export interface Tried {
  readonly free: Run;
  readonly denied: Run;
  /** One run for each proposed rule, with nothing else added. */
  readonly fixed: readonly { readonly code: string; readonly run: Run }[];
  /** Replaces what changes from run to run in a text. */
  readonly plain: (text: string) => string;
}

/** Runs an action unrestricted, restricted, and restricted with each proposed rule. */
export async function tryRow(row: Row): Promise<Tried> {
  const dir = makePlace(tempDir());
  using server = serve(row.server, dir);
  const { port } = server;
  const plain = (text: string) =>
    text.replaceAll(dir, "DIR").replaceAll(new RegExp(`\\b${port || "none"}\\b`, "g"), "PORT");
  const before = [...(row.rules ?? []), ...(row.connects ? [connectTcp(port)] : [])];
  // The restricted run first, because it changes nothing.
  const denied = await run(row, dir, port, before, "restricted");
  const fixed = [];
  for (const fix of denied.explained?.fixes ?? []) {
    const other = makePlace(tempDir());
    const rule = placedRule(ruleOf(fix), dir, other);
    using again = serve(row.server === "unix" ? "unix" : undefined, other);
    void again;
    const result = await run(row, other, port, [...before, rule], "restricted");
    fixed.push({ code: plain(fix.code), run: result });
  }
  const free = await run(row, dir, port, [], "free");
  return { free, denied, fixed, plain };
}

/**
 * The rule as data; built from its code if only a process outside the sandbox can know the data.
 */
function ruleOf({ rule, code }: Fix): Rule {
  if (rule !== undefined) return rule;
  const names = Object.keys(library);
  const values = names.map((name) => library[name as keyof typeof library]);
  return new Function(...names, `return composite(${code})`)(...values) as Rule;
}

/** Moves the rule to another folder, since each run needs an untouched one. */
function placedRule(rule: Rule, from: string, to: string): Rule {
  const toOtherFiles = (key: string, value: unknown) => (key === "identities" ? undefined : value);
  return JSON.parse(JSON.stringify(composite(rule), toOtherFiles).replaceAll(from, to)) as Rule;
}

function run(
  row: Row,
  dir: string,
  port: number,
  rules: readonly Rule[],
  how: "free" | "restricted",
): Promise<Run> {
  const { olderLayer } = row;
  const proposed = rules.slice(row.rules?.length ?? 0);
  const older = olderLayer && [...olderLayer, ...proposed];
  const options = { ...row.options, ...(row.options?.port === undefined ? {} : { port }) };
  const place = (value: unknown) =>
    JSON.parse(JSON.stringify(value ?? null).replaceAll("DIR", dir));
  const args = {
    action: row.action.toString(),
    inner: row.inner ?? false,
    how,
    dir,
    port,
    pid: process.pid,
    host: hostsName,
    rules: place(rules) as Rule[],
    older: place(older) as Rule[] | null,
    options: place(options) as NonNullable<Row["options"]>,
  };
  const env = row.server === "tls" ? { SSL_CERT_FILE: `${dir}/authority.pem` } : {};
  return inSubprocess(args, inside, { env, ...(row.cwd ? { cwd: dir } : {}) });
}

/** Sent as source text: see `inSubprocess()`. */
async function inside(
  library: typeof import("../inside.ts"),
  args: {
    action: string;
    inner: boolean;
    how: "free" | "restricted";
    dir: string;
    port: number;
    pid: number;
    host: string;
    rules: Rule[];
    older: Rule[] | null;
    options: NonNullable<Row["options"]>;
  },
): Promise<Run> {
  const { call, explain, landlock, loopback, outcome } = library;
  const { dir, rules } = args;
  const [fs, net, dns, dgram, childProcess, module, { Database }] = await Promise.all([
    import("node:fs"),
    import("node:net"),
    import("node:dns"),
    import("node:dgram"),
    import("node:child_process"),
    import("node:module"),
    import("bun:sqlite"),
  ]);
  const config = landlock.V11.bestEffort();
  const restrict = () => {
    for (const layer of args.older ? [args.older, rules] : [rules]) {
      using ruleset = config.ruleset(...layer);
      ruleset.restrictSelf({ deadlineMs: 20_000 });
    }
  };
  if (args.how === "restricted" && !args.inner) restrict();
  const action = (0, eval)(`(${args.action})`) as (use: object) => unknown;
  const modules = { fs, net, dns, dgram, childProcess, module, Database };
  const given = args.how === "free" ? [library.roDirs("/"), library.rwFiles("/dev/null")] : rules;
  const late = Bun.sleep(5000).then(() => Promise.reject(new Error("no answer in 5 s")));
  let result: Partial<Run> = {};
  try {
    await Promise.race([action({ ...args, ...modules, rules: given, inside: library }), late]);
  } catch (error) {
    const { message, signalCode, exitCode } = error as Record<string, unknown>;
    const { cause, certain, message: said, fixes } = explain(error, args.options);
    const thrown = `${message ?? signalCode ?? `exit status ${exitCode}`}`;
    result = { thrown, explained: { cause, certain, message: said, fixes } };
  }
  if (args.how === "free") return { ...result, canary: [] };
  if (args.inner) restrict();
  const canary = `${dir}/../canary`;
  const stdio: ["inherit", "inherit", "inherit"] = ["inherit", "inherit", "inherit"];
  const outcomes = [
    outcome(() => fs.readFileSync(`${canary}/secret`)),
    outcome(() => fs.writeFileSync(`${canary}/secret`, "")),
    outcome(() => fs.readdirSync(canary)),
    outcome(() => fs.mkdirSync(`${canary}/made`)),
    outcome(() => fs.unlinkSync(`${canary}/secret`)),
    outcome(() => Bun.spawnSync([`${canary}/run`], { stdio })),
    outcome(() => call("connect", call("socket", 2, 1, 0), loopback(1), 16)),
  ];
  return { ...result, canary: outcomes };
}

// Below ABI 4 connecting is not restricted, and no server listens on that port.
const canary = [...Array(6).fill("EACCES"), kernelAbi < 4 ? "ECONNREFUSED" : "EACCES"];

/**
 * Tests each proposed rule: exactly that rule makes the row work, and its neighbours stay denied.
 * Each row runs unrestricted, restricted, and with each rule.
 */
export function testRows(rows: Rows): void {
  for (const [name, row] of Object.entries(rows)) testRow(name, row);
}

function testRow(name: string, row: Row): void {
  const needs = row.abi ?? 1;
  const tooOld =
    kernelAbi < needs ? `needs Landlock ABI ${needs}, this kernel has ${kernelAbi}` : "";
  testUnless(tooOld || (row.missing ?? ""), name, async () => {
    const { free, denied, fixed, plain } = await tryRow(row);
    expect(free.thrown).toBeUndefined();
    const { cause, certain, message, fixes } = denied.explained!;
    expect([cause, certain]).toEqual(["landlock", !row.uncertain]);
    expect(message).toStartWith("Landlock: ");
    expect(denied.canary).toEqual(canary);
    const codes = fixes.map(({ code }) => plain(code));
    if (row.code === undefined) return expect(codes).toEqual([]);
    if (row.code instanceof RegExp) expect(codes[0]).toMatch(row.code);
    else expect(codes[0]).toBe(row.code);
    const outcomes = fixed.map(({ code, run }) => [code, run.thrown ?? "ok"]);
    const worked = outcomes.filter(([, outcome]) => outcome === "ok");
    // If the cause was certain, each rule alone is enough.
    if (certain) expect(worked).toEqual(outcomes);
    expect(worked.length).toBeGreaterThan(0);
    for (const { run } of fixed) expect(run.canary).toEqual(canary);
  });
}

export const rows: Rows = {
  ...fileRows,
  ...networkRows,
  ...newerRows,
  ...programRows,
  ...childRows,
  ...loadRows,
};
