/**
 * Untrusted programs: a preset grants the loader, library or interpreter that they name only if it
 * really is one.
 */
import { describe, expect, test } from "bun:test";
import { chmodSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { LandlockError, presets, type FsRule } from "../../src/index.ts";
import { elfOf } from "../../src/presets/elf.ts";
import { tempDir } from "../harness.ts";
import { writeElf, type ElfFile } from "./elf-file.ts";
import { run, testWith } from "./programs.ts";

const { executable } = presets;

/** The granted paths, or the error's message. */
function granted(name: string): string[] | string {
  try {
    return (executable(name).rules as FsRule[]).flatMap(({ paths }) => paths);
  } catch (error) {
    if (error instanceof LandlockError && error.code === "ERR_LANDLOCK_PATH") return error.message;
    throw error;
  }
}

/** A folder with a secret, and files that look like what a program may name. */
function scene() {
  const folder = tempDir();
  const secret = join(folder, "secret");
  writeFileSync(secret, "a private key\n", { mode: 0o600 });
  const file = (name: string, elf: ElfFile) => writeElf(join(folder, name), elf);
  const script = (name: string, text: string, mode = 0o755) => {
    writeFileSync(join(folder, name), text);
    chmodSync(join(folder, name), mode);
    return join(folder, name);
  };
  const link = (name: string, target: string) => {
    symlinkSync(target, join(folder, name));
    return join(folder, name);
  };
  return { folder, secret, file, script, link };
}

testWith(
  ["cat"],
  "a program that names a secret as its loader does not make it readable",
  async () => {
    const { secret, file } = scene();
    const tool = file("tool", { interpreter: secret });
    const cat = executable("cat");
    const read = async (name: string) => {
      try {
        return await run([cat, executable(name)], ["cat", secret]);
      } catch (error) {
        return (error as Error).message;
      }
    };
    expect(await run([cat, presets.cwd()], ["cat", secret])).toMatchObject({ status: 1 });
    expect(await read(tool)).toContain(`Cannot grant "${secret}", which "${tool}" starts`);
    chmodSync(secret, 0o700);
    expect(await read(tool)).toContain("it is not a loader for this CPU");
  },
);

describe("executable() refuses as a loader", () => {
  const { folder, secret, file, script, link } = scene();
  const loaders: Record<string, string> = {
    "a script": script("victim", "#!/bin/sh\nTOKEN=1\n"),
    "a link to a script": link("victim-link", script("victim-2", "#!/bin/sh\nTOKEN=1\n")),
    "a script by the name env": script("env", "#!/bin/sh\nTOKEN=1\n"),
    "a script whose interpreter is a program by the name env": script("via", "#!/usr/bin/env sh\n"),
    "a text file that is executable": script("text", "a private key\n"),
    "a loader that is not executable": (() => {
      const path = file("not-executable", {});
      chmodSync(path, 0o644);
      return path;
    })(),
    "a core dump": file("core", { type: 4 }),
    "an object file": file("object.o", { type: 1 }),
    "a program of another CPU": file("other-cpu", { machine: 8 }),
    "a file that has nothing to load": file("empty", { without: [1] }),
    "a program that has a loader itself": file("program", { interpreter: "/lib/ld.so" }),
    "a library that needs others": file("needy.so", { needed: ["libc.so.6"] }),
    "a link to a secret": link("link", secret),
    "a directory": folder,
    "a device": "/dev/null",
    "a relative path": "lib/ld.so",
    "a file of /proc": "/proc/self/environ",
    "this very process": "/proc/self/exe",
    nothing: "/no/such/loader",
  };
  for (const [what, interpreter] of Object.entries(loaders)) {
    test(what, () => {
      const tool = file("tool", { interpreter });
      expect(granted(tool)).toMatch(/^Cannot (grant|find the program) "/);
      expect(granted(tool)).toContain(interpreter);
    });
  }

  test("but takes a loader that is one, by its real path", () => {
    const loader = file("loader", {});
    const tool = file("tool", { interpreter: link("loader-link", loader) });
    expect(granted(tool)).toEqual([tool, loader]);
  });
});

describe("executable() does not take for a library", () => {
  const { folder, secret, file, script, link } = scene();
  const loader = file("loader", {});
  mkdirSync(join(folder, "lib"));
  Bun.spawnSync(["mkfifo", join(folder, "fifo")]);
  const libraries: Record<string, string> = {
    "a secret": secret,
    "a link to a secret": link("lib/liblink.so", secret),
    "a core dump": file("core", { type: 4 }),
    "a program with a fixed address": file("fixed", { type: 2 }),
    "a program without one": file("pie", { flags1: 0x0800_0000 }),
    "a file without a dynamic section": file("bare", { without: [2] }),
    "a library of another CPU": file("other.so", { machine: 8 }),
    "a script": script("script", "#!/bin/sh\n"),
    "a FIFO, nor waits for it": join(folder, "fifo"),
  };
  for (const [what, path] of Object.entries(libraries)) {
    test(what, () => {
      const direct = file("direct", { interpreter: loader, needed: [path] });
      expect(granted(direct)).toStartWith(`Cannot find the library "${path}"`);
      const [name, folders] = [path.slice(folder.length + 1), "$ORIGIN:$ORIGIN/lib:/nowhere/.."];
      if (name.includes("/")) return;
      for (const where of [{ rpath: folders }, { runpath: folders }]) {
        const found = file("found", { interpreter: loader, needed: [name], ...where });
        expect(granted(found)).toStartWith(`Cannot find the library "${name}"`);
      }
    });
  }

  test("but takes one that is, by its real path, and only that file", () => {
    const library = file("lib/libreal.so.1", {});
    link("lib/libreal.so", library);
    const tool = file("tool", {
      interpreter: loader,
      needed: ["libreal.so"],
      runpath: "$ORIGIN/../../nowhere:$ORIGIN/lib/../lib",
    });
    expect(granted(tool)).toEqual([
      ...[tool, loader, library],
      ...["/etc/ld.so.cache", "/etc/ld.so.preload"],
    ]);
  });

  test("what a loader that is named like musl's would choose as its list of folders", () => {
    const odd = file("ld-musl-x.so", {});
    const library = file("lib/libodd.so", {});
    const paths = granted(file("tool", { interpreter: odd, needed: [library] })) as string[];
    const cpu = process.arch === "arm64" ? "aarch64" : "x86_64";
    expect(paths.filter((path) => path.startsWith("/etc"))).toEqual([`/etc/ld-musl-${cpu}.path`]);
  });
});

describe("executable() refuses as an interpreter", () => {
  const { secret, file, script, link } = scene();
  const interpreters: Record<string, string> = {
    "a secret": secret,
    "a script that is not executable": script("not-executable", "#!/bin/sh\n", 0o644),
    "a script": script("victim", "#!/bin/sh\nTOKEN=1\n"),
    "a link to a script": link("victim-link", script("victim-2", "#!/bin/sh\nTOKEN=1\n")),
    "a script by the name env": script("env", "#!/bin/sh\nTOKEN=1\n"),
    "a script whose interpreter is a program by the name env": script("via", "#!/usr/bin/env sh\n"),
    "a text file that is executable": script("text", "token = 1\n"),
    "a link to a secret": link("link", secret),
    "a core dump": file("core", { type: 4 }),
    "a relative path": "bin/sh",
    "a name without a slash": "sh",
    "a name that the kernel would cut off": `/${"x".repeat(300)}`,
    "a device": "/dev/null",
  };
  for (const [what, interpreter] of Object.entries(interpreters)) {
    test(what, () => {
      const direct = script("direct", `#!${interpreter}\n`);
      expect(granted(direct)).toMatch(/^Cannot (grant|find|tell)/);
      if (interpreter.length > 200 || interpreter === "sh") return;
      for (const words of ["", "-S ", "-S -i A=b "]) {
        const viaEnv = script("via-env", `#!/usr/bin/env ${words}${interpreter}\n`);
        expect(granted(viaEnv)).toMatch(/^Cannot (grant|find|tell)/);
      }
    });
  }

  test("a text file by the name env, with a program after it", () => {
    mkdirSync(join(secret, "../bin"));
    const env = script("bin/env", "token = 1\n");
    const tool = script("via-text", `#!${env} sh\n`);
    expect(granted(tool)).toStartWith(
      `Cannot grant "${env}", which "${tool}" starts: it is not an ELF`,
    );
  });

  test("the beginning of a name that the kernel cuts off", () => {
    const { folder } = scene();
    const name = "x".repeat(254 - folder.length - 1);
    const cut = writeElf(join(folder, name), {});
    const path = script("cut", `#!${cut}y/z\n`);
    expect(cut).toHaveLength(254);
    expect(granted(path)).toContain("nor a script that starts with #!");
    expect(granted(script("whole", `#!${cut.slice(0, -1)}\n`))).toContain("ENOENT");
  });

  test("a name that is not UTF-8, which would become another file", () => {
    const path = script("bytes", "");
    writeFileSync(path, Buffer.from("#!/bin/\xff\n", "latin1"));
    expect(granted(path)).toMatch(/^Cannot/);
  });
});

test("executable() passes over files on PATH that this user may not execute, and directories", () => {
  const { folder, script } = scene();
  for (const name of ["first", "second", "third"]) mkdirSync(join(folder, name));
  mkdirSync(join(folder, "first/program-of-a-test"));
  script("second/program-of-a-test", "#!/bin/sh\n", 0o644);
  const right = script("third/program-of-a-test", "#!/bin/sh\n");
  const viaEnv = script("via-env", "#!/usr/bin/env program-of-a-test\n");
  const saved = process.env["PATH"];
  process.env["PATH"] = ["first", "second", "third"].map((name) => join(folder, name)).join(":");
  try {
    expect((granted("program-of-a-test") as string[])[0]).toBe(right);
    expect(granted(viaEnv)).toContain(right);
  } finally {
    process.env["PATH"] = saved;
  }
});

describe("large and damaged tables of names", () => {
  const { folder, file } = scene();
  const loader = file("loader", {});
  mkdirSync(join(folder, "lib"));
  file("lib/liblarge.so", {});
  const large: ElfFile = {
    interpreter: loader,
    needed: ["liblarge.so"],
    runpath: `${"/nowhere:".repeat(1000)}$ORIGIN/lib`,
  };

  test("a name behind 37 MB of other names is read, and so is one behind 5 GB", () => {
    for (const tableBytes of [0, 37_000_000, 5_000_000_000]) {
      const path = file("large", { ...large, tableBytes });
      expect(elfOf(path)).toMatchObject({ needed: ["liblarge.so"], interpreter: loader });
      expect(granted(path)).toContain(join(folder, "lib/liblarge.so"));
    }
  });

  test("a name outside of its table is not read", () => {
    for (const shift of [1_000_000, 2 ** 40, 2 ** 52]) {
      expect(elfOf(file("shifted", { ...large, shift }))).toBeUndefined();
    }
    expect(elfOf(file("short", { ...large, claimedBytes: 8 }))).toBeUndefined();
    // If the claimed size exceeds the file, the preset reads to the segment's end.
    expect(elfOf(file("long", { ...large, claimedBytes: 2 ** 52 }))?.needed).toEqual([
      "liblarge.so",
    ]);
  });

  test("a name without an end is not read for ever", () => {
    const path = file("endless", { ...large, tableBytes: 1_000_000 });
    const bytes = readFileSync(path);
    bytes.fill(0x41, 4096);
    writeFileSync(path, bytes);
    expect(elfOf(path)).toBeUndefined();
  });

  test("a list of folders that is longer than any real one is not read", () => {
    for (const [count, readable] of [
      [5_000, true],
      [30_000, false],
    ] as const) {
      const path = file("folders", { ...large, runpath: `${"/a:".repeat(count)}$ORIGIN/lib` });
      expect(elfOf(path) !== undefined).toBe(readable);
    }
  });

  test("more libraries than any program has are not looked for", () => {
    const needed = Array.from({ length: 5000 }, (_, i) => `lib${i}.so`);
    expect(elfOf(file("many", { ...large, needed }))).toBeUndefined();
  });
});
