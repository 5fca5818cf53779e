/** The policy that src/policy/README.md gives for a program whose folder may be a stranger's. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Scene } from "./scene.ts";

/** Writes it: the program may write its folder, the current directory. */
export function policyFor({ root, folders }: Scene): string {
  const path = join(root, "policy.json");
  const presets = ["executable=bun", "bun=children"];
  writeFileSync(path, JSON.stringify({ bestEffort: true, rw: [folders.cwd], presets }));
  return path;
}
