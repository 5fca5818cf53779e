/** Files that Bun, sh, npm or the loader obey; each leaves a mark if it is obeyed. */
import { chmodSync, copyFileSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

/** The place and the details of a trap. */
export interface Target {
  readonly folder: string;
  /** The file that an obeyed trap creates. */
  readonly mark: string;
  /** Absolute paths of the scripts that Bun gets. */
  readonly scripts: readonly string[];
}

/** One kind of planted file. */
export interface Trap {
  readonly name: string;
  /** Plants the file. */
  plant(target: Target): void;
  /**
   * A line of sh that obeys the trap in its folder, where `script.js` does nothing, to prove that
   * it works. The mark, or `DOOR_` on standard output, counts.
   */
  readonly canary: string;
}

/** Traps that do not hide each other. */
export interface Kit {
  readonly name: string;
  readonly traps: readonly Trap[];
  /** The environment in which the trap works. */
  readonly env?: Readonly<Record<string, string>>;
}

function write(path: string, text: string, mode = 0o644): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
  chmodSync(path, mode);
}

function script(mark: string): string {
  return `require("fs").writeFileSync(${JSON.stringify(mark)}, ""); console.log("DOOR_script");\n`;
}

function program(mark: string): string {
  return `#!/bin/sh\n: >'${mark}'\necho DOOR_program\n`;
}

/** `paths` of compiler settings replace the started script and its imports. */
function settings(
  name: string,
  file: string,
  keys: (scripts: readonly string[]) => readonly string[],
  base?: string,
): Trap {
  return {
    name,
    plant({ folder, mark, scripts }) {
      write(join(folder, `${name}.cjs`), script(mark));
      const paths = Object.fromEntries(keys(scripts).map((key) => [key, [`./${name}.cjs`]]));
      write(join(folder, base ?? file), JSON.stringify({ compilerOptions: { paths } }));
      if (base) write(join(folder, file), JSON.stringify({ extends: `./${base}` }));
    },
    canary: 'bun "$PWD/script.js"',
  };
}

/** Names of programs and of what they import. */
function names(scripts: readonly string[]): string[] {
  const imported = ["bun:ffi", "node:fs", "fs", "path", "os", "bun-landlock", "bun-landlock/*"];
  const parts = ["*/cli.js", "*/script.js", "*/landlock-restrict", "*/bun-landlock", "*.so"];
  return [...scripts, ...imported, ...parts];
}

/**
 * Named as in the current directory; some commands read it with a dot from HOME or XDG_CONFIG_HOME.
 */
const bunfig: Trap = {
  name: "bunfig",
  plant({ folder, mark }) {
    const preload = join(folder, "bunfig.cjs");
    write(preload, script(mark));
    const run = '[run]\nshell = "system"\nbun = true\n[install]\nauto = "force"\n';
    const text = `preload = [${JSON.stringify(preload)}]\n${run}`;
    for (const name of ["bunfig.toml", ".bunfig.toml"]) write(join(folder, name), text);
  },
  canary: "bun script.js",
};

function dotenv(file: string, canary: string): Trap {
  const name = file.slice(1);
  return {
    name,
    plant({ folder, mark }) {
      const preload = join(folder, `${name}.cjs`);
      write(preload, script(mark));
      const lines = [
        ...[`DOOR_${name.replaceAll(".", "_")}=1`, "FORCE_COLOR=1", "TMPDIR=/nonexistent"],
        ...[`BUN_OPTIONS=--preload=${preload}`, `NODE_OPTIONS=--require=${preload}`],
        "BUN_LANDLOCK_POLICY=/nonexistent/door.toml",
      ];
      write(join(folder, file), `${lines.join("\n")}\n`);
    },
    canary: `${canary} bun -e 'for (const name in process.env) if (/DOOR_${name.replaceAll(".", "_")}$/.test(name)) console.log(name)'`,
  };
}

/** Words that start a program: each may name a script. */
const words = [
  ...["landlock-restrict", "bun-landlock", "tools/landlock-restrict", "tools/bun-landlock"],
  ...["cli.js", "main.js", "program.js", "script.js", "bun", "status", "run", "--"],
];

const manifest: Trap = {
  name: "scripts",
  plant({ folder, mark }) {
    write(join(folder, "manifest.cjs"), script(mark));
    const run = `echo DOOR_script; : >'${mark}' #`;
    const named = words.flatMap((word) => ["", "pre", "post"].map((when) => when + word));
    const target = "./manifest.cjs";
    const replaced = ["fs", "path", "os", "bun:ffi", "./cli.js", "./script.js", "bun-landlock"];
    const text = JSON.stringify({
      ...{ name: "bun-landlock", version: "9.9.9", type: "commonjs", main: target },
      scripts: Object.fromEntries(named.map((name) => [name, run])),
      ...{ exports: { ".": target, "./*": target }, imports: { "#*": target } },
      browser: Object.fromEntries(replaced.map((name) => [name, target])),
      bin: { "landlock-restrict": target, "bun-landlock": target },
    });
    write(join(folder, "package.json"), text);
  },
  canary: "mkdir tools; cp script.js tools/bun-landlock; bun tools/bun-landlock",
};

const npmrc: Trap = {
  name: "npmrc",
  plant({ folder, mark }) {
    const path = join(folder, "npmrc-shell");
    write(path, program(mark), 0o755);
    write(join(folder, ".npmrc"), `script-shell=${path}\n`);
  },
  canary: "npx -c true",
};

const modules: Trap = {
  name: "modules",
  plant({ folder, mark }) {
    for (const name of ["bun-landlock", "bun", "zod", "fs", "path", "errors.ts", "bun:ffi"]) {
      const target = join(folder, "node_modules", name);
      write(join(target, "package.json"), JSON.stringify({ name, main: "index.cjs" }));
      for (const file of ["index.cjs", "preload.js", "dist/cli.js", "dist/preload.js"]) {
        write(join(target, file), script(mark));
      }
    }
  },
  canary: `bun -e 'require("bun-landlock")'`,
};

/** In the folder and its `node_modules/.bin`, which npx and bunx put on PATH. */
const programs: Trap = {
  name: "programs",
  plant({ folder, mark }) {
    for (const name of ["bun", "node", "sh", "env", "[", "strace", "mkfifo", "--", "-ro"]) {
      write(join(folder, name), program(mark), 0o755);
      write(join(folder, "node_modules", ".bin", name), program(mark), 0o755);
    }
  },
  canary: "PATH=$PWD/node_modules/.bin:$PATH; bun script.js",
};

/** Libraries under names that the loader could look up; loading one runs its constructor. */
const libraries: Trap = {
  name: "libraries",
  plant({ folder, mark }) {
    const prebuilt = `lib/prebuilt/linux-${process.arch}/liblandlock.so`;
    const names = ["liblandlock.so", "libc.so.6", "libc.so", "libdl.so.2", prebuilt];
    const compiled = join(folder, "liblandlock.so");
    const text = `#include <fcntl.h>
      __attribute__((constructor)) static void run(void) { open("${mark}", O_CREAT, 0600); }`;
    mkdirSync(folder, { recursive: true });
    const command = ["gcc", "-shared", "-fPIC", "-x", "c", "-", "-o", compiled];
    const done = Bun.spawnSync(command, { stdin: Buffer.from(text) });
    if (!done.success) throw new Error(`${done.stderr}`);
    for (const name of names.slice(1)) {
      mkdirSync(dirname(join(folder, name)), { recursive: true });
      copyFileSync(compiled, join(folder, name));
    }
  },
  canary: "LD_PRELOAD=./liblandlock.so /bin/true",
};

/** The kits to try, in groups. */
export const kits: readonly Kit[] = [
  { name: "tsconfig *", traps: [settings("tsconfig", "tsconfig.json", () => ["*"])] },
  { name: "tsconfig names", traps: [settings("names", "tsconfig.json", names)] },
  {
    name: "tsconfig extends",
    traps: [settings("extends", "tsconfig.json", () => ["*"], "base.json")],
  },
  { name: "jsconfig *", traps: [settings("jsconfig", "jsconfig.json", () => ["*"])] },
  {
    name: "settings",
    traps: [
      ...[
        bunfig,
        npmrc,
        dotenv(".env", ""),
        dotenv(".env.local", ""),
        dotenv(".env.development", ""),
      ],
    ],
  },
  {
    name: "settings for production",
    traps: [dotenv(".env.production", "NODE_ENV=production")],
    env: { NODE_ENV: "production" },
  },
  ...(process.env["CI"] || Bun.which("gcc") ? [{ name: "libraries", traps: [libraries] }] : []),
  { name: "package", traps: [manifest, modules, programs] },
];
