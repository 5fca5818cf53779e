/** A policy that a user's own group may change, and who is in that group. */
import { expect } from "bun:test";
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { inSubprocess, tempDir, testUnless } from "../harness.ts";
import { testInNamespace, withFiles } from "../presets/namespace.ts";

const users = "root:x:0:0:root:/root:/bin/sh\nbob:x:7001:7001::/:/bin/sh\n";
const groups = "root:x:0:root\nother:x:100:eve\nbob:x:7001:eve\n";

/** Who else is in the group of root, as these files have it, and what becomes of its policies. */
const cases: [what: string, passwd: string, group: string, trusted: boolean][] = [
  ["nobody", users, groups, true],
  ["nobody, by no list at all", "", "", true],
  ["a listed member", users, groups.replace("root:x:0:root", "root:x:0:root,eve"), false],
  ["a member of a second name", users, `${groups}wheel:x:0:eve\n`, false],
  ["a user whose first group it is", `${users}eve:x:7002:0::/:/bin/sh\n`, groups, false],
];

/** Elsewhere the root of a namespace is not who owns the directories above. */
const testHere: typeof testInNamespace =
  process.getuid?.() === 0
    ? testInNamespace
    : (_, name, body) => testUnless("needs root: others own no directory in /", name, body);

for (const [what, passwd, group, trusted] of cases) {
  testHere(
    ["unshare"],
    `a policy that its owner's group may change is ${trusted ? "read" : "refused"}: in it is ${what}`,
    async () => {
      const dir = tempDir();
      mkdirSync(join(dir, "own"));
      for (const name of ["p.json", "own/p.json"]) writeFileSync(join(dir, name), "{}");
      chmodSync(join(dir, "p.json"), 0o664);
      chmodSync(join(dir, "own"), 0o775);
      const prefix = await withFiles({ "/etc/passwd": passwd, "/etc/group": group });
      const seen = await inSubprocess(
        { dir, module: join(import.meta.dir, "../../src/policy/read.ts") },
        async (inside, { dir, module }) => {
          const { readFile } = (await import(module)) as typeof import("../../src/policy/read.ts");
          const read = (name: string) =>
            inside.thrown(() => readFile(`${dir}/${name}`, { ifForeign: "FIX" }))?.["message"] ??
            "read";
          return ["p.json", "own/p.json"].map(read);
        },
        { prefix },
      );
      if (trusted) expect(seen).toEqual(["read", "read"]);
      else {
        expect(seen[0]).toContain(`"${dir}/p.json" can be written by group 0`);
        expect(seen[1]).toContain(`"${dir}/own" is a directory that group 0 may change`);
      }
    },
  );
}
