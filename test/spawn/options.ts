/**
 * `bun test/spawn/options.ts test/spawn/options.md`, as root, writes a table of every option of
 * `Bun.spawn()` and how `ruleset.spawn()` and `ruleset.spawnSync()` treat it.
 */
import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { makeCases } from "./cases.ts";
import { compare } from "./compare.ts";

const title = `# What \`spawn()\` makes of every option of \`Bun.spawn()\`

"as Bun": child and caller see the same, or get the same error. Otherwise the error of this library,
and that of Bun in its place. Made by \`bun test/spawn/options.ts\`, and checked by \`bun test\`.
`;

const [output] = process.argv.slice(2).map((path) => resolve(path));
const root = mkdtempSync(join(tmpdir(), "landlock-spawn-"));
// Some commands run as another user.
chmodSync(root, 0o755);
process.chdir(root);
const lines: string[] = [];
try {
  for (const [i, one] of makeCases(root).entries()) {
    if (one.asRoot && process.getuid!() !== 0) continue;
    const [first, second] =
      i % 2 === 0 ? (["list", "object"] as const) : (["object", "list"] as const);
    const outcomes = [
      await compare("spawn", first, one, root),
      await compare("spawnSync", second, one, root),
    ];
    const [both, sync] = outcomes as [string, string];
    const outcome = both === sync ? both : `${both}; spawnSync(): ${sync}`;
    lines.push(`| ${one.key} | ${one.value} | ${outcome} |`);
  }
} finally {
  rmSync(root, { recursive: true });
}
const head = ["| option | value | outcome |", "| --- | --- | --- |"];
await Bun.write(output!, `${title}\n${[...head, ...lines].join("\n")}\n`);
process.exit(0);
