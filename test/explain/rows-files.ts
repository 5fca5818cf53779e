/** Denials on files: `node:fs` in its three forms, `Bun.file()` and `Bun.write()`. */
import { pathAccess, roDirs, roFiles, rwDirs } from "../../src/index.ts";
import type { Rows } from "./rows.ts";

const roFile = 'roFiles("DIR/file")';
const rwFile = 'rwFiles("DIR/file")';
const rwDir = 'rwDirs("DIR")';

export const fileRows: Rows = {
  "readFileSync()": { action: ({ fs, dir }) => fs.readFileSync(`${dir}/file`), code: roFile },
  "fs.promises.readFile()": {
    action: ({ fs, dir }) => fs.promises.readFile(`${dir}/file`),
    code: roFile,
    uncertain: true,
  },
  "readFile(), with { access }": {
    action: ({ fs, dir }) =>
      new Promise((done, fail) => {
        fs.readFile(`${dir}/file`, (error, bytes) => (error ? fail(error) : done(bytes)));
      }),
    options: { access: "read_file" },
    code: roFile,
  },
  "readFileSync() by a symbolic link": {
    action: ({ fs, dir }) => fs.readFileSync(`${dir}/link`),
    code: 'roFiles("DIR/link")',
  },
  "readFileSync(), denied by two layers": {
    action: ({ fs, dir }) => fs.readFileSync(`${dir}/file`),
    olderLayer: [],
    code: roFile,
  },
  "writeFileSync()": {
    action: ({ fs, dir }) => fs.writeFileSync(`${dir}/file`, "new"),
    code: rwFile,
  },
  "fs.promises.writeFile() on what can be read": {
    action: ({ fs, dir }) => fs.promises.writeFile(`${dir}/file`, "new"),
    rules: [roFiles("DIR/file")],
    code: rwFile,
  },
  "fs.promises.writeFile() of a new file": {
    action: ({ fs, dir }) => fs.promises.writeFile(`${dir}/new`, "new"),
    code: rwDir,
  },
  "appendFileSync()": {
    action: ({ fs, dir }) => fs.appendFileSync(`${dir}/file`, "more"),
    code: rwFile,
  },
  'openSync("r+")': {
    action: ({ fs, dir }) => fs.closeSync(fs.openSync(`${dir}/file`, "r+")),
    code: roFile,
    uncertain: true,
  },
  "createReadStream()": {
    action: ({ fs, dir }) =>
      new Promise((done, fail) => {
        fs.createReadStream(`${dir}/file`).on("error", fail).on("data", done);
      }),
    code: roFile,
    uncertain: true,
  },
  "createWriteStream() of a new file": {
    action: ({ fs, dir }) =>
      new Promise<void>((done, fail) => {
        fs.createWriteStream(`${dir}/new`).on("error", fail).on("finish", done).end("text");
      }),
    code: rwDir,
  },
  "readdirSync()": {
    action: ({ fs, dir }) => fs.readdirSync(`${dir}/folder`),
    code: 'roDirs("DIR/folder")',
  },
  "fs.promises.opendir()": {
    action: async ({ fs, dir }) => {
      for await (const entry of await fs.promises.opendir(`${dir}/folder`)) void entry;
    },
    code: 'roDirs("DIR/folder")',
  },
  "Bun.Glob": {
    action: ({ dir }) => [...new Bun.Glob("*").scanSync(`${dir}/folder`)],
    code: 'roDirs("DIR/folder")',
  },
  "mkdirSync()": { action: ({ fs, dir }) => fs.mkdirSync(`${dir}/made`), code: rwDir },
  "mkdirSync({ recursive })": {
    action: ({ fs, dir }) => fs.mkdirSync(`${dir}/made/below`, { recursive: true }),
    code: rwDir,
  },
  "mkdtempSync()": { action: ({ fs, dir }) => fs.mkdtempSync(`${dir}/made-`), code: rwDir },
  "unlinkSync()": { action: ({ fs, dir }) => fs.unlinkSync(`${dir}/file`), code: rwDir },
  "rmdirSync()": { action: ({ fs, dir }) => fs.rmdirSync(`${dir}/empty`), code: rwDir },
  "fs.promises.rm({ recursive })": {
    action: ({ fs, dir }) => fs.promises.rm(`${dir}/folder`, { recursive: true }),
    code: rwDir,
  },
  "renameSync() to another directory": {
    action: ({ fs, dir }) => fs.renameSync(`${dir}/file`, `${dir}/folder/file`),
    code: 'rwDirs("DIR").withRefer()',
    abi: 2,
  },
  "renameSync(), EXDEV": {
    action: ({ fs, dir }) => fs.renameSync(`${dir}/file`, `${dir}/folder/file`),
    rules: [rwDirs("DIR")],
    code: 'pathAccess(["refer"], "DIR")',
    abi: 2,
  },
  "renameSync() to where the file could be executed": {
    action: ({ fs, dir }) => fs.renameSync(`${dir}/other/file`, `${dir}/folder/file`),
    rules: [
      pathAccess(["remove_file", "refer"], "DIR/other"),
      pathAccess(["make_reg", "refer", "execute"], "DIR/folder"),
    ],
    code: 'roFiles("DIR/other")',
    abi: 2,
  },
  "linkSync(), EXDEV": {
    action: ({ fs, dir }) => fs.linkSync(`${dir}/file`, `${dir}/folder/linked`),
    rules: [rwDirs("DIR/folder"), rwDirs("DIR")],
    code: 'pathAccess(["refer"], "DIR")',
    abi: 2,
  },
  "symlinkSync()": { action: ({ fs, dir }) => fs.symlinkSync("file", `${dir}/made`), code: rwDir },
  "truncateSync()": {
    action: ({ fs, dir }) => fs.truncateSync(`${dir}/file`),
    code: rwFile,
    abi: 3,
  },
  "copyFileSync()": {
    action: ({ fs, dir }) => fs.copyFileSync(`${dir}/file`, `${dir}/folder/copy`),
    code: 'roFiles("DIR/file"), rwDirs("DIR/folder")',
  },
  "cpSync({ recursive })": {
    action: ({ fs, dir }) => fs.cpSync(`${dir}/folder`, `${dir}/copy`, { recursive: true }),
    rules: [roDirs("DIR/folder")],
    code: rwDir,
  },
  "Bun.file().text()": {
    action: ({ dir }) => Bun.file(`${dir}/file`).text(),
    code: roFile,
    uncertain: true,
  },
  "Bun.file().stream()": {
    action: ({ dir }) => new Response(Bun.file(`${dir}/file`).stream()).text(),
    code: roFile,
  },
  "Bun.file().writer()": {
    action: async ({ dir }) => {
      const writer = Bun.file(`${dir}/file`).writer();
      writer.write("text");
      await writer.end();
    },
    code: rwFile,
  },
  "Bun.file().delete()": { action: ({ dir }) => Bun.file(`${dir}/file`).delete(), code: rwDir },
  "Bun.write()": { action: ({ dir }) => Bun.write(`${dir}/file`, "text"), code: rwFile },
  "Bun.write() of a file to a new one": {
    action: ({ dir }) => Bun.write(`${dir}/folder/copy`, Bun.file(`${dir}/file`)),
    rules: [roFiles("DIR/file")],
    code: 'rwDirs("DIR/folder")',
  },
};
