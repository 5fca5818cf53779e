/** What else a sandbox confines: children, Workers, earlier layers. */
import { expect } from "bun:test";
import { mkdirSync } from "node:fs";
import { inSubprocess, tempDir, testFromAbi } from "../harness.ts";

/** Files are created there; a sandbox without `make_reg` needs no rule for the child's program. */
function twoFolders(): string {
  const dir = tempDir();
  for (const name of ["allowed", "denied"]) mkdirSync(`${dir}/${name}`);
  return dir;
}

const both = { before: ["ok", "ok"], after: ["ok", "EACCES"] };

/** A program that tries to create the files in its arguments and prints the outcomes as JSON. */
const creator = `
  const { writeFileSync } = require("node:fs");
  console.log(JSON.stringify(process.argv.slice(1).map((path) => {
    try {
      writeFileSync(path, "", { flag: "wx" });
      return "ok";
    } catch (error) {
      return error.code;
    }
  })));`;

const ways = [
  "Bun.spawn",
  "Bun.spawnSync",
  "Bun.$",
  "child_process.spawn",
  "child_process.execFileSync",
  "a grandchild",
] as const;

for (const way of ways) {
  testFromAbi(1, `what ${way} starts is in the sandbox too`, async () => {
    const seen = await inSubprocess(
      { dir: twoFolders(), creator, way },
      async ({ landlock, pathAccess }, { dir, creator, way }) => {
        const { execFileSync, spawn } = await import("node:child_process");
        const program = process.execPath;
        const starters = {
          "Bun.spawn": (args: string[]) => Bun.spawn([program, ...args]).stdout.text(),
          "Bun.spawnSync": (args: string[]) => Bun.spawnSync([program, ...args]).stdout.toString(),
          "Bun.$": (args: string[]) => Bun.$`${program} ${args}`.text(),
          "child_process.spawn": (args: string[]) =>
            new Promise<string>((done) =>
              spawn(program, args).stdout.on("data", (data) => done(String(data))),
            ),
          "child_process.execFileSync": (args: string[]) => execFileSync(program, args).toString(),
          "a grandchild": (args: string[]) =>
            Bun.spawnSync(["/bin/sh", "-c", '"$0" "$@"; true', program, ...args]).stdout.toString(),
        };
        const create = async (name: string) => {
          const paths = ["allowed", "denied"].map((folder) => `${dir}/${folder}/${name}`);
          return JSON.parse(await starters[way](["-e", creator, ...paths])) as string[];
        };
        const before = await create("before");
        landlock
          .config({ fs: ["make_reg"] })
          .restrictPaths(pathAccess(["make_reg"], `${dir}/allowed`));
        return { before, after: await create("after") };
      },
    );
    expect(seen).toEqual(both);
  });
}

for (const when of ["before", "after"] as const) {
  testFromAbi(
    1,
    `a Worker that started ${when} restrictPaths() is in the sandbox too`,
    async () => {
      const seen = await inSubprocess(
        { dir: twoFolders(), when },
        async (inside, { dir, when }) => {
          const { landlock, pathAccess } = inside;
          const source = `
        const { writeFileSync } = require("node:fs");
        onmessage = ({ data }) => {
          try {
            writeFileSync(data, "", { flag: "wx" });
            postMessage("ok");
          } catch (error) {
            postMessage(error.code);
          }
        };
        postMessage("up");`;
          const url = URL.createObjectURL(new Blob([source], { type: "application/javascript" }));
          const next = (worker: Worker) =>
            new Promise<string>((done) => (worker.onmessage = ({ data }) => done(data)));
          const start = async () => {
            const worker = new Worker(url);
            await next(worker);
            return worker;
          };
          const create = async (worker: Worker, name: string) => {
            const outcomes = [];
            for (const folder of ["allowed", "denied"]) {
              const answer = next(worker);
              worker.postMessage(`${dir}/${folder}/${name}`);
              outcomes.push(await answer);
            }
            return outcomes;
          };
          const early = await start();
          const before = await create(early, "before");
          landlock
            .config({ fs: ["make_reg"] })
            .restrictPaths(pathAccess(["make_reg"], `${dir}/allowed`));
          return {
            before,
            after: await create(when === "before" ? early : await start(), "after"),
          };
        },
      );
      expect(seen).toEqual(both);
    },
  );
}

testFromAbi(1, "a child may add a layer, which its parent is not in", async () => {
  const dir = twoFolders();
  mkdirSync(`${dir}/third`);
  const folders = ["allowed", "denied", "third"].map((name) => `${dir}/${name}`);
  const seen = await inSubprocess(
    { folders, creator, inside: new URL("../inside.ts", import.meta.url).href },
    async ({ landlock, outcome, pathAccess }, { folders, creator, inside }) => {
      const { writeFileSync } = await import("node:fs");
      const create = (name: string) =>
        folders.map((folder) =>
          outcome(() => writeFileSync(`${folder}/${name}`, "", { flag: "wx" })),
        );
      const before = create("before");
      const [allowed, denied, third] = folders as [string, string, string];
      const config = landlock.config({ fs: ["make_reg"] });
      config.restrictPaths(pathAccess(["make_reg"], allowed, third));
      const script = `
        const { landlock, pathAccess } = await import(${JSON.stringify(inside)});
        const rule = pathAccess(["make_reg"], ${JSON.stringify(allowed)}, ${JSON.stringify(denied)});
        landlock.config({ fs: ["make_reg"] }).restrictPaths(rule);
        ${creator}`;
      const paths = folders.map((folder) => `${folder}/child`);
      const child = Bun.spawnSync([process.execPath, "-e", script, ...paths]);
      return {
        before,
        child: JSON.parse(child.stdout.toString()) as string[],
        after: create("after"),
      };
    },
  );
  expect(seen).toEqual({
    before: ["ok", "ok", "ok"],
    child: ["ok", "EACCES", "EACCES"],
    after: ["ok", "EACCES", "ok"],
  });
});

testFromAbi(1, "no_new_privs is set on every thread afterwards, and in children", async () => {
  const seen = await inSubprocess(
    { dir: tempDir() },
    async ({ landlock, outcome, threadField }, { dir }) => {
      const { readFileSync, writeFileSync } = await import("node:fs");
      const url = URL.createObjectURL(
        new Blob(["onmessage = () => {}; postMessage(1)"], { type: "application/javascript" }),
      );
      const start = () => new Promise((done) => (new Worker(url).onmessage = done));
      await Promise.all([start(), start()]);
      // Runs on threads of the pool.
      await Promise.all(Array.from({ length: 8 }, () => Bun.file("/proc/self/stat").text()));
      const { threads } = landlock.config({ fs: ["make_reg"] }).restrictPaths();
      await start();
      const child = Bun.spawnSync(["cat", "/proc/self/status"], { stdin: "ignore" });
      return {
        enough: threads.count > 4,
        threads: [...new Set(threadField("NoNewPrivs"))],
        child: child.stdout.toString().match(/^NoNewPrivs:\s*(\d)$/m)?.[1],
        itself: readFileSync("/proc/self/status", "utf8").match(/^NoNewPrivs:\s*(\d)$/m)?.[1],
        create: outcome(() => writeFileSync(`${dir}/new`, "")),
      };
    },
  );
  expect(seen as object).toEqual({
    enough: true,
    threads: ["1"],
    child: "1",
    itself: "1",
    create: "EACCES",
  });
});
