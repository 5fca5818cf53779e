/** Children are inside the sandbox, whatever thread starts them. */
import { expect } from "bun:test";
import { inSubprocess, testFromAbi } from "../harness.ts";
import { confined, confinement, insidePath, places } from "./confinement.ts";

/** What `cat` needs; Bun opens /dev/null as the standard input of a child. */
const system = ["/bin", "/usr", "/lib", "/lib64", "/etc/ld.so.cache", "/dev/null"];

testFromAbi(1, "restrictPaths() denies what children read, however they are started", async () => {
  const denied = "permission denied";
  expect(await confinement("children", "children", system)).toEqual(
    confined({
      "Bun.spawn": denied,
      "Bun.spawnSync": denied,
      "Bun.$": denied,
      "Bun.$ of a program": denied,
      "Bun.$ redirection": denied,
      exec: denied,
      execFile: denied,
      spawnSync: denied,
      "a grandchild": denied,
    }),
  );
});

testFromAbi(1, "restrictPaths() without execute denies starting a program", async () => {
  const seen = await inSubprocess(
    places(),
    async ({ landlock, rwDirs, outcome, outcomeOf }, at) => {
      const { spawnSync, execFile } = await import("node:child_process");
      const { promisify } = await import("node:util");
      const look = async () => ({
        "Bun.spawn": await outcomeOf(() => Bun.spawn(["true"]).exited),
        "Bun.spawnSync": outcome(() => Bun.spawnSync(["true"])),
        execFile: await outcomeOf(() => promisify(execFile)("true")),
        spawnSync: outcome(() => {
          const { error } = spawnSync("true");
          if (error) throw error;
        }),
      });
      const before = await look();
      landlock.V1.restrictPaths(rwDirs(at.granted));
      return { before, after: await look() };
    },
  );
  const all = (outcome: string) => ({
    "Bun.spawn": outcome,
    "Bun.spawnSync": outcome,
    execFile: outcome,
    spawnSync: outcome,
  });
  expect(seen).toEqual({ before: all("ok"), after: all("EACCES") });
});

testFromAbi(1, "restrictPaths() in the main thread reaches the children of Workers", async () => {
  const { granted, other } = places();
  const seen = await inSubprocess(
    { granted, other, children: insidePath("children"), observe: insidePath("observe"), system },
    async ({ landlock, roDirs }, at) => {
      const source = `
        const { children } = await import(${JSON.stringify(at.children)});
        const { outcomesOf } = await import(${JSON.stringify(at.observe)});
        onmessage = async ({ data }) => postMessage(await outcomesOf(children, data));
        postMessage("up");`;
      const blob = new Blob([source], { type: "text/javascript" });
      const worker = new Worker(URL.createObjectURL(blob));
      const answer = () =>
        new Promise<Record<string, string>>((resolve, reject) => {
          worker.onmessage = ({ data }) => resolve(data);
          worker.onerror = ({ message }) => reject(new Error(message));
        });
      await answer();
      const ask = async (dir: string) => {
        worker.postMessage(dir);
        return [...new Set(Object.values(await answer()))];
      };
      const before = [await ask(at.granted), await ask(at.other)];
      landlock.V1.restrictPaths(roDirs(at.granted), roDirs(...at.system).ignoreIfMissing());
      return { before, after: [await ask(at.granted), await ask(at.other)] };
    },
    { cwd: granted },
  );
  expect(seen).toEqual({
    before: [["ok"], ["ok"]],
    after: [["ok"], ["permission denied"]],
  });
});
