/** Every way Bun can reach a file, on any thread, used once before it is denied. */
import { expect } from "bun:test";
import { testFromAbi } from "../harness.ts";
import { confined, confinement, threads } from "./confinement.ts";

/** All forms of `node:fs`; calls that do not access a file's content stay allowed. */
const nodeFs = {
  open: "EACCES",
  readFile: "EACCES",
  writeFile: "EACCES",
  appendFile: "EACCES",
  truncate: "EACCES",
  copyFile: "EACCES",
  cp: "EACCES",
  readdir: "EACCES",
  "readdir recursive": "EACCES",
  mkdir: "EACCES",
  "mkdir recursive": "EACCES",
  mkdtemp: "EACCES",
  symlink: "EACCES",
  link: "EACCES",
  rename: "EACCES",
  "rename to another folder": "EACCES",
  unlink: "EACCES",
  rm: "EACCES",
  "rm recursive": "EACCES",
  rmdir: "EACCES",
  stat: "ok",
  lstat: "ok",
  access: "ok",
  realpath: "ok",
  readlink: "ok",
  chmod: "ok",
  utimes: "ok",
  statfs: "ok",
};

for (const thread of threads) {
  testFromAbi(3, `restrictPaths() denies node:fs on ${thread}`, async () => {
    expect(await confinement(thread, "node-fs", "sync")).toEqual(confined(nodeFs));
  });

  testFromAbi(3, `restrictPaths() denies node:fs with callbacks to ${thread}`, async () => {
    expect(await confinement(thread, "node-fs", "callbacks")).toEqual(confined(nodeFs));
  });

  testFromAbi(3, `restrictPaths() denies node:fs/promises to ${thread}`, async () => {
    expect(await confinement(thread, "node-fs", "promises")).toEqual(confined(nodeFs));
  });

  testFromAbi(1, `restrictPaths() denies streams and globs of node:fs to ${thread}`, async () => {
    expect(await confinement(thread, "node-fs", "streams")).toEqual(
      confined({
        createReadStream: "EACCES",
        createWriteStream: "EACCES",
        opendir: "EACCES",
        opendirSync: "EACCES",
        openAsBlob: "EACCES",
        "promises.open stream": "EACCES",
        // Bun treats a folder that it cannot list as empty.
        "promises.glob": "no match",
        globSync: "no match",
        existsSync: "ok",
      }),
    );
  });

  testFromAbi(1, `restrictPaths() leaves fs.watch to ${thread}: inotify is exempt`, async () => {
    expect(await confinement(thread, "node-fs", "watching")).toEqual(
      confined({ watch: "ok", "watch recursive": "ok" }),
    );
  });

  testFromAbi(3, `restrictPaths() denies Bun's own file functions to ${thread}`, async () => {
    expect(await confinement(thread, "bun-files", "bunFile")).toEqual(
      confined({
        text: "EACCES",
        bytes: "EACCES",
        arrayBuffer: "EACCES",
        json: "EACCES",
        slice: "EACCES",
        stream: "EACCES",
        "new Response": "EACCES",
        write: "EACCES",
        "write over": "EACCES",
        "write from a file": "EACCES",
        "write a large text": "EACCES",
        writer: "EACCES",
        delete: "EACCES",
        exists: "ok",
        stat: "ok",
        mmap: "EACCES",
        "Glob.scan": "EACCES",
        "Glob.scanSync": "EACCES",
        "fetch file:": "EACCES",
        "Image.metadata": "EACCES",
        "Image.bytes": "EACCES",
        "Image.write": "EACCES",
      }),
    );
  });

  testFromAbi(1, `restrictPaths() denies loading code to ${thread}`, async () => {
    expect(await confinement(thread, "bun-files", "loading")).toEqual(
      confined({
        "import()": "EACCES",
        "require()": "EACCES",
        "Bun.build": "EACCES",
        "new Worker": "EACCES",
        "Bun.resolveSync": "ok",
      }),
    );
  });

  testFromAbi(1, `restrictPaths() denies dlopen() of bun:ffi to ${thread}`, async () => {
    expect(await confinement(thread, "bun-files", "library")).toEqual(
      confined({ "bun:ffi dlopen": "ERR_DLOPEN_FAILED" }),
    );
  });

  testFromAbi(1, `restrictPaths() denies opening databases to ${thread}`, async () => {
    expect(await confinement(thread, "bun-files", "sqlite")).toEqual(
      confined({ Database: "SQLITE_CANTOPEN", "Database readonly": "SQLITE_CANTOPEN" }),
    );
  });
}

/** The files that `cat` needs; Bun opens /dev/null as a child's standard input. */
const system = ["/bin", "/usr", "/lib", "/lib64", "/etc/ld.so.cache", "/dev/null"];

for (const thread of threads) {
  testFromAbi(1, `restrictPaths() denies files to the children of ${thread}`, async () => {
    const denied = "permission denied";
    expect(await confinement(thread, "children", "children", system)).toEqual(
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

  testFromAbi(1, `restrictPaths() without execute denies ${thread} starting programs`, async () => {
    const seen = await confinement(thread, "children", "programs");
    const all = (outcome: string) => ({
      "Bun.spawn": outcome,
      "Bun.spawnSync": outcome,
      execFile: outcome,
      spawnSync: outcome,
    });
    expect(seen).toEqual({
      before: { granted: all("ok"), other: all("ok") },
      // The program is in neither folder.
      after: { granted: all("EACCES"), other: all("EACCES") },
    });
  });
}
