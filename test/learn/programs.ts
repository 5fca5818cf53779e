/** Real programs to learn policies for. */
import { symlinkSync } from "node:fs";
import { join } from "node:path";
import { example } from "../examples/programs.ts";
import type { Drive, Scene } from "./scene.ts";

const root = join(import.meta.dir, "../..");
const keys = join(root, "test/presets/tls");

/** A program, what it does, and what it leaves behind. */
export interface Program {
  readonly name: string;
  /** The programs it needs, by the names of their Debian packages. */
  readonly needs: readonly string[];
  /** Creates what the command expects. */
  readonly prepare: (scene: Scene) => Promise<void>;
  readonly command: (port: number) => readonly string[];
  readonly stdin?: Uint8Array;
  readonly drive?: (port: number) => Drive;
  /** Files that it creates in the project. */
  readonly makes: readonly string[];
  /** The port of the test's server, or of the program's own. */
  readonly port: "test" | "own" | "none";
}

const git = ["git", "-c", "user.name=a", "-c", "user.email=a@b.example"];
const none = { makes: [], port: "none" } as const;

async function must(scene: Scene, ...commands: (readonly string[])[]): Promise<void> {
  for (const command of commands) {
    const { code, stderr } = await scene.run(command);
    if (code !== 0) throw new Error(`${command.join(" ")}: ${stderr}`);
  }
}

/** A package in a tarball that contains a tool. */
async function packed(scene: Scene): Promise<void> {
  const manifest = { name: "greeter", version: "1.0.0", bin: { greet: "greet.js" } };
  scene.write("package/package.json", JSON.stringify(manifest));
  scene.write(
    "package/greet.js",
    `#!/usr/bin/env node\nconsole.log("hello", process.argv[2], require("./words.js").end);\n`,
  );
  scene.write("package/words.js", `exports.end = "!";\n`);
  scene.write("package.json", JSON.stringify({ dependencies: { greeter: "file:greeter.tgz" } }));
  // Whatever it may ask, there is no server to answer.
  scene.write("bunfig.toml", `[install]\nregistry = "http://127.0.0.1:9/"\n`);
  await must(
    scene,
    ["chmod", "+x", "package/greet.js"],
    ["tar", "--mtime=@0", "--sort=name", "-czf", "greeter.tgz", "package"],
    ["rm", "-r", "package"],
  );
}

/** Waits for the wiki, writes a page, reads it and stops the wiki. */
function editPage(port: number): Drive {
  return async (child) => {
    const page = `http://127.0.0.1:${port}/Plan`;
    for (let ready = false; !ready;) {
      ready = await fetch(page).then(
        () => true,
        () => false,
      );
      if (!ready) await Bun.sleep(20);
      if (child.exitCode !== null) return;
    }
    const body = new URLSearchParams({ text: "# Plan A" });
    await fetch(page, { method: "POST", body });
    const text = await (await fetch(page)).text();
    if (!text.includes("<h1>Plan A</h1>")) throw new Error(text);
    child.kill("SIGTERM");
  };
}

const python = `
import json, ssl, sqlite3, subprocess, tempfile, zoneinfo
with tempfile.NamedTemporaryFile("w+") as file:
    file.write(json.dumps({"a": [1, 2]}))
    file.seek(0)
    print(json.load(file), sqlite3.connect("db").execute("select 1 + 1").fetchone())
print(subprocess.run(["uname"], capture_output=True, text=True).stdout, zoneinfo.ZoneInfo("UTC"))
`;

/** All programs. */
export const programs: readonly Program[] = [
  {
    ...none,
    name: "bun install",
    needs: ["tar"],
    prepare: packed,
    // Its cache in the home directory contains code that other projects execute.
    command: () => ["bun", "install", "--cache-dir", "node_modules/.cache"],
    makes: ["node_modules/greeter/greet.js", "node_modules/greeter/words.js", "bun.lock"],
  },
  {
    ...none,
    name: "bunx TOOL",
    needs: ["tar"],
    prepare: async (scene) => {
      await packed(scene);
      await must(scene, ["bun", "install"]);
    },
    command: () => ["bunx", "greet", "world"],
  },
  {
    ...none,
    name: "git clone",
    needs: ["git"],
    prepare: async (scene) => {
      await must(scene, ["git", "init", "-q", "origin"]);
      for (const name of ["a", "b/c", "b/d"]) scene.write(`origin/${name}`, name);
      await must(
        scene,
        ["git", "-C", "origin", "add", "."],
        [...git, "-C", "origin", "commit", "-qm", "first"],
      );
    },
    command: () => ["git", "clone", "--no-hardlinks", "-q", "origin", "copy"],
    makes: ["copy/a", "copy/b/c", "copy/b/d"],
  },
  {
    ...none,
    name: "tsc",
    needs: [],
    prepare: async (scene) => {
      symlinkSync(join(root, "node_modules"), join(scene.project, "node_modules"));
      scene.write(
        "tsconfig.json",
        `{ "compilerOptions": { "rootDir": "src", "outDir": "out", "types": [] } }`,
      );
      scene.write("src/a.ts", `export const a: number = 1;\n`);
      scene.write("src/main.ts", `import { a } from "./a";\nconsole.log(a);\n`);
    },
    command: () => ["bun", "node_modules/typescript/bin/tsc"],
    makes: ["out/a.js", "out/main.js"],
  },
  {
    ...none,
    name: "sqlite3",
    needs: ["sqlite3"],
    prepare: async () => {},
    command: () => [
      "sqlite3",
      "data.db",
      "create table t(a); insert into t values (1), (2); select sum(a) from t;",
    ],
  },
  {
    ...none,
    name: "curl https://",
    needs: ["curl"],
    prepare: async (scene) => {
      scene.write("ca.pem", await Bun.file(join(keys, "ca.pem")).text());
    },
    command: (port) => [
      ...["curl", "-sS", "--cacert", "ca.pem", "-o", "page", "-w", "%{http_code}"],
      `https://localhost:${port}/`,
    ],
    makes: ["page"],
    port: "test",
  },
  {
    ...none,
    name: "python3",
    needs: ["python3", "tzdata"],
    prepare: async (scene) => scene.write("main.py", python),
    command: () => ["/usr/bin/python3", "main.py"],
  },
  {
    ...none,
    name: "python3, a terminal",
    needs: ["python3"],
    prepare: async (scene) => scene.write("main.py", `import pty\npty.spawn(["uname"])\n`),
    command: () => ["/usr/bin/python3", "main.py"],
  },
  {
    ...none,
    name: "gcc, and what it made",
    needs: ["gcc"],
    prepare: async (scene) => scene.write("a.c", "int main(void) { return 5; }\n"),
    command: () => ["sh", "-c", "gcc -o a a.c && ./a; echo $?"],
    makes: ["a"],
  },
  {
    ...none,
    name: "image-converter.ts",
    needs: [],
    prepare: async () => {},
    command: () => ["bun", example("image-converter")],
    stdin: Uint8Array.fromBase64("R0lGODdhAQABAIAAAP///////ywAAAAAAQABAAACAkQBADs="),
  },
  {
    ...none,
    name: "one-shot-tool.ts",
    needs: [],
    prepare: async (scene) => {
      scene.write("notes.md", "# One\n\nA [link](x).\n");
      scene.write("data.json", `{ "a": [1, 2] }`);
    },
    command: () => ["bun", example("one-shot-tool"), "notes.md", "data.json"],
  },
  {
    name: "wiki.ts",
    needs: [],
    prepare: async (scene) => scene.write("pages/Home", "# Home\n"),
    command: (port) => ["bun", example("wiki"), "--pages", "pages", "--port", `${port}`],
    drive: editPage,
    makes: ["pages/Plan"],
    port: "own",
  },
  {
    ...none,
    name: "tar",
    needs: ["tar"],
    prepare: async (scene) => {
      for (const name of ["docs/a", "docs/b/c", "other"]) scene.write(name, name);
    },
    command: () => [
      "sh",
      "-c",
      "mkdir -p new && tar -cf - docs | tar -xvf - -C new && mv new/docs/a docs/z",
    ],
    makes: ["new/docs/b/c", "docs/z"],
  },
  {
    ...none,
    name: "make",
    needs: ["make"],
    prepare: async (scene) => {
      scene.write("Makefile", "all: a.o b.o\n\tcat a.o b.o >all\n%.o: %.c\n\tcp $< $@\n");
      for (const name of ["a.c", "b.c"]) scene.write(name, name);
    },
    command: () => ["make", "-s"],
    makes: ["all"],
  },
];
