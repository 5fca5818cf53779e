/** A separate project for each page, in which its blocks run in order. */
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { patience, tempDir } from "../harness.ts";

const root = join(import.meta.dir, "..", "..");

/** What a page expects to exist. */
interface Before {
  /** Files by path, as the page names them or relative to the project. */
  readonly files?: Readonly<Record<string, string | Uint8Array>>;
  /** The names under which the page's JSON blocks are saved, in order. */
  readonly json?: readonly string[];
  /** Commands to run in the project. */
  readonly commands?: readonly string[];
}

const install = "bun add bun-landlock";
const pixel = Uint8Array.fromBase64("R0lGODdhAQABAIAAAP///////ywAAAAAAQABAAACAkQBADs=");
const names = "b\na\n";
const hello = 'console.log("hello");\n';

const identity = "-c user.name=a -c user.email=a@b.example";
const repository = [
  "git init --quiet project",
  `git -C project ${identity} commit --quiet --allow-empty --message=first`,
];

/** Expectations by page. A page that is missing here needs only the package. */
const before: Readonly<Record<string, Before>> = {
  "README.md": { files: { "photo.gif": pixel, names }, commands: [] },
  "src/explain/README.md": {
    files: { names, "policy.toml": 'bestEffort = true\nro = ["/usr"]\n' },
  },
  "src/policy/README.md": {
    files: {
      "/opt/app/main.ts": hello,
      "/opt/app/package.json": "{}",
      "/etc/app.json": JSON.stringify({ bestEffort: true, ro: ["/opt/app"], presets: ["bun"] }),
    },
    json: ["package.json", "/etc/policy.json"],
    commands: [install, "cd /opt/app && bun add bun-landlock"],
  },
  "src/presets/README.md": { commands: [install, ...repository] },
  "src/sandbox/README.md": { files: { "main.ts": hello, "/opt/app/main.ts": hello } },
};

/** Paths on the pages, which the tests map to other places. */
const places = ["/srv/app", "/opt/app", "/etc/policy.json", "/etc/app.json"];

/** Where a page's blocks run. */
export interface Scene {
  /** The project's folder. */
  readonly folder: string;
  /** Saves a file under a path as on the page, or relative to the project. */
  save(path: string, content: string | Uint8Array): void;
  /** The names of the page's JSON blocks. */
  readonly json: readonly string[];
  /** Runs an sh script; its output names places as the page does. */
  run(script: string, inSources: boolean): Promise<{ output: string; code: number }>;
}

/**
 * Creates the scene.
 *
 * @param page The page's path in the project
 * @param tools A folder with `landlock-restrict`, for PATH
 * @param registry The URL of a registry that has the package
 */
export async function makeScene(page: string, tools: string, registry: string): Promise<Scene> {
  const base = tempDir();
  const folder = join(base, "srv/app");
  const real = (text: string) =>
    places.reduce((all, place) => all.replaceAll(place, base + place), text);
  const pathOf = (path: string) => (path.startsWith("/") ? real(path) : join(folder, path));
  const { files = {}, json = [], commands = [install] } = before[page] ?? {};
  const save = (path: string, content: string | Uint8Array) => {
    mkdirSync(dirname(pathOf(path)), { recursive: true });
    writeFileSync(pathOf(path), typeof content === "string" ? real(content) : content);
  };
  save("package.json", "{}");
  mkdirSync(join(base, "home"));
  for (const [path, content] of Object.entries(files)) save(path, content);

  const env = {
    PATH: [tools, dirname(process.execPath), process.env["PATH"]].join(":"),
    ...{ HOME: join(base, "home"), LANG: "C", NO_COLOR: "1" },
    ...{ NPM_CONFIG_REGISTRY: registry, BUN_INSTALL_CACHE_DIR: join(base, "cache") },
  };
  const run = async (script: string, inSources: boolean) => {
    const child = Bun.spawn(["/bin/sh", "-c", `exec 2>&1\n${real(script)}`], {
      cwd: inSources ? root : folder,
      // In the sources, commands are for contributors.
      env: inSources ? { ...process.env, PATH: env.PATH, NO_COLOR: "1" } : env,
      stdin: "ignore",
      timeout: patience(120_000),
    });
    // Not spawnSync(), which would block the registry in this process.
    const output = (await child.stdout.text()).replaceAll(base, "");
    return { output, code: await child.exited };
  };
  for (const command of commands) {
    const { output, code } = await run(command, false);
    if (code !== 0) throw new Error(`${command}: ${output}`);
  }
  return { folder, save, json, run };
}
