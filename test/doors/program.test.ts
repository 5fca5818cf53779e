/** A sandboxed program replaces its own file: its next run must be sandboxed too. */
import { beforeAll, describe, expect } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { patience, testFromAbi } from "../harness.ts";
import { installPacked } from "../packed.ts";
import { policyFor } from "./entries.ts";
import { makeScene, takeMarks } from "./scene.ts";

let installed = "";
beforeAll(async () => {
  installed = await installPacked();
}, patience(60_000));

/** The program's first run; SECRET is a file and MARK a place outside. */
const shell = 'fs.writeFileSync("x.sh", `echo ran; echo > MARK; cat < SECRET`);';
const escapes: readonly [name: string, replace: string][] = [
  ["a link to a shell script", `${shell} fs.symlinkSync("x.sh", "main.ts");`],
  [
    "a chain of links to a shell script",
    `${shell} fs.mkdirSync("d"); fs.symlinkSync("../x.sh", "d/y.ts"); fs.symlinkSync("d/y.ts", "main.ts");`,
  ],
  [
    "a directory whose package.json names a shell script",
    `${shell} fs.mkdirSync("main.ts");
     fs.writeFileSync("main.ts/package.json", '{ "main": "../x.sh" }');`,
  ],
  ["a link to a text outside", 'fs.symlinkSync("SECRET", "main.ts");'],
  [
    "a page that imports a text outside",
    `fs.writeFileSync("x.html", '<script src="SECRET"></script>'); fs.symlinkSync("x.html", "main.ts");`,
  ],
  [
    "a script that a bunfig.toml preloads",
    `fs.writeFileSync("p.js", 'require("fs").writeFileSync("MARK", "")');
     fs.writeFileSync("bunfig.toml", 'preload = ["./p.js"]'); fs.writeFileSync("main.ts", "");`,
  ],
  [
    "a script that a tsconfig.json names",
    `fs.writeFileSync("p.js", 'require("fs").writeFileSync("MARK", "")');
     fs.writeFileSync("tsconfig.json", '{ "compilerOptions": { "paths": { "*": ["./p.js"] } } }');
     fs.writeFileSync("main.ts", "");`,
  ],
  [
    "a script that reads a file outside",
    'fs.writeFileSync("main.ts", `console.log(require("fs").readFileSync("SECRET", "utf8"))`);',
  ],
];

describe("a program that landlock-restrict starts stays in the sandbox, though it became", () => {
  for (const [name, replace] of escapes) {
    for (const form of ["./main.ts", "absolute", "run"]) {
      testFromAbi(4, `${name}: ${form}`, async () => {
        const scene = makeScene(installed);
        const { cwd } = scene.folders;
        const secret = join(scene.root, "secret.md");
        writeFileSync(secret, "secret\n");
        const act = replace
          .replaceAll("SECRET", secret)
          .replaceAll("MARK", join(scene.marks, "mark"));
        const program = `const fs = require("node:fs");
          console.log("first");
          fs.unlinkSync("main.ts");
          ${act}`;
        writeFileSync(join(cwd, "main.ts"), program);
        const run = (command: readonly string[]) => {
          const options = { cwd, env: scene.env, timeout: patience(5_000) };
          const { stdout, stderr } = Bun.spawnSync([...command], options);
          return { stdout: `${stdout}`, stderr: `${stderr}` };
        };
        const escaped = ({ stdout }: { stdout: string }) =>
          stdout.includes("secret\n") || stdout.includes("url:") || takeMarks(scene).length > 0;
        const words = { "./main.ts": ["./main.ts"], run: ["run", "./main.ts"] }[form];
        const bun = ["bun", ...(words ?? [join(cwd, "main.ts")])];
        const tool = join(scene.project, "node_modules/.bin/landlock-restrict");
        const restricted = [tool, "-policy", policyFor(scene), "--", ...bun];
        expect(run(restricted)).toEqual({ stdout: "first\n", stderr: "" });
        const second = run(restricted);
        expect(second.stdout).not.toContain("first");
        expect(escaped(second)).toBe(false);
        // The same without a sandbox, which proves that the trap works.
        if (form === "./main.ts") expect(escaped(run(bun))).toBe(true);
      });
    }
  }
});
