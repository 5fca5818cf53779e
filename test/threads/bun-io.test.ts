/** Every way Bun has to reach a file, on whatever thread, each run once before it is denied. */
import { expect } from "bun:test";
import { testFromAbi } from "../harness.ts";
import { confined, confinement } from "./confinement.ts";

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

testFromAbi(3, "restrictPaths() denies node:fs on the JS thread", async () => {
  expect(await confinement("node-fs", "sync")).toEqual(confined(nodeFs));
});

testFromAbi(3, "restrictPaths() denies node:fs with callbacks on the pool's threads", async () => {
  expect(await confinement("node-fs", "callbacks")).toEqual(confined(nodeFs));
});

testFromAbi(3, "restrictPaths() denies node:fs/promises on the pool's threads", async () => {
  expect(await confinement("node-fs", "promises")).toEqual(confined(nodeFs));
});

testFromAbi(
  1,
  "restrictPaths() denies streams, directory streams and globs of node:fs",
  async () => {
    expect(await confinement("node-fs", "streams")).toEqual(
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
  },
);

testFromAbi(
  1,
  "restrictPaths() leaves fs.watch alone: inotify is not in Landlock's reach",
  async () => {
    expect(await confinement("node-fs", "watching")).toEqual(
      confined({ watch: "ok", "watch recursive": "ok" }),
    );
  },
);

testFromAbi(
  3,
  "restrictPaths() denies Bun.file, Bun.write, Glob, mmap, Image and fetch of file:",
  async () => {
    expect(await confinement("bun-files", "bunFile")).toEqual(
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
  },
);

testFromAbi(
  1,
  "restrictPaths() denies import(), require(), Bun.build and a Worker's script",
  async () => {
    expect(await confinement("bun-files", "loading")).toEqual(
      confined({
        "import()": "EACCES",
        "require()": "EACCES",
        "Bun.build": "EACCES",
        "new Worker": "EACCES",
        "Bun.resolveSync": "ok",
      }),
    );
  },
);

testFromAbi(1, "restrictPaths() denies dlopen() of bun:ffi", async () => {
  expect(await confinement("bun-files", "library")).toEqual(
    confined({ "bun:ffi dlopen": "ERR_DLOPEN_FAILED" }),
  );
});

testFromAbi(1, "restrictPaths() denies opening databases of bun:sqlite", async () => {
  expect(await confinement("bun-files", "sqlite")).toEqual(
    confined({ Database: "SQLITE_CANTOPEN", "Database readonly": "SQLITE_CANTOPEN" }),
  );
});
