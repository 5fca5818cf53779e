/** Every way to start a child that reads a file. */
import * as processes from "node:child_process";
import { promisify } from "node:util";
import type { Probes } from "./observe.ts";

/** The child's error output is its outcome. */
function said(stderr: { toString(): string } | undefined): void {
  const text = stderr?.toString() ?? "";
  if (text !== "") throw { code: text.match(/permission denied/i)?.[0].toLowerCase() ?? text };
}

const cat = (dir: string) => ["cat", `${dir}/file`];

export const children: Probes = {
  "Bun.spawn": async (dir) => said(await Bun.spawn(cat(dir), { stderr: "pipe" }).stderr.text()),
  "Bun.spawnSync": (dir) => said(Bun.spawnSync(cat(dir)).stderr),
  "Bun.$": async (dir) => said((await Bun.$`cat ${dir}/file`.nothrow().quiet()).stderr),
  "Bun.$ of a program": async (dir) =>
    said((await Bun.$`head ${dir}/file`.nothrow().quiet()).stderr),
  "Bun.$ redirection": async (dir) =>
    said((await Bun.$`cat < ${dir}/file`.nothrow().quiet()).stderr),
  exec: async (dir) =>
    promisify(processes.exec)(`cat ${dir}/file`).then(
      ({ stderr }) => said(stderr),
      ({ stderr }) => said(stderr),
    ),
  execFile: async (dir) =>
    promisify(processes.execFile)("cat", [`${dir}/file`]).then(
      ({ stderr }) => said(stderr),
      ({ stderr }) => said(stderr),
    ),
  spawnSync: (dir) => said(processes.spawnSync("cat", [`${dir}/file`]).stderr),
  "a grandchild": (dir) =>
    said(Bun.spawnSync(["sh", "-c", `sh -c 'cat ${dir}/file; true'`]).stderr),
};

/** Ways that only start a program. */
export const programs: Probes = {
  "Bun.spawn": () => Bun.spawn(["true"]).exited,
  "Bun.spawnSync": () => Bun.spawnSync(["true"]),
  execFile: () => promisify(processes.execFile)("true"),
  spawnSync: () => {
    const { error } = processes.spawnSync("true");
    if (error) throw error;
  },
};
