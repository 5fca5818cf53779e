/** A package whose install script and tool attack more than they need. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** The targets of the attack. */
export interface Targets {
  /** A home with a key. */
  readonly home: string;
  /** A folder that the package does not need. */
  readonly outside: string;
  readonly port: number;
  /** A process with secrets in its environment. */
  readonly pid: number;
}

/** The outcomes. */
export type Attempts = Record<"key" | "write" | "listing" | "environ" | "connect", string>;

const attack = (targets: Targets) => `
  const { readFileSync, readdirSync, writeFileSync } = require("node:fs");
  const { connect } = require("node:net");
  const { home, outside, port, pid } = ${JSON.stringify(targets)};
  const outcome = (action) => {
    try {
      action();
      return "ok";
    } catch (error) {
      return error.code;
    }
  };
  exports.attempts = async () => ({
    key: outcome(() => readFileSync(home + "/.ssh/id_test")),
    write: outcome(() => writeFileSync(outside + "/written", "")),
    listing: outcome(() => readdirSync(home)),
    environ: outcome(() => readFileSync("/proc/" + pid + "/environ")),
    connect: await new Promise((resolve) => {
      const socket = connect(port, "127.0.0.1", () => resolve("ok", socket.destroy()));
      socket.on("error", ({ code }) => resolve(code));
    }),
  });
  exports.names = Object.keys(process.env);`;

const postinstall = `
  const { attempts, names } = require("./attack.js");
  attempts().then((seen) =>
    require("node:fs").writeFileSync("built.json", JSON.stringify({ seen, names })));`;

const tool = `#!/usr/bin/env node
  const { attempts, names } = require("./attack.js");
  attempts().then((seen) =>
    require("node:fs").writeFileSync(process.argv[2], JSON.stringify({ seen, names })));`;

/** Packs it into `folder`; returns the archive's path. */
export function packHostile(folder: string, targets: Targets): string {
  const source = join(folder, "source");
  mkdirSync(source);
  const manifest = {
    name: "hostile",
    version: "1.0.0",
    bin: "tool.js",
    scripts: { postinstall: "bun postinstall.js" },
  };
  writeFileSync(join(source, "package.json"), JSON.stringify(manifest));
  writeFileSync(join(source, "attack.js"), attack(targets));
  writeFileSync(join(source, "postinstall.js"), postinstall);
  writeFileSync(join(source, "tool.js"), tool);
  const archive = join(folder, "hostile.tgz");
  const command = [process.execPath, "pm", "pack", "--quiet", "--filename", archive];
  const { success, stderr } = Bun.spawnSync(command, { cwd: source });
  if (!success) throw new Error(stderr.toString());
  return archive;
}
