/** Each published file equals a file of the tree or of its build, byte for byte. */
import { beforeAll, describe, expect, test } from "bun:test";
import { existsSync, readdirSync, readFileSync, statSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { run, tempDir, testUnless } from "./harness.ts";
import { installPacked } from "./packed.ts";

const root = join(import.meta.dir, "..");
let unpacked = "";
let files: string[] = [];

function filesIn(folder: string, within = ""): string[] {
  const paths = readdirSync(join(folder, within), { recursive: true, encoding: "utf8" });
  const all = paths.map((path) => join(within, path));
  return all.filter((path) => statSync(join(folder, path)).isFile()).sort();
}

beforeAll(async () => {
  const folder = await installPacked();
  const { code, stderr } = run(["tar", "-xzf", "package.tgz"], folder);
  if (code !== 0) throw new Error(stderr);
  unpacked = join(folder, "package");
  files = filesIn(unpacked);
}, 60_000);

const bundles = [...["cli.js", "index.js", "other-runtime.cjs", "preload.js", "watching.js"]];

const examples = ["bunx-sandboxed", "command-server", "image-converter", "one-shot-tool", "wiki"];
const manuals = ["cli", "explain", "learn", "policy", "presets", "sandbox"];
const pages = [
  ...manuals.map((name) => `src/${name}/README.md`),
  ...examples.map((name) => `src/examples/${name}.ts`),
  "test/spawn/options.md",
];

describe("the package", () => {
  test("has lib as it is, the bundles, what they need, what the README leads to, and nothing else", () => {
    const built = [...bundles, "LICENSE.zod", "policy.schema.json"].map((name) => `dist/${name}`);
    const types = files.filter((file) => file.startsWith("dist/types/"));
    const fixed = ["package.json", "README.md", "LICENSE", ...pages];
    expect(files).toEqual([...fixed, ...built, ...types, ...filesIn(root, "lib")].sort());
  });

  test("has the declarations of sources that index.ts needs, and of no others", () => {
    const types = files.filter((file) => file.startsWith("dist/types/"));
    const source = (file: string) => file.replace("dist/types/", "src/").replace(/\.d\.ts$/, ".ts");
    expect(types.filter((file) => !existsSync(join(root, source(file))))).toEqual([]);
    expect(types).toContain("dist/types/index.d.ts");
    const named = types.flatMap((file) => {
      const text = readFileSync(join(unpacked, file), "utf8");
      return [...text.matchAll(/from "(\.[^"]+)\.js"/g)].map(([, path]) =>
        join(file, "..", `${path}.d.ts`),
      );
    });
    expect([...new Set([...named, "dist/types/index.d.ts"])].sort()).toEqual(types);
  });

  test("has each of them as it is in the tree", () => {
    const differ = files.filter(
      (file) => !readFileSync(join(unpacked, file)).equals(readFileSync(join(root, file))),
    );
    expect(differ).toEqual([]);
  });

  test("has bundles that come out of the sources the same in any folder", () => {
    const folder = tempDir();
    run(["cp", "-r", "src", "lib", "package.json", "tsconfig.json", folder], root);
    symlinkSync(join(root, "node_modules"), join(folder, "node_modules"));
    expect(run([process.execPath, "run", "build"], folder)).toMatchObject({ code: 0 });
    const built = filesIn(folder, "dist");
    expect(built).toEqual(files.filter((file) => file.startsWith("dist/")));
    const differ = built.filter(
      (file) => !readFileSync(join(unpacked, file)).equals(readFileSync(join(folder, file))),
    );
    expect(differ).toEqual([]);
  }, 60_000);

  test("has no tests, no secrets and no path of the machine that made it", () => {
    const inner = files.filter((file) => /(^|\/)(test|src|node_modules|\.)/.test(file));
    expect(inner).toEqual([...pages].sort());
    const home = process.env["HOME"] ?? root;
    const telling = files.filter((file) => {
      const bytes = readFileSync(join(unpacked, file));
      return bytes.includes(root) || (home.length > 1 && bytes.includes(`${home}/`));
    });
    expect(telling).toEqual([]);
  });

  test("has every file that its pages lead to", () => {
    const documents = files.filter((file) => file.endsWith(".md"));
    const links = documents.flatMap((file) => {
      const text = readFileSync(join(unpacked, file), "utf8").replaceAll(/^```[^]*?^```$/gm, "");
      const targets = [...text.matchAll(/\]\(([^)#\s]+)[^)]*\)/g)].map(([, target]) => target!);
      const own = targets.filter((target) => !/^[a-z]+:/.test(target));
      return own.map((target) => join(file, "..", target));
    });
    expect(links).toContain("src/examples/wiki.ts");
    expect(links.filter((path) => !existsSync(join(unpacked, path)))).toEqual([]);
  });

  test("has examples that run as they are", async () => {
    const example = join(
      unpacked,
      "..",
      "node_modules/bun-landlock/src/examples/image-converter.ts",
    );
    const pixel = Uint8Array.fromBase64("R0lGODdhAQABAIAAAP///////ywAAAAAAQABAAACAkQBADs=");
    const done = Bun.spawnSync([process.execPath, example], { cwd: unpacked, stdin: pixel });
    expect([done.exitCode, done.stderr.toString()]).toEqual([0, ""]);
    expect(done.stdout.toString("latin1")).toStartWith("\x89PNG");
  });

  test("can be executed where its bins are, and nowhere else", () => {
    const mode = (file: string) => statSync(join(unpacked, file)).mode & 0o111;
    expect(files.filter((file) => mode(file) !== 0)).toEqual(["dist/cli.js"]);
  });
});

/** Whether these bytes are a program or anything else that is not text. */
function isBinary(bytes: Uint8Array): boolean {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes).includes("\0");
  } catch {
    return true;
  }
}

describe("native code", () => {
  test("is in the two files that MANIFEST.json lists, and is what it lists", () => {
    const binary = files.filter((file) => isBinary(readFileSync(join(unpacked, file))));
    const list = JSON.parse(readFileSync(join(unpacked, "lib/prebuilt/MANIFEST.json"), "utf8"));
    const listed = Object.keys(list).map((target) => `lib/prebuilt/${target}/liblandlock.so`);
    expect(binary).toEqual(listed.sort());
    for (const [target, { bytes, sha256 }] of Object.entries<{ bytes: number; sha256: string }>(
      list,
    )) {
      const file = readFileSync(join(unpacked, "lib/prebuilt", target, "liblandlock.so"));
      expect(file.length).toBe(bytes);
      expect(new Bun.CryptoHasher("sha256").update(file).digest("hex")).toBe(sha256);
    }
  });

  test("is in the bundles as base64 of these two files, and in no text otherwise", () => {
    const cpus = ["arm64", "x64"];
    const libraries = cpus.map((cpu) => join(unpacked, `lib/prebuilt/linux-${cpu}/liblandlock.so`));
    const known = libraries.map((file) => readFileSync(file, "base64"));
    const coded = files.flatMap((file) => {
      if (file.endsWith(".so")) return [];
      const text = readFileSync(join(unpacked, file), "latin1");
      const runs = text.match(/[A-Za-z0-9+/]{400,}=*|(\\x[0-9a-f]{2}){100}/gi) ?? [];
      return runs.map((run) => `${file}: ${cpus[known.indexOf(run)] ?? run}`);
    });
    const loading = ["dist/cli.js", "dist/index.js", "dist/preload.js"];
    expect(coded).toEqual(loading.flatMap((file) => cpus.map((cpu) => `${file}: ${cpu}`)));
  });

  const compilers = ["gcc", "aarch64-linux-gnu-gcc"].filter((compiler) => !Bun.which(compiler));
  const missing = process.env["CI"] || compilers.length === 0 ? "" : `needs ${compilers.join()}`;
  testUnless(missing, "comes out of the package's own sources, byte for byte", () => {
    const { stdout, stderr, code } = run([process.execPath, "lib/build.ts", "--check"], unpacked);
    expect(stderr).toBe("");
    expect(stdout).toBe("linux-x64: identical\nlinux-arm64: identical\n");
    expect(code).toBe(0);
  });
});

describe("publishing", () => {
  testUnless(Bun.which("npm") ? "" : "needs npm", "npm packs the same files", () => {
    const command = ["npm", "pack", "--dry-run", "--json", "--ignore-scripts", "--offline"];
    const { stdout } = run(command, root);
    const [packed] = JSON.parse(stdout) as [{ files: { path: string }[] }];
    expect(packed.files.map(({ path }) => path).sort()).toEqual(files);
  });

  test("`bun publish --dry-run` has nothing to complain of", () => {
    // Publishing needs a login even for a dry run, but never checks it.
    const env = { PATH: process.env["PATH"]!, HOME: tempDir(), NPM_CONFIG_TOKEN: "unused" };
    const { stdout, stderr, code } = run([process.execPath, "publish", "--dry-run"], root, env);
    expect(stderr).toBe("");
    expect(code).toBe(0);
    const { name, version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
    expect(stdout).toContain(`Total files: ${files.length}\n`);
    expect(stdout).toEndWith(` + ${name}@${version} (dry-run)\n`);
  });
});
