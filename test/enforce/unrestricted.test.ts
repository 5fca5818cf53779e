/** Where nothing can be restricted, no command and no program runs until a person has said so. */
import { expect } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { inSubprocess, tempDir, testFromAbi } from "../harness.ts";

const source = (file: string) => join(import.meta.dir, "../../src", file);

/** Runs commands of Bun in a container that knows no Landlock: each with its output and status. */
function whereThereIsNone(commands: Record<string, readonly string[]>) {
  return inSubprocess(commands, (inside, commands) => {
    inside.failSyscalls(444, 446, 38);
    const ended = Object.entries(commands).map(([name, words]) => {
      const { exitCode, stdout, stderr } = Bun.spawnSync([process.execPath, ...words]);
      return [name, { code: exitCode, stdout: stdout.toString(), stderr: stderr.toString() }];
    });
    return Object.fromEntries(ended) as Record<
      string,
      { code: number; stdout: string; stderr: string }
    >;
  });
}

const remedy =
  "this kernel has no Landlock: use Linux 5.13 or newer, built with CONFIG_SECURITY_LANDLOCK=y";

testFromAbi(
  1,
  "landlock-restrict runs no command where there is no Landlock, unless told",
  async () => {
    const folder = tempDir();
    const policy = (name: string, text: string) => {
      writeFileSync(join(folder, name), text);
      return ["-policy", join(folder, name)];
    };
    const cli = source("cli.ts");
    const echo = ["--", "/bin/echo", "ran"];
    const seen = await whereThereIsNone({
      options: [cli, "-ro", "/usr", ...echo],
      told: [cli, "-ro", "/usr", "-allow-none", ...echo],
      policy: [cli, ...policy("a.json", '{ "bestEffort": true }'), ...echo],
      toldByPolicy: [cli, ...policy("b.json", '{ "bestEffort": { "allowNone": true } }'), ...echo],
      strict: [cli, ...policy("c.json", "{}"), "-allow-none", ...echo],
      floor: [
        cli,
        ...policy("d.json", '{ "bestEffort": { "atLeast": 1 } }'),
        "-allow-none",
        ...echo,
      ],
      both: [cli, "-strict", "-allow-none", ...echo],
      withdrawn: [
        cli,
        ...policy("b.json", '{ "bestEffort": { "allowNone": true } }'),
        "-strict",
        ...echo,
      ],
      explain: [cli, "explain", "-ro", "/usr", ...echo],
    });
    const said = (text: string) => ({
      code: 125,
      stdout: "",
      stderr: `landlock-restrict: ${text}\n`,
    });
    const refusal = said(
      `Cannot run the command in a sandbox: ${remedy}; to do without a sandbox, add -allow-none`,
    );
    const ran = {
      code: 0,
      stdout: "ran\n",
      stderr: "landlock-restrict: nothing is restricted: see landlock-restrict status\n",
    };
    const strict = said(`Cannot restrict anything: ${remedy}`);
    expect(seen).toEqual({
      options: refusal,
      told: ran,
      policy: refusal,
      toldByPolicy: ran,
      strict,
      floor: strict,
      both: said("-strict and -allow-none contradict each other: give one of the two"),
      withdrawn: strict,
      explain: strict,
    });
  },
);

testFromAbi(1, "the preload runs no program where there is no Landlock, unless told", async () => {
  const folder = tempDir();
  const program = (name: string, policy: string) => {
    const main = join(folder, name, "main.ts");
    return Bun.write(main, 'console.log("ran")').then(() =>
      Bun.write(join(folder, name, "package.json"), `{ "landlock": ${policy} }`).then(() => [
        "--preload",
        source("preload.ts"),
        main,
      ]),
    );
  };
  const seen = await whereThereIsNone({
    bestEffort: await program("a", '{ "bestEffort": true }'),
    strict: await program("b", "{}"),
    told: await program("c", '{ "bestEffort": { "allowNone": true } }'),
  });
  expect(seen["bestEffort"]).toMatchObject({ code: 1, stdout: "" });
  expect(seen["bestEffort"]!.stderr).toEndWith(
    `bun-landlock/preload: Cannot sandbox this program: ${remedy}; to do without a sandbox, set "bestEffort": { "allowNone": true }\n`,
  );
  expect(seen["strict"]).toMatchObject({ code: 1, stdout: "" });
  expect(seen["strict"]!.stderr).toEndWith(`Cannot restrict anything: ${remedy}\n`);
  expect(seen["told"]).toMatchObject({ code: 0, stdout: "ran\n" });
  expect(seen["told"]!.stderr).toContain("Landlock restricts nothing here");
});
