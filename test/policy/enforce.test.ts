/** Enforced policies: what works without one, what it allows, and what it denies. */
import { expect, test } from "bun:test";
import { join } from "node:path";
import { inSubprocess, tempDir, testFromAbi } from "../harness.ts";

/** A folder with the files that these policies name. */
async function tree(): Promise<string> {
  const dir = tempDir();
  for (const name of ["in/a", "out/a", "no/a"]) await Bun.write(join(dir, name), "text");
  return dir;
}

testFromAbi(3, "loadPolicy().restrict() allows what the file says, and nothing else", async () => {
  const dir = await tree();
  const policy = {
    abi: 3,
    ro: ["in"],
    rw: ["out"],
    paths: [
      { access: ["read_file"], paths: ["no/b"], ifMissing: "skip" },
      { access: "ro", paths: ["/proc/self"] },
    ],
  };
  await Bun.write(join(dir, "policy.json"), JSON.stringify(policy));
  const result = await inSubprocess(dir, async ({ loadPolicy, outcome }, dir) => {
    const { readFileSync, writeFileSync, readdirSync } = await import("node:fs");
    const all = () => ({
      read: outcome(() => readFileSync(`${dir}/in/a`)),
      list: outcome(() => readdirSync(`${dir}/in`)),
      write: outcome(() => writeFileSync(`${dir}/in/a`, "text", { flag: "r+" })),
      create: outcome(() => writeFileSync(`${dir}/out/${Math.random()}`, "text")),
      denied: outcome(() => readFileSync(`${dir}/no/a`)),
      listDenied: outcome(() => readdirSync(dir)),
    });
    const before = all();
    const { enforcement, skippedPaths, abi } = loadPolicy(`${dir}/policy.json`).restrict();
    return { before, after: all(), enforcement, skippedPaths, requested: abi.requested };
  });
  expect(result).toEqual({
    before: {
      read: "ok",
      list: "ok",
      write: "ok",
      create: "ok",
      denied: "ok",
      listDenied: "ok",
    },
    after: {
      read: "ok",
      list: "ok",
      write: "EACCES",
      create: "ok",
      denied: "EACCES",
      listDenied: "EACCES",
    },
    enforcement: "full",
    skippedPaths: [`${dir}/no/b`],
    requested: 3,
  });
});

testFromAbi(
  4,
  "unrestricted leaves a family alone, and ports are what the policy says",
  async () => {
    using server = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
    const args = { port: server.port, dir: await tree() };
    const result = await inSubprocess(args, async ({ parsePolicy, outcome, outcomeOf }, args) => {
      const { readFileSync } = await import("node:fs");
      const connect = (port: number) =>
        outcomeOf(() => Bun.connect({ hostname: "127.0.0.1", port, socket: { data() {} } }));
      const read = () => outcome(() => readFileSync(`${args.dir}/no/a`));
      const before = [read(), await connect(args.port)];
      parsePolicy({ abi: 4, connectTcp: [args.port], unrestricted: ["paths"] }).restrict();
      const between = [read(), await connect(args.port)];
      parsePolicy({ abi: 4, unrestricted: ["paths"] }).restrict();
      return { before, between, after: [read(), await connect(args.port)] };
    });
    expect(result).toEqual({
      before: ["ok", "ok"],
      between: ["ok", "ok"],
      after: ["ok", "EACCES"],
    });
  },
);

testFromAbi(4, "a policy restricts only binding, or only connecting", async () => {
  using server = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
  for (const free of ["connectTcp", "bindTcp"] as const) {
    const args = { free, port: server.port };
    const result = await inSubprocess(args, async ({ parsePolicy, outcome, outcomeOf }, args) => {
      const hostname = "127.0.0.1";
      const both = async () => ({
        bindTcp: outcome(() => Bun.listen({ hostname, port: 0, socket: { data() {} } }).stop()),
        connectTcp: await outcomeOf(() =>
          Bun.connect({ hostname, port: args.port, socket: { data() {} } }),
        ),
      });
      const before = await both();
      parsePolicy({ abi: 4, unrestricted: ["paths", args.free] }).restrict();
      return { before, after: await both() };
    });
    expect(result.before).toEqual({ bindTcp: "ok", connectTcp: "ok" });
    expect(result.after).toEqual({ bindTcp: "EACCES", connectTcp: "EACCES", [free]: "ok" });
  }
});

testFromAbi(3, "a file of the Landlock project's format is enforced as it says", async () => {
  const dir = await tree();
  const toml = `abi = 3
    [[variable]]
    name = "dirs"
    literal = ["in", "missing"]
    [[path_beneath]]
    allowed_access = ["abi.read_execute"]
    parent = ["\${dirs}", "${dir}/in/a"]
    [[path_beneath]]
    allowed_access = ["abi.read_write"]
    parent = ["out"]`;
  await Bun.write(join(dir, "policy.toml"), toml);
  const result = await inSubprocess(dir, async ({ loadPolicy, outcome }, dir) => {
    const { readFileSync, writeFileSync, renameSync } = await import("node:fs");
    const all = () => [
      outcome(() => readFileSync(`${dir}/in/a`)),
      outcome(() => writeFileSync(`${dir}/in/a`, "text", { flag: "r+" })),
      outcome(() => renameSync(`${dir}/out/a`, `${dir}/out/b`)),
      outcome(() => renameSync(`${dir}/out/b`, `${dir}/out/a`)),
      outcome(() => readFileSync(`${dir}/no/a`)),
    ];
    const before = all();
    const { enforcement, skippedPaths } = loadPolicy(`${dir}/policy.toml`).restrict();
    return { before, after: all(), enforcement, skippedPaths };
  });
  expect(result).toEqual({
    before: ["ok", "ok", "ok", "ok", "ok"],
    after: ["ok", "EACCES", "ok", "ok", "EACCES"],
    enforcement: "full",
    skippedPaths: [`${dir}/missing`],
  });
});

testFromAbi(1, "ruleset() restricts a child, plan() and an error nobody", async () => {
  const dir = await tree();
  const result = await inSubprocess(dir, async (inside, dir) => {
    const { parsePolicy, outcome, thrown, threadField } = inside;
    const { readFileSync } = await import("node:fs");
    const system = ["/usr", "/bin", "/lib", "/lib64"];
    const policy = parsePolicy({
      abi: 1,
      paths: [{ access: "ro", paths: [...system, `${dir}/in`], ifMissing: "skip" }],
    });
    using ruleset = policy.ruleset();
    const cat = (path: string) =>
      ruleset.spawnSync(["cat", path], { stdout: "ignore", stderr: "ignore" }).exitCode;
    const child = [cat(`${dir}/in/a`), cat(`${dir}/no/a`)];
    const planned = policy.plan().handled.fs.length;
    const error = thrown(() => parsePolicy({ abi: 1, ro: ["missing"] }, { base: dir }).restrict());
    const own = outcome(() => readFileSync(`${dir}/no/a`));
    return { child, planned, error, own, noNewPrivs: new Set(threadField("NoNewPrivs")).size };
  });
  expect(result).toMatchObject({
    child: [0, 1],
    planned: 13,
    own: "ok",
    noNewPrivs: 1,
    error: {
      code: "ERR_LANDLOCK_PATH",
      errnoName: "ENOENT",
      path: `${dir}/missing`,
      message: `parsePolicy(): Cannot grant execute, read_file, read_dir beneath "${dir}/missing": open failed with ENOENT; create it, or put it under paths with "ifMissing": "skip"`,
    },
  });
});

test("on a kernel that lacks something, a strict policy says which keys help", async () => {
  const message = await inSubprocess({}, ({ parsePolicy, failSyscalls, thrown }) => {
    const before = thrown(() => parsePolicy({}).plan());
    failSyscalls(444, 446, 38);
    return [before?.["message"] ?? "", thrown(() => parsePolicy({}).restrict())?.["message"]];
  });
  const [here, blocked] = message as [string, string];
  if (here !== "") {
    expect(here).toStartWith("parsePolicy(): Cannot restrict ");
    expect(here).not.toContain(".bestEffort()");
  }
  expect(blocked).toStartWith(
    "parsePolicy(): Cannot restrict anything: this kernel has no Landlock",
  );
});
