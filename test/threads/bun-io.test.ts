/** Every way Bun has to reach a file, on whatever thread, each used before it is denied. */
import { expect } from "bun:test";
import { testFromAbi } from "../harness.ts";
import { confined, confinement, threads } from "./confinement.ts";

/** Of each form of `node:fs`; what asks for no access to a file's content stays allowed. */
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
        // A folder that cannot be listed counts as empty.
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

/** What `cat` needs; Bun opens /dev/null as the standard input of a child. */
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
      // The program is in neither of the folders.
      after: { granted: all("EACCES"), other: all("EACCES") },
    });
  });
}
