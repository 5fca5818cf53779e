/** The preload: programs that know nothing of it, in the sandbox of their policy or not at all. */
import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import { tempDir, testFromAbi } from "../harness.ts";

const preload = join(import.meta.dir, "..", "..", "src", "preload.ts");

/** Says what it can read, by another thread too, and that it ran. */
const program = `
  import { readFileSync } from "node:fs";
  import { readFile } from "node:fs/promises";
  import { other } from "./other.ts";
  const code = (error) => error.code;
  const sync = (path) => { try { return readFileSync(path, "utf8"); } catch (error) { return code(error); } };
  const name = (file) => new URL(file, import.meta.url).pathname;
  console.log(other, sync(name("in")), sync(name("../no")), await readFile(name("../no")).then(String, code));`;

/** A program in app/, and next to it a file that its policies do not name. */
async function project(files: Record<string, string> = {}): Promise<string> {
  const dir = tempDir();
  const all = { "app/main.ts": program, "app/other.ts": "export const other = 1;", ...files };
  for (const [name, text] of Object.entries({ "app/in": "in", no: "no", ...all })) {
    await Bun.write(join(dir, name), text);
  }
  return dir;
}

interface RunOptions {
  readonly cwd?: string;
  readonly env?: Record<string, string>;
  /** Flags of Bun. */
  readonly flags?: string[];
}

function run(dir: string, script: string, options: RunOptions = {}) {
  const { cwd = "", env = {}, flags = ["--preload", preload] } = options;
  const done = Bun.spawnSync([process.execPath, ...flags, script], {
    cwd: join(dir, cwd),
    env: { ...process.env, ...env },
    timeout: 50_000,
  });
  const stderr = done.stderr.toString().replaceAll(dir, "");
  return { stdout: done.stdout.toString(), stderr, code: done.exitCode };
}

const free = { stdout: "1 in no no\n", stderr: "", code: 0 };
const confined = { stdout: "1 in EACCES EACCES\n", stderr: "", code: 0 };
const policy = '{ "bestEffort": true, "ro": ["."] }';
const manifest = `{ "name": "app", "landlock": ${policy} }`;

describe("the policy", () => {
  testFromAbi(1, "of the package.json in the script's folder, wherever the cwd is", async () => {
    const dir = await project({ "app/package.json": manifest });
    expect(run(dir, "app/main.ts", { flags: [] })).toEqual(free);
    expect(run(dir, "main.ts", { cwd: "app" })).toEqual(confined);
    expect(run(dir, "app/main.ts")).toEqual(confined);
    expect(run(dir, join(dir, "app/main.ts"), { cwd: "../.." })).toEqual(confined);
  });

  testFromAbi(1, "of the nearest package.json above", async () => {
    const files = {
      "app/package.json": manifest,
      "app/src/deep/main.ts": 'import "../../main.ts";',
    };
    const dir = await project(files);
    expect(run(dir, "app/src/deep/main.ts")).toEqual(confined);
  });

  testFromAbi(1, "of a script that a symbolic link leads to", async () => {
    const dir = await project({ "app/package.json": manifest });
    Bun.spawnSync(["ln", "-s", join(dir, "app/main.ts"), join(dir, "link.ts")]);
    expect(run(dir, "link.ts")).toEqual(confined);
  });

  testFromAbi(1, "of the file that BUN_LANDLOCK_POLICY names, in place of any other", async () => {
    const files = {
      "app/package.json": '{ "landlock": "wrong" }',
      "policy.toml": 'bestEffort = true\nro = ["app"]',
    };
    const dir = await project(files);
    for (const name of ["policy.toml", join(dir, "policy.toml")]) {
      expect(run(dir, "app/main.ts", { env: { BUN_LANDLOCK_POLICY: name } })).toEqual(confined);
    }
  });

  testFromAbi(1, "also holds for what -e runs: that of the current directory", async () => {
    const dir = await project({ "app/package.json": manifest });
    const flags = ["--preload", preload, "-e"];
    expect(run(dir, 'import "./main.ts"', { cwd: "app", flags })).toEqual(confined);
  });

  testFromAbi(1, "is in force with one line in bunfig.toml", async () => {
    const bunfig = `preload = [${JSON.stringify(preload)}]`;
    const dir = await project({ "app/package.json": manifest, "app/bunfig.toml": bunfig });
    expect(run(dir, "main.ts", { cwd: "app", flags: [] })).toEqual(confined);
  });
});

describe("without a valid policy no code of the program runs", () => {
  const cases: [name: string, files: Record<string, string>, message: string][] = [
    [
      "a package.json without the key, whatever is above it",
      { "package.json": manifest, "app/package.json": "{}" },
      '"/app/package.json" has no policy: add the key "landlock", or name another file',
    ],
    [
      "a package.json that cannot be parsed",
      { "app/package.json": '{ "landlock": ' },
      'Cannot parse "/app/package.json": JSONC Parse error: Unexpected end of file; correct the file',
    ],
    [
      "an invalid policy",
      { "app/package.json": '{ "landlock": { "ro": ["."], "rx": [] } }' },
      '"/app/package.json"#landlock: "rx" is unknown: did you mean "ro"?',
    ],
    [
      "a policy with a path that is missing",
      { "app/package.json": '{ "landlock": { "bestEffort": true, "ro": ["src"] } }' },
      '"/app/package.json"#landlock: Cannot grant execute, read_file, read_dir beneath "/app/src": open failed with ENOENT',
    ],
  ];
  for (const [name, files, message] of cases) {
    testFromAbi(1, name, async () => {
      const { stdout, stderr, code } = run(await project(files), "app/main.ts");
      expect({ stdout, code }).toEqual({ stdout: "", code: 1 });
      expect(stderr).toStartWith(`bun-landlock/preload: ${message.slice(0, 60)}`);
      expect(stderr.trimEnd().split("\n")).toHaveLength(1);
    });
  }

  test("no package.json at all", async () => {
    const { stdout, stderr, code } = run(await project(), "app/main.ts");
    expect({ stdout, code }).toEqual({ stdout: "", code: 1 });
    expect(stderr).toBe(
      'bun-landlock/preload: Cannot find a policy: there is no package.json in the folder of "/app/main.ts" or above; name a file with BUN_LANDLOCK_POLICY\n',
    );
  });

  test("a script of an installed package: it does not say itself what it may do", async () => {
    const inside = "app/node_modules/tool";
    const files = {
      "app/package.json": manifest,
      [`${inside}/package.json`]: '{ "landlock": { "rw": ["/"] } }',
      [`${inside}/main.ts`]: 'console.log("ran");',
    };
    const { stdout, stderr, code } = run(await project(files), `${inside}/main.ts`);
    expect({ stdout, code }).toEqual({ stdout: "", code: 1 });
    expect(stderr).toBe(
      `bun-landlock/preload: Cannot find a policy: "/${inside}/package.json" belongs to an installed package; name a file with BUN_LANDLOCK_POLICY\n`,
    );
  });

  test("a file of BUN_LANDLOCK_POLICY that is missing, or named by nothing", async () => {
    const dir = await project({ "app/package.json": manifest });
    const attempt = (name: string) =>
      run(dir, "app/main.ts", { env: { BUN_LANDLOCK_POLICY: name } });
    expect(attempt("x.json")).toEqual({
      stdout: "",
      stderr:
        'bun-landlock/preload: Cannot read the policy "/x.json": open failed with ENOENT; name a file that can be read\n',
      code: 1,
    });
    expect(attempt("")).toMatchObject({ stdout: "", code: 1 });
  });
});

describe("Workers", () => {
  const main = (count: number) => `
    const report = (options) => new Promise((done) => {
      const worker = new Worker(new URL("./worker.ts", import.meta.url).href, options);
      worker.onmessage = ({ data }) => { done(data); worker.terminate(); };
      worker.addEventListener("close", ({ code }) => done("ended with " + code));
    });
    const preload = ${JSON.stringify([preload])};
    const seen = new Set();
    for (let i = 0; i < ${count}; i++) seen.add(await report({ preload }));
    console.log(...seen, await report({}));`;
  const worker = `
    import { readFileSync } from "node:fs";
    try { postMessage(readFileSync(new URL("../no", import.meta.url), "utf8")); }
    catch (error) { postMessage(error.code); }`;
  const files = (count: number) => ({
    "app/main.ts": main(count),
    "app/worker.ts": worker,
    // The sources of the preload, for the Workers that name it.
    "app/package.json": JSON.stringify({
      landlock: { bestEffort: true, ro: [".", join(preload, "../.."), process.execPath] },
    }),
  });

  testFromAbi(
    1,
    "are confined, and 18 that preload it too add no layer",
    async () => {
      const dir = await project(files(18));
      expect(run(dir, "app/main.ts")).toEqual({ stdout: "EACCES EACCES\n", stderr: "", code: 0 });
    },
    60_000,
  );

  test("that preload it in a process that did not never run their code", async () => {
    const dir = await project(files(1));
    const { stdout, stderr } = run(dir, "app/main.ts", { flags: [] });
    expect(stdout).toBe("ended with 1 no\n");
    expect(stderr.split("\n")[0]).toBe(
      "bun-landlock/preload: Cannot restrict a Worker alone: preload this where the process starts",
    );
  }, 30_000);

  test("are not taken in by a mark of another process", async () => {
    const dir = await project(files(1));
    const env = { BUN_LANDLOCK_PRELOADED: `${process.pid}` };
    expect(run(dir, "app/main.ts", { flags: [], env }).stdout).toBe("ended with 1 no\n");
  }, 30_000);
});

describe("a .env file of the program", () => {
  /** A program that says what it can read outside, and what its own .env file set. */
  const curious = `
    import { readFileSync } from "node:fs";
    const read = (path) => { try { return readFileSync(path, "utf8"); } catch (error) { return error.code; } };
    console.log(read(process.argv[2]), process.env.SET_BY_FILE);`;

  async function hostile(policy: object, variables: Record<string, string>) {
    const dir = await project({
      "app/main.ts": curious,
      "app/package.json": JSON.stringify({ name: "app", landlock: policy }),
      "secrets/key": "secret",
      "free.json": '{ "bestEffort": true, "ro": ["/"] }',
    });
    const lines = Object.entries({ ...variables, SET_BY_FILE: "yes" }).map(
      ([name, value]) => `${name}=${value.replaceAll("DIR", dir)}\n`,
    );
    await Bun.write(join(dir, "app/.env"), lines.join(""));
    const done = Bun.spawnSync(
      [process.execPath, "--preload", preload, "main.ts", `${dir}/secrets/key`],
      { cwd: join(dir, "app") },
    );
    return done.stdout.toString();
  }

  const strict = { bestEffort: true, ro: ["."] };

  testFromAbi(1, "does not name the policy", async () => {
    const variables = { BUN_LANDLOCK_POLICY: "DIR/free.json" };
    expect(await hostile(strict, variables)).toBe("EACCES yes\n");
    expect(await hostile({ ...strict, ro: ["/"] }, {})).toBe("secret yes\n");
  });

  testFromAbi(
    1,
    "does not choose what a preset or a variable of the policy stands for",
    async () => {
      for (const [preset, name] of [
        ["tls", "SSL_CERT_DIR"],
        ["tls", "SSL_CERT_FILE"],
        ["timezone", "TZDIR"],
      ] as const) {
        const policy = { ...strict, presets: [preset] };
        const value = name === "SSL_CERT_FILE" ? "DIR/secrets/key" : "DIR/secrets";
        expect(await hostile(policy, { [name]: value })).toBe("EACCES yes\n");
      }
      const variable = { ...strict, ro: [".", "${EXTRA}"], variables: { EXTRA: { env: "EXTRA" } } };
      // There is no such variable then, so that the program does not run.
      expect(await hostile(variable, { EXTRA: "DIR/secrets" })).toBe("");
    },
  );
});
