/** What a script pays at its start to sandbox itself, with the published package. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { interleave } from "../interleave.ts";
import { lifetime } from "../processes.ts";
import type { Group } from "../results.ts";
import type { Workshop } from "../workshop.ts";

const folders = ["/usr", "/bin", "/lib", "/etc", "/opt", "/var", "/tmp", "/home", "/srv", "/mnt"];
const rules = folders.map((path) => `roDirs(${JSON.stringify(path)})`).join(", ");

const scripts = {
  "empty.ts": "",
  "import.ts": 'import "bun-landlock";\n',
  "enforce.ts": `import { landlock, roDirs } from "bun-landlock";
landlock.V11.bestEffort().restrictPaths(${rules});
`,
  "floor.ts": `import { restrictPaths } from "floor";
restrictPaths(${JSON.stringify(folders)});
`,
};

/** Makes just the system calls, without checks, plan, report or errors, as a package. */
function floor(library: string): string {
  return `import { dlopen, ptr } from "bun:ffi";
const libc = dlopen("libc.so.6", {
  syscall: { args: ["i64", "i64", "i64", "i64", "i64", "i64"], returns: "i64_fast" },
  open: { args: ["cstring", "i32"], returns: "i32" },
  close: { args: ["i32"], returns: "i32" },
}).symbols;
const { allthreads_restrict } = dlopen(${JSON.stringify(library)}, {
  allthreads_restrict: { args: ["i32", "u32", "u32", "ptr"], returns: "i64_fast" },
}).symbols;
export function restrictPaths(paths) {
  const attr = new Uint32Array([0x7fff, 0]);
  const ruleset = libc.syscall(444, ptr(attr), 8, 0, 0, 0);
  const rule = new Uint32Array([0xd, 0, 0]);
  for (const path of paths) {
    rule[2] = libc.open(path, 0o12000000);
    libc.syscall(445, ruleset, 1, ptr(rule), 0, 0);
    libc.close(rule[2]);
  }
  const result = allthreads_restrict(ruleset, 0, 1000, ptr(new Uint8Array(40)));
  if (result !== 0) throw new Error(\`failed with \${result}\`);
}
`;
}

export async function startup(workshop: Workshop): Promise<Group[]> {
  const { folder } = workshop;
  for (const [name, text] of Object.entries(scripts)) await workshop.script(name, text);
  const library = join(import.meta.dir, "../../../lib/prebuilt", `linux-${process.arch}`);
  mkdirSync(join(folder, "node_modules", "floor"));
  await workshop.script(
    "node_modules/floor/package.json",
    '{ "type": "module", "exports": "./index.js" }',
  );
  await workshop.script("node_modules/floor/index.js", floor(join(library, "liblandlock.so")));
  const bun = (name: string, role: "base" | "floor" | "ours", script: keyof typeof scripts) =>
    lifetime({ name, role }, [process.execPath, script], { cwd: folder });
  const enforced = "import, enforce 10 rules";
  const entries = await interleave(
    [
      bun("bun empty.ts", "base", "empty.ts"),
      bun("the calls alone, by bun:ffi", "floor", "floor.ts"),
      bun("import bun-landlock", "ours", "import.ts"),
      bun(enforced, "ours", "enforce.ts"),
    ],
    workshop.rounds(200),
  );
  const bars = [{ of: enforced, times: 1.35, against: ["bun empty.ts"] }];
  return [
    {
      id: "startup",
      title: "Start of a script that sandboxes itself",
      unit: "ms",
      entries,
      bars,
      charted: true,
    },
  ];
}
