/** explain()'s judgement of ordinary permissions, compared with the kernel. */
import { expect, test } from "bun:test";
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Operation } from "../../src/model/operation.ts";
import { inSubprocess, tempDir, testUnless } from "../harness.ts";

const src = join(import.meta.dir, "../../src");

/** A folder that only its owner may change, holding a file and a folder that all may change. */
function tree(): string {
  const dir = tempDir();
  chmodSync(dir, 0o755);
  mkdirSync(join(dir, "closed"));
  mkdirSync(join(dir, "open"));
  for (const name of ["closed/file", "open/file"]) {
    writeFileSync(join(dir, name), "text");
    chmodSync(join(dir, name), 0o666);
  }
  chmodSync(join(dir, "open"), 0o777);
  chmodSync(join(dir, "closed"), 0o555);
  return dir;
}

test("a link needs its new directory only, a rename both", async () => {
  const dir = tree();
  const seen = await inSubprocess({ dir, src }, async (inside, { dir, src }) => {
    const { deniedByPermissions } = await import(`${src}/explain/ordinary.ts`);
    const { machineFiles } = await import(`${src}/model/files.ts`);
    const { linkSync, renameSync } = await import("node:fs");
    if (process.getuid?.() === 0) process.setuid?.(65_534);
    const [closed, open] = [`${dir}/closed`, `${dir}/open`];
    const calls = { link: linkSync, rename: renameSync };
    return (["link", "rename"] as const).flatMap((kind) =>
      [
        [`${closed}/file`, `${open}/${kind}`],
        [`${open}/file`, `${closed}/${kind}`],
      ].map(([path, to]) => {
        const operation = { kind, path, to } as Operation;
        const verdict: string | undefined = deniedByPermissions([operation], machineFiles);
        return [inside.outcome(() => calls[kind](path!, to!)), verdict?.replace(dir, "DIR")];
      }),
    );
  });
  chmodSync(join(dir, "closed"), 0o755);
  expect(seen).toEqual([
    ["ok", null],
    ["EACCES", 'writing "DIR/closed"'],
    ["EACCES", 'writing "DIR/closed"'],
    ["EACCES", 'writing "DIR/closed"'],
  ] as never);
});

const mounts = Bun.spawnSync(["unshare", "-Urm", "true"]).success ? "" : "needs unshare -Urm";

testUnless(mounts, "a read-only mount denies writing, as the kernel does", async () => {
  const dir = tempDir();
  const seen = await inSubprocess(
    { dir, src },
    async (inside, { dir, src }) => {
      const { deniedByPermissions } = await import(`${src}/explain/ordinary.ts`);
      const { machineFiles } = await import(`${src}/model/files.ts`);
      const { writeFileSync } = await import("node:fs");
      const judge = (): unknown =>
        deniedByPermissions([{ kind: "make", path: `${dir}/new`, type: "regular" }], machineFiles);
      const before = judge();
      Bun.spawnSync(["mount", "-t", "tmpfs", "-o", "ro", "none", dir]);
      const outcome = inside.outcome(() => writeFileSync(`${dir}/new`, ""));
      return [before, outcome, judge()].map((one) => `${one}`.replace(dir, "DIR"));
    },
    { prefix: ["unshare", "-Urm"] },
  );
  expect(seen).toEqual(["undefined", "EROFS", 'writing "DIR"']);
});
