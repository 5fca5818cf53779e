/** Denials on files that Bun loads itself: its errors show them only in their text. */
import { bindTcp, pathAccess, presets, roDirs, roFiles, type Rule } from "../../src/index.ts";
import type { Row, Rows } from "./rows.ts";

/** The folder is already listed, so Bun finds the file but cannot read it. */
const listed = { rules: [pathAccess(["read_dir"], "DIR")] };

const module: Omit<Row, "action"> = { ...listed, code: 'presets.modules("DIR/module.ts")' };
const worker: Omit<Row, "action"> = { ...listed, code: 'presets.modules("DIR/worker.ts")' };
const data: Omit<Row, "action"> = { ...listed, code: 'roFiles("DIR/data.json")' };
const text: Omit<Row, "action"> = { ...listed, code: 'roFiles("DIR/text.txt")' };
const pack: Omit<Row, "action"> = { ...listed, code: 'presets.modules("DIR/node_modules/pack")' };

export const loadRows: Rows = {
  "import() of a script in a listed folder": {
    ...module,
    action: ({ dir }) => import(`${dir}/module.ts`),
  },
  "import() of a script that imports another one": {
    action: ({ dir }) => import(`${dir}/outer.ts`),
    ...listed,
    rules: [...listed.rules, roFiles("DIR/outer.ts")],
    code: 'presets.modules("DIR/module.ts")',
  },
  "import() of JSON": { ...data, action: ({ dir }) => import(`${dir}/data.json`) },
  'import() with { type: "text" }': {
    ...text,
    action: ({ dir }) => import(`${dir}/text.txt`, { with: { type: "text" } }),
  },
  'import() with { type: "json" }': {
    ...data,
    action: ({ dir }) => import(`${dir}/data.json`, { with: { type: "json" } }),
  },
  "require() of a script in a listed folder": {
    ...module,
    action: ({ dir, module }) => module.createRequire(`${dir}/other.ts`)("./module.ts"),
  },
  "require() of JSON": {
    ...data,
    action: ({ dir, module }) => module.createRequire(`${dir}/other.ts`)("./data.json"),
  },
  "require() of text": {
    ...text,
    action: ({ dir, module }) => module.createRequire(`${dir}/other.ts`)("./text.txt"),
  },
  "process.dlopen()": {
    ...listed,
    // Bun finds the file, but it is no add-on.
    action: ({ dir, module }) => {
      try {
        module.createRequire(`${dir}/other.ts`)("./addon.node");
      } catch (error) {
        if (!`${(error as Error).message}`.includes("not found in native module")) throw error;
      }
    },
    code: 'presets.modules("DIR/addon.node")',
  },
  "bun:ffi": {
    action: async ({ dir }) => {
      const { dlopen } = await import("bun:ffi");
      dlopen(`${dir}/addon.node`, { landlock_native_version: { returns: "i32" } }).close();
    },
    code: 'presets.modules("DIR/addon.node")',
  },
  "Worker in a listed folder": {
    ...worker,
    action: ({ dir }) =>
      new Promise((done, fail) => {
        const worker = new Worker(`${dir}/worker.ts`);
        Object.assign(worker, { onerror: fail, onmessage: done });
      }),
  },
  "Worker in a listed folder, with { path } of another file": {
    ...worker,
    options: { path: "DIR/file" },
    action: ({ dir }) =>
      new Promise((done, fail) => {
        const worker = new Worker(`${dir}/worker.ts`);
        Object.assign(worker, { onerror: fail, onmessage: done });
      }),
  },
  "node:worker_threads": {
    ...worker,
    action: async ({ dir }) => {
      const { Worker } = await import("node:worker_threads");
      await new Promise((done, fail) =>
        new Worker(`${dir}/worker.ts`).on("error", fail).on("message", done),
      );
    },
  },
  "Worker, a script to preload, with { path }": {
    options: { path: "DIR/module.ts" },
    rules: [roFiles("DIR/worker.ts"), pathAccess(["read_dir"], "DIR")],
    action: ({ dir }) =>
      new Promise((done, fail) => {
        const worker = new Worker(`${dir}/worker.ts`, { preload: `${dir}/module.ts` });
        Object.assign(worker, { onerror: fail, onmessage: done });
      }),
    code: 'presets.modules("DIR/module.ts")',
  },
  "a macro, with { path }": {
    options: { path: "DIR/macro.ts" },
    rules: [pathAccess(["read_dir"], "DIR"), roFiles("DIR/expanded.ts")],
    action: ({ dir }) => import(`${dir}/expanded.ts`),
    code: 'presets.modules("DIR/macro.ts")',
  },
  "a key for TLS, with { path }": {
    options: { path: "DIR/authority.pem" },
    action: ({ dir }) => {
      const tls = { caFile: `${dir}/authority.pem` };
      return Bun.serve({ port: 0, fetch: () => new Response(), tls }).stop();
    },
    rules: [bindTcp(0)],
    code: 'roFiles("DIR/authority.pem")',
  },
  "Worker that cannot read a file": {
    rules: [pathAccess(["read_dir"], "DIR"), roFiles("DIR/reader.ts")],
    action: ({ dir }) =>
      new Promise((done, fail) => {
        const worker = new Worker(`${dir}/reader.ts`);
        Object.assign(worker, { onerror: fail, onmessage: done });
      }),
    code: 'roFiles("DIR/file")',
    uncertain: true,
  },
  "Worker that cannot find an import": {
    rules: [roFiles("DIR/outer.ts", "DIR/folder/outer.ts"), pathAccess(["read_dir"], "DIR/folder")],
    action: ({ dir }) =>
      new Promise((done, fail) => {
        const worker = new Worker(`${dir}/folder/outer.ts`);
        Object.assign(worker, { onerror: fail, onmessage: done });
      }),
    code: 'presets.modules("DIR/module.ts")',
  },
  "Bun.build()": {
    ...module,
    action: ({ dir }) => Bun.build({ entrypoints: [`${dir}/module.ts`] }),
  },
  "Bun.build() of several": {
    ...listed,
    action: ({ dir }) => Bun.build({ entrypoints: [`${dir}/outer.ts`, `${dir}/style.css`] }),
    code: 'presets.modules("DIR/outer.ts"), roFiles("DIR/style.css")',
  },
  "Bun.build() in a folder that cannot be listed": {
    action: ({ dir }) => Bun.build({ entrypoints: [`${dir}/module.ts`] }),
    code: 'roDirs("DIR")',
  },
  "Bun.build() of a page": {
    ...listed,
    action: ({ dir }) => Bun.build({ entrypoints: [`${dir}/page.html`] }),
    code: 'roFiles("DIR/page.html")',
  },
  "Bun.FileSystemRouter": {
    ...listed,
    action: ({ dir }) => new Bun.FileSystemRouter({ dir: `${dir}/pages`, style: "nextjs" }),
    code: 'presets.modules("DIR/pages/index.ts")',
  },
  "Bun.FileSystemRouter of a folder that cannot be listed": {
    action: ({ dir }) => new Bun.FileSystemRouter({ dir: `${dir}/empty`, style: "nextjs" }),
    code: 'roDirs("DIR/empty")',
  },
  "import() of a package": {
    ...pack,
    action: ({ dir, module }) => import(module.createRequire(`${dir}/x.ts`).resolve("pack")),
  },
  "require() of a package": {
    ...pack,
    action: ({ dir, module }) => module.createRequire(`${dir}/x.ts`)("pack"),
  },
  "require() of a package in a folder that cannot be listed": {
    action: ({ dir, module }) => module.createRequire(`${dir}/x.ts`)("pack"),
    code: 'presets.modules("DIR/node_modules/pack"), pathAccess(["read_dir"], "DIR")',
  },
  "require() of a subpath of a package": {
    ...pack,
    action: ({ dir, module }) => module.createRequire(`${dir}/x.ts`)("pack/sub"),
    code: 'presets.modules("DIR/node_modules/pack/sub")',
  },
  "import() of a package of the project above the folder that is granted": {
    rules: [roDirs("DIR/app/srv"), presets.bun()],
    action: ({ dir }) => import(`${dir}/app/srv/main.ts`),
    code: 'presets.modules("DIR/app/node_modules/hono")',
  },
  "require() of a file of a package": {
    action: ({ dir, module }) => module.createRequire(`${dir}/x.ts`)("needed/lib/index.js"),
    code: 'presets.modules("DIR/node_modules/needed/lib/index.js"), pathAccess(["read_dir"], "DIR")',
  },
  "import() of a package by a script": {
    rules: [roFiles("DIR/packed.ts"), pathAccess(["read_dir"], "DIR")],
    action: ({ dir }) => import(`${dir}/packed.ts`),
    code: 'presets.modules("DIR/node_modules/pack")',
  },
  "a Bun that cannot read its script": {
    ...ofChild('presets.modules("DIR/module.ts")'),
    action: ({ dir, rules, inside }) => {
      using ruleset = inside.landlock.V11.bestEffort().ruleset(...rules);
      const child = ruleset.spawnSync([process.execPath, "./module.ts"], { cwd: dir });
      if (child.exitCode !== 0) throw child;
    },
  },
  "a Bun that cannot read what it is to preload": {
    ...ofChild('presets.modules("DIR/module.ts")', roFiles("DIR/folder/inner.ts")),
    action: ({ dir, rules, inside }) => {
      using ruleset = inside.landlock.V11.bestEffort().ruleset(...rules);
      const command = [process.execPath, "--preload", "./module.ts", "folder/inner.ts"];
      const child = ruleset.spawnSync(command, { cwd: dir });
      if (child.exitCode !== 0) throw child;
    },
  },
  "a Bun that cannot read what a script imports": {
    ...ofChild('presets.modules("DIR/module.ts")', roFiles("DIR/outer.ts")),
    action: ({ dir, rules, inside }) => {
      using ruleset = inside.landlock.V11.bestEffort().ruleset(...rules);
      const child = ruleset.spawnSync([process.execPath, "outer.ts"], { cwd: dir });
      if (child.exitCode !== 0) throw child;
    },
  },
};

/** For a Bun process that starts in the listed folder. */
function ofChild(code: string, ...rules: Rule[]): Omit<Row, "action"> {
  const start = [presets.executable(process.execPath), presets.bun({ children: true })];
  return { rules: [...start, ...listed.rules, ...rules], code, inner: true, uncertain: true };
}
