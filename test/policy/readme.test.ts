/** What the README says about policies works as pasted. */
import { expect, test } from "bun:test";
import { join } from "node:path";
import { kernelAbi, tempDir, testFromAbi } from "../harness.ts";

const root = join(import.meta.dir, "..", "..");
const readme = await Bun.file(join(root, "README.md")).text();

/** The first fence of a language beneath a heading. */
function snippet(heading: string, language: string): string {
  const section = readme.split(`\n## ${heading}\n`)[1]!.split("\n## ")[0]!;
  return section.split(`\n\`\`\`${language}\n`)[1]!.split("\n```")[0]!;
}

function run(folder: string, ...args: string[]) {
  const done = Bun.spawnSync([process.execPath, ...args], { cwd: folder, timeout: 50_000 });
  return { stdout: done.stdout.toString(), stderr: done.stderr.toString(), code: done.exitCode };
}

test("the policy file and the script that loads it", async () => {
  const folder = tempDir();
  await Bun.write(join(folder, "landlock.toml"), snippet("Policy files", "toml"));
  const index = JSON.stringify(join(root, "src", "index.ts"));
  const script = snippet("Policy files", "ts").replace('"bun-landlock"', index);
  await Bun.write(join(folder, "script.ts"), script);
  const { stdout, stderr } = run(folder, "script.ts");
  const expected = kernelAbi === 0 ? "none" : kernelAbi < 10 ? "partial" : "full";
  expect({ stdout, stderr }).toEqual({ stdout: `${expected}\n`, stderr: "" });
});

testFromAbi(1, "the policy file on the command line", async () => {
  const folder = tempDir();
  await Bun.write(join(folder, "landlock.toml"), snippet("Policy files", "toml"));
  const cli = join(root, "src", "cli.ts");
  const sandbox = (...command: string[]) =>
    run(folder, cli, "-policy", "landlock.toml", "--", ...command);
  expect(sandbox("cat", "/etc/passwd")).toMatchObject({ code: 0 });
  expect(sandbox("cat", "/proc/version")).toMatchObject({ stdout: "", code: 1 });
});

testFromAbi(1, "the preload, by its flag and by bunfig.toml", async () => {
  const folder = tempDir();
  await Bun.write(join(folder, "package.json"), snippet("Preload", "json"));
  const script = `try { require("node:fs").readFileSync("/etc/passwd"); console.log("read"); }
    catch (error) { console.log(error.code); }`;
  await Bun.write(join(folder, "main.ts"), script);
  const preload = join(root, "src", "preload.ts");
  const command = snippet("Preload", "sh").split(" ");
  expect(command.slice(0, 3)).toEqual(["bun", "--preload", "bun-landlock/preload"]);
  expect(run(folder, "--preload", preload, ...command.slice(3)).stdout).toBe("EACCES\n");
  const line = readme.match(/`(preload = \[.*?\])`/)![1]!;
  await Bun.write(
    join(folder, "bunfig.toml"),
    line.replace('"bun-landlock/preload"', JSON.stringify(preload)),
  );
  expect(run(folder, "main.ts").stdout).toBe("EACCES\n");
});
