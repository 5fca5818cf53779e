/** The preload: unmodified programs run in the sandbox of their policy, or not at all. */
import { describe, expect, test } from "bun:test";
import { chmodSync, chownSync, lchownSync, mkdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { kernelAbi, tempDir, testFromAbi, testUnless } from "../harness.ts";

const preload = join(import.meta.dir, "..", "..", "src", "preload.ts");

/** Prints what it can read, also on another thread, and that it ran. */
const program = `
  import { readFileSync } from "node:fs";
  import { readFile } from "node:fs/promises";
  import { other } from "./other.ts";
  const code = (error) => error.code;
  const sync = (path) => { try { return readFileSync(path, "utf8"); } catch (error) { return code(error); } };
  const name = (file) => new URL(file, import.meta.url).pathname;
  console.log(other, sync(name("in")), sync(name("../no")), await readFile(name("../no")).then(String, code));`;

/** A program in app/, next to a file that its policies do not name. */
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

  testFromAbi(1, "one that .env names, in place of that of the project", async () => {
    const dir = await project({
      "app/package.json": manifest,
      "app/.env": "BUN_LANDLOCK_POLICY=free.json\n",
      "app/free.json": '{ "bestEffort": true, "rw": ["/"] }',
    });
    expect(run(dir, "main.ts", { cwd: "app" })).toEqual(confined);
    await Bun.write(join(dir, "app/package.json"), "{}");
    expect(run(dir, "main.ts", { cwd: "app" })).toMatchObject({ stdout: "", code: 1 });
  });

  test("a script of a package that is linked to Bun's cache", async () => {
    const inside = "cache/tool@1.0.0@@@1";
    const dir = await project({
      "app/package.json": manifest,
      [`${inside}/package.json`]: '{ "landlock": { "rw": ["/"] } }',
      [`${inside}/main.ts`]: 'console.log("ran");',
      "app/node_modules/tool/package.json": "{}",
    });
    symlinkSync(join(dir, inside, "main.ts"), join(dir, "app/node_modules/tool/main.ts"));
    const { stdout, stderr, code } = run(dir, "app/node_modules/tool/main.ts");
    expect({ stdout, code }).toEqual({ stdout: "", code: 1 });
    expect(stderr).toContain(`"/${inside}/package.json" belongs to an installed package`);
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
    // The sources of the preload, for Workers that name it.
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

  testFromAbi(
    1,
    "that get an environment of their own are confined, and preload it too",
    async () => {
      const own = main(1).replaceAll(", options)", ", { ...options, env: {} })");
      const dir = await project({ ...files(1), "app/main.ts": own });
      expect(run(dir, "app/main.ts")).toEqual({ stdout: "EACCES EACCES\n", stderr: "", code: 0 });
    },
    60_000,
  );
});

const asRoot = process.getuid?.() === 0 ? "" : "needs root: others may not give files away";
const stranger = 65534;

describe("a policy that somebody else may have written", () => {
  const trial = async () => {
    const dir = await project({
      "app/package.json": manifest,
      "app/own.json": policy,
      "own/package.json": "{}",
    });
    const path = (name: string) => join(dir, name);
    /** The preload refuses the program for this reason before any of it runs. */
    const refused = (why: string, env: Record<string, string> = {}) => {
      const { stdout, stderr, code } = run(dir, "app/main.ts", { env });
      expect({ stdout, code }).toEqual({ stdout: "", code: 1 });
      expect(stderr).toStartWith("bun-landlock/preload: Cannot trust the policy ");
      expect(stderr).toContain(why);
    };
    return { dir, path, refused, holds: () => expect(run(dir, "app/main.ts")).toEqual(confined) };
  };

  testUnless(asRoot, "is refused if it belongs to another user", async () => {
    const { path, refused, holds } = await trial();
    holds();
    chownSync(path("app/package.json"), stranger, stranger);
    refused(`"/app/package.json" belongs to user ${stranger}; name one of your own with BUN_`);
  });

  testUnless(asRoot, "is refused if a directory above it belongs to another user", async () => {
    const { path, refused } = await trial();
    chownSync(path("app"), stranger, stranger);
    refused(`"/app" belongs to user ${stranger}`);
  });

  testUnless(
    asRoot,
    "is refused in a world-writable directory above the program, another user's",
    async () => {
      const { dir, path, refused } = await trial();
      chmodSync(dir, 0o1777);
      mkdirSync(path("app/sub"));
      await Bun.write(path("package.json"), manifest);
      chownSync(path("package.json"), stranger, stranger);
      await Bun.file(path("app/package.json")).delete();
      refused(`"/package.json" belongs to user ${stranger}`);
    },
  );

  test("is refused if everybody or another group may write it", async () => {
    const { path, refused, holds } = await trial();
    chmodSync(path("app/package.json"), 0o646);
    refused('"/app/package.json" can be written by everybody');
    chmodSync(path("app/package.json"), 0o664);
    if (process.getuid?.() === process.getgid?.()) holds();
  });

  testUnless(asRoot, "is refused if a group of several users may write it", async () => {
    const { path, refused } = await trial();
    chownSync(path("app/package.json"), 0, 100);
    chmodSync(path("app/package.json"), 0o664);
    refused('"/app/package.json" can be written by group 100');
  });

  test("is refused in a directory that everybody may change, and not in a sticky one", async () => {
    const { path, refused, holds } = await trial();
    chmodSync(path("app"), 0o1777);
    if (kernelAbi > 0) holds();
    chmodSync(path("app"), 0o777);
    refused('"/app" is a directory that everybody may change');
  });

  testUnless(
    asRoot,
    "is refused if a link to it, or what it links to, is another user's",
    async () => {
      const { path, refused, holds } = await trial();
      const move = async () => {
        await Bun.write(path("own/policy.json"), manifest);
        await Bun.file(path("app/package.json")).delete();
        symlinkSync(path("own/policy.json"), path("app/package.json"));
      };
      await move();
      chownSync(path("own"), stranger, stranger);
      refused(`"/own" belongs to user ${stranger}`);
      chownSync(path("own"), 0, 0);
      holds();
      lchownSync(path("app/package.json"), stranger, stranger);
      refused(`"/app/package.json" belongs to user ${stranger}`);
    },
  );

  testUnless(asRoot, "is refused though BUN_LANDLOCK_POLICY names it", async () => {
    const { path, refused } = await trial();
    const env = { BUN_LANDLOCK_POLICY: "app/own.json" };
    chownSync(path("app/own.json"), stranger, stranger);
    refused(`"/app/own.json" belongs to user ${stranger}; let it and its directories`, env);
  });
});

describe("a .env file of the program", () => {
  /** A program that prints what it can read outside, and what its own .env file set. */
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
      // The variable does not exist then, so the program does not run.
      expect(await hostile(variable, { EXTRA: "DIR/secrets" })).toBe("");
    },
  );
});
