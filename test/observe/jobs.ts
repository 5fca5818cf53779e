/** Runs twenty jobs under learn, and under explain until they work, and compares the advice. */
import { chmodSync, mkdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { programs, type Program } from "../learn/programs.ts";
import { Scene } from "../learn/scene.ts";

type Job = Pick<Program, "name" | "needs" | "prepare" | "command">;

const git = ["git", "-c", "user.name=a", "-c", "user.email=a@b.example"];

/** Tries what untrusted code tries, and continues without it. */
const hostile = `
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
const home = process.env.HOME;
for (const path of [home + "/.ssh/id_ed25519", home + "/.aws/credentials", home + "/.npmrc", ".env",
  "../neighbour/.env"]) try { readFileSync(path); } catch {}
for (const path of ["..", "/", "/etc", home]) try { readdirSync(path); } catch {}
for (const path of [".git/hooks/pre-commit", home + "/.bashrc", "../neighbour/x"])
  try { writeFileSync(path, "x"); } catch {}
`;

const loop = [
  ...[
    "ls src",
    "cat src/a",
    "grep -r hello src",
    "sed s/a/b/ src/a",
    "wc -l src/a",
    "head -1 src/b",
  ],
  ...["sort src/a src/b", "cp src/a out/a", "mv out/a out/b", "rm out/b", "date +%Y", "uname"],
].join(" && ");

const own: readonly Job[] = [
  {
    name: "bun test, hostile",
    needs: [],
    prepare: async (scene) => {
      scene.write("sum.ts", "export const sum = (a: number, b: number) => a + b;\n");
      const test = 'test("adds", () => expect(sum(1, 2)).toBe(3));\n';
      const imports = 'import { expect, test } from "bun:test";\nimport { sum } from "./sum";\n';
      scene.write("sum.test.ts", hostile + imports + test);
    },
    command: () => ["bun", "test"],
  },
  {
    name: "bun build",
    needs: [],
    prepare: async (scene) => {
      scene.write("src/main.ts", 'import { a } from "./a"; console.log(a);\n');
      scene.write("src/a.ts", "export const a = 1;\n");
    },
    command: () => ["bun", "build", "src/main.ts", "--outdir=dist"],
  },
  {
    name: "git commit",
    needs: ["git"],
    prepare: async (scene) => {
      await scene.run(["git", "init", "-q"]);
      scene.write("a", "a");
      await scene.run(["git", "add", "a"]);
    },
    command: () => [...git, "commit", "-qm", "first"],
  },
  {
    name: "a script, hostile",
    needs: [],
    prepare: async (scene) => scene.write("main.ts", `${hostile}console.log("done");\n`),
    command: () => ["bun", "main.ts"],
  },
  {
    name: "busybox",
    needs: ["busybox"],
    prepare: async (scene) => scene.write("data", "b 2\na 1\n"),
    command: () => ["busybox", "sh", "-c", "busybox mkdir -p out && busybox sort -o out/data data"],
  },
  {
    name: "twelve shell commands",
    needs: [],
    prepare: async (scene) => {
      for (const name of ["a", "b"]) scene.write(`src/${name}`, "hello\n");
      mkdirSync(join(scene.project, "out"));
    },
    command: () => ["sh", "-c", loop],
  },
  {
    name: "an interactive bash",
    needs: [],
    prepare: async (scene) => scene.write("a", "a"),
    command: () => ["bash", "-ic", "history -s x; cat a; history -a; true"],
  },
];

/** The jobs. Servers that need a client are left out. */
export const jobs: readonly Job[] = [
  ...programs.filter(({ name, drive }) => drive === undefined && name !== "curl https://"),
  ...own,
  {
    ...programs.find(({ name }) => name === "curl https://")!,
    name: "curl to a port that nobody listens on",
    command: () => ["curl", "-sS", "http://127.0.0.1:9/"],
  },
];

/** A grant, as in the output of `plan`. */
interface Rule {
  readonly path?: string;
  readonly port?: number;
  readonly access: readonly string[];
}

/** The results of one job. */
export interface Compared {
  /** How many runs explain needed, and how the last one ended. */
  readonly runs: number;
  readonly code: number | null;
  /** What explain added in the last run, and what it would still add. */
  readonly left: readonly string[];
  /** Grants of explain that learn did not give. */
  readonly more: readonly string[];
  /** What explain withholds but learn grants. */
  readonly contrary: readonly string[];
  /** Grants of either one that nobody should be advised to give. */
  readonly unsafe: readonly string[];
}

/** Puts tempting files into a scene. */
async function makeScene(job: Job, folder: string): Promise<Scene> {
  const scene = new Scene(folder);
  for (const name of ["home/.ssh/id_ed25519", "home/.aws/credentials", "neighbour/.env"]) {
    mkdirSync(dirname(join(scene.folder, name)), { recursive: true });
    scene.write(`../${name}`, "secret");
  }
  scene.write("../home/.npmrc", "//registry.example/:_authToken=x");
  scene.write(".env", "TOKEN=x");
  scene.write(".git/hooks/sample", "");
  chmodSync(join(scene.project, ".git/hooks/sample"), 0o755);
  await job.prepare(scene);
  return scene;
}

/** Secrets, homes, parents of the project, hooks, and paths of a single run. */
const unsafe = [
  /^\/(etc|var|home|root|tmp|usr)?$/,
  /^(\/proc\/\d|\/sys\/fs\/cgroup\/|\/dev\/pts\/)/,
  /^SCENE(\/home)?$/,
  /\/\.(ssh|aws|npmrc|env|bashrc|git\/(hooks|config))(\/|$)/,
];

/** Does a job both ways, each in a scene of its own. */
export async function compare(job: Job, folders: readonly [string, string]): Promise<Compared> {
  const command = job.command(0);
  const [learning, explaining] = [
    await makeScene(job, folders[0]),
    await makeScene(job, folders[1]),
  ];
  await learning.learn(command);
  const options = ["--until-it-works", "--json", "-o", explaining.policy];
  const restricted = ["-rofiles", "/dev/zero", "-connecttcp", "-bindtcp"];
  const explain = explaining.learning("", command).slice(0, -command.length - 4);
  const run = await explaining.run([
    ...[...explain, "explain", ...options, ...restricted, "--"],
    ...command,
  ]);
  const found = JSON.parse(
    run.stderr
      .trimEnd()
      .split("\n")
      .findLast((line) => line.startsWith("{"))!,
  ) as {
    runs: number;
    flags: string[];
    withheld: { what: string; rights: string[] }[];
  };
  const [learned, explained] = [await rulesOf(learning), await rulesOf(explaining)];
  return {
    runs: found.runs,
    code: run.code,
    left: found.flags.map((word) => inScene(word, explaining)),
    more: explained
      .filter(({ path }) => path !== "/dev/zero")
      .flatMap((rule) =>
        kindsOf(rule)
          .filter((kind) => !kindsOn(learned, rule).has(kind))
          .map((kind) => `${kind} ${rule.path ?? rule.port}`),
      ),
    contrary: found.withheld
      .map(({ what, rights }) => ({ path: inScene(what, explaining), access: rights }))
      .filter((rule) => kindsOn(learned, rule).has(strongest(rule)))
      .map(({ path }) => path),
    unsafe: [...learned, ...explained].flatMap(({ path = "" }) =>
      unsafe.some((one) => one.test(path)) ? path : [],
    ),
  };
}

function inScene(path: string, { folder }: Scene): string {
  return path.replace(folder, "SCENE");
}

async function rulesOf(scene: Scene): Promise<Rule[]> {
  const { stdout, stderr } = await scene.plan();
  if (stdout === "") throw new Error(stderr);
  const { rules } = JSON.parse(stdout) as { rules: Rule[] };
  return rules.map(({ path, ...rule }) =>
    path === undefined ? rule : { ...rule, path: inScene(path, scene) },
  );
}

/** Options round up, so only reading, executing and changing are compared. */
function kindsOf({ access, port }: Rule): string[] {
  if (port !== undefined) return [...access];
  return [
    ...new Set(
      access.map((right) =>
        right === "read_dir"
          ? "list"
          : /^(read_|execute|ioctl|resolve)/.test(right)
            ? "read"
            : "change",
      ),
    ),
  ];
}

function strongest(rule: Rule): string {
  const kinds = kindsOf(rule);
  return ["change", "read", "list"].find((kind) => kinds.includes(kind)) ?? "";
}

function kindsOn(rules: readonly Rule[], { path, port }: Rule): Set<string> {
  return new Set(
    rules
      .filter((one) =>
        path === undefined
          ? one.port === port
          : one.path !== undefined && (path === one.path || path.startsWith(`${one.path}/`)),
      )
      .flatMap(kindsOf),
  );
}
