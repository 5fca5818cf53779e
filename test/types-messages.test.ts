/** What an editor shows: sentences for mistakes, and what each version restricts. */
import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { linuxOf, newestAbi, rightsOf } from "../src/kernel/abi.ts";
import { tempDir } from "./harness.ts";

const root = join(import.meta.dir, "..");

test("mistakes in calls are type errors that say what to do, each on its own line", async () => {
  const folder = tempDir();
  const config = await Bun.file(join(root, "tsconfig.json")).json();
  const compilerOptions = {
    ...config.compilerOptions,
    types: [join(root, "node_modules/bun-types")],
  };
  const include = ["*.ts", join(root, "src/kernel/so.d.ts")];
  await Bun.write(join(folder, "tsconfig.json"), JSON.stringify({ compilerOptions, include }));
  const mistakes = [
    ['roDirs(["/usr"]);', "give paths one by one: ...list"],
    ['pathAccess(["execute"], ["/usr"]);', "give paths one by one: ...list"],
    ["roDirs();", "Expected 1 arguments, but got 0"],
    ["roDirs(3);", "'number' is not assignable to parameter of type 'PathLike'"],
    ["bindTcp(99999);", "a port is an integer from 0 to 65535"],
    ["bindTcp(-1);", "a port is an integer from 0 to 65535"],
    ['bindTcp("80");', "'string' is not assignable to parameter of type 'number'"],
    ["landlock.V4.restrictPaths(bindTcp(80));", "restrictPaths() takes no ports: use restrict()"],
    ['landlock.V4.restrictNet(roDirs("/"));', "restrictNet() takes no paths: use restrict()"],
  ];
  const names = "bindTcp, landlock, pathAccess, roDirs";
  const lines = mistakes.map(([line]) => line);
  const code = `import { ${names} } from "${join(root, "src/index.ts")}";\n${lines.join("\n")}\n`;
  await Bun.write(join(folder, "mistakes.ts"), code);
  const { stdout } = Bun.spawnSync([process.execPath, "check"], { cwd: folder });
  const errors = stdout
    .toString()
    .split("\n")
    .filter((line) => /^mistakes\.ts/.test(line));
  expect(errors).toHaveLength(mistakes.length);
  for (const [i, [, sentence]] of mistakes.entries()) {
    expect(errors[i]).toStartWith(`mistakes.ts(${i + 2},`);
    expect(errors[i]).toContain(sentence!);
    expect(errors[i]!.length).toBeLessThan(200);
  }
});

describe("on hover", () => {
  const text = readFileSync(join(root, "src/sandbox/landlock.ts"), "utf8");
  for (let abi = 1; abi <= newestAbi; abi++) {
    test(`V${abi} says its Linux version, and what it adds`, () => {
      const [, doc] =
        new RegExp(`/\\*\\*((?:(?!\\*/)[^])*)\\*/\\s*get V${abi}\\(\\)`).exec(text) ?? [];
      const words = doc!.replaceAll(/\s*\n\s*\* ?/g, " ");
      expect(words).toContain(`Linux ${linuxOf(abi)}: ${abi > 1 ? `V${abi - 1}, and ` : ""}`);
      const of = (one: number) => Object.values(rightsOf(one)).flat() as string[];
      const all = of(newestAbi);
      const added = of(abi).filter((right) => !of(abi - 1).includes(right));
      const named = [...words.matchAll(/`(\w+)`/g)].map(([, name]) => name!);
      expect(named.filter((name) => all.includes(name)).sort()).toEqual(added.sort());
    });
  }
});
