/** What `explain()` says if Landlock is not the cause, and if it cannot know. */
import { expect, test } from "bun:test";
import { chmodSync, mkdirSync, realpathSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import {
  explain,
  landlock,
  permissions,
  planFor,
  roDirs,
  rwDirs,
  type FsRule,
} from "../../src/index.ts";
import { inSubprocess, tempDir, testFromAbi } from "../harness.ts";

const newest = { abi: 11, errata: 15, state: "enabled" } as const;

function thrown(action: () => unknown): unknown {
  try {
    return action();
  } catch (error) {
    return error;
  }
}

test("a policy can be asked before it is enforced", () => {
  const plan = planFor(landlock.V11, [roDirs("/usr")], newest);
  const ask = (path: string) => explain({ path, access: "read_file" }, { layers: [plan] });
  expect(ask("/usr/lib")).toMatchObject({ cause: "allowed", denials: [], fixes: [] });
  const denied = ask("/etc/passwd");
  expect(denied).toMatchObject({
    cause: "landlock",
    certain: true,
    path: "/etc/passwd",
    denials: [{ layer: 1, right: "read_file", path: "/etc/passwd" }],
    message: 'Landlock: layer 1 denies read_file on "/etc/passwd"; add roFiles("/etc/passwd")',
  });
  expect(Object.isFrozen(denied) && Object.isFrozen(denied.fixes[0])).toBe(true);
  expect(JSON.parse(JSON.stringify(denied)).fixes[0].flags).toEqual(["-rofiles", "/etc/passwd"]);
  const port = explain({ port: 443, access: ["connect_tcp"] }, { layers: [plan, plan] });
  expect(port.message).toBe(
    "Landlock: layers 1, 2 deny connect_tcp on port 443; add connectTcp(443)",
  );
});

test("a link out of a writable directory is not named in a rule, but where it leads", () => {
  const dir = realpathSync(tempDir());
  for (const name of ["w/in", "out"]) mkdirSync(`${dir}/${name}`, { recursive: true });
  writeFileSync(`${dir}/out/file`, "");
  for (const [at, to] of [
    ["w/file", "../out/file"],
    ["w/out", "../out"],
    ["through", "w/file"],
    ["elsewhere", "out/file"],
    ["w/near", "in"],
  ] as const) {
    symlinkSync(to, `${dir}/${at}`);
  }
  for (const [name, access, named] of [
    ["w/file", "read_file", "out/file"],
    ["w/out/file", "read_file", "out/file"],
    ["w/out", "read_dir", "out"],
    ["through", "read_file", "out/file"],
    ["elsewhere", "read_file", "elsewhere"],
    ["w/near", "ioctl_dev", "w/near"],
  ] as const) {
    const layers = [planFor(landlock.V11, [rwDirs(`${dir}/w`)], newest)];
    const { fixes } = explain({ path: `${dir}/${name}`, access }, { layers });
    const rule = fixes[0]!.rule as FsRule;
    expect([name, rule.paths]).toEqual([name, [`${dir}/${named}`]]);
    // Building it is no error.
    using _ = landlock.V5.bestEffort({ allowNone: true }).ruleset(rwDirs(`${dir}/w`), rule);
  }
});

test("secrets, wide directories and what runs later get no rule, and a note says why", () => {
  const plan = planFor(landlock.V11, [], newest);
  const dir = tempDir();
  for (const name of ["home/.ssh", "app/.vscode"]) mkdirSync(`${dir}/${name}`, { recursive: true });
  for (const name of ["home/.ssh/id_ed25519", "app/.env", "app/file"])
    writeFileSync(`${dir}/${name}`, "");
  const cases = [
    [`${dir}/home/.ssh/id_ed25519`, "read_file", "it is a secret"],
    [`${dir}/app/.env`, "read_file", "it is a secret"],
    ["/", "read_dir", "only its names were read"],
    ["/etc", "make_reg", "it contains too much"],
    [`${dir}/app/.vscode`, "make_reg", "it decides what runs later"],
    [`${dir}/app/file`, "read_file", undefined],
  ] as const;
  for (const [path, access, why] of cases) {
    const { cause, fixes, notes } = explain({ path, access }, { layers: [plan] });
    expect([path, cause, fixes.length > 0]).toEqual([path, "landlock", why === undefined]);
    const about = notes.find((note) => note.startsWith("Not advised: "));
    if (why === undefined) expect(about).toBeUndefined();
    else expect(about).toContain(why);
  }
});

test("a secret that Bun was to load gets no rule, alone or among others", async () => {
  const dir = tempDir();
  for (const name of [".env", ".env.ts", "a.ts"]) await Bun.write(`${dir}/${name}`, "1");
  const layers = [planFor(landlock.V7, [roDirs("/usr")], newest)];
  const load = (name: string) => ({ message: `EACCES reading "${dir}/${name}"` });
  const script = `presets.modules("${dir}/a.ts")`;
  for (const [error, code] of [
    [load(".env"), undefined],
    [load(".env.ts"), undefined],
    [{ message: "no", specifier: "./.env", referrer: `${dir}/main.ts` }, undefined],
    [{ message: "no", errors: [load(".env"), load("a.ts")] }, script],
    [{ message: "no", errors: [load("a.ts"), load(".env.ts")] }, script],
    [{ message: "no", errors: [load(".env"), load(".env.ts")] }, undefined],
  ] as const) {
    const { cause, fixes, message, notes } = explain(error, { layers });
    expect(cause).toBe("landlock");
    expect(fixes[0]?.code).toBe(code!);
    expect(message).not.toMatch(/add .*\.env/);
    expect(notes.join()).toContain(`${dir}/.env`);
  }
});

test("a layer about ports denies refer beside one about paths, and takes no rule for it", () => {
  const dir = tempDir();
  for (const name of ["from", "to"]) mkdirSync(`${dir}/${name}`);
  writeFileSync(`${dir}/from/file`, "");
  const exdev = {
    code: "EXDEV",
    syscall: "rename",
    path: `${dir}/from/file`,
    dest: `${dir}/to/file`,
  };
  const error = Object.assign(new Error("x"), exdev);
  const paths = planFor(landlock.V3, [rwDirs(dir).withRefer()], newest);
  const ports = planFor(landlock.config({ net: ["bind_tcp"] }), [], newest);
  expect(explain(error, { layers: [paths] }).denials).toEqual([]);
  const { denials, fixes, message } = explain(error, { layers: [paths, ports] });
  expect(denials.map(({ layer, right }) => [layer, right])).toEqual([
    [2, "refer"],
    [2, "refer"],
  ]);
  expect(fixes).toEqual([]);
  expect(message).toEndWith(
    "; no rule can grant it in layer 2, which restricts no paths: restrict everything in one restrict()",
  );
});

test("without a layer everything is permitted, and an EACCES is not explained", () => {
  expect(permissions.has("fs")).toBe(true);
  expect(permissions.has("net.connect", 443)).toBe(true);
  const error = Object.assign(new Error("x"), { code: "EACCES", syscall: "open", path: "/usr" });
  expect(explain(error)).toMatchObject({ cause: "unknown", denials: [], fixes: [] });
  expect(explain(error).message).toStartWith("No layer is known");
  expect(explain(error).toNodeError()).toBeUndefined();
});

test("what is missing, and what has nothing to do with it", () => {
  const gone = thrown(() => statSync("/no/such/file"));
  expect(explain(gone)).toMatchObject({ cause: "missing", path: "/no/such/file" });
  const used = Object.assign(new Error("in use"), {
    code: "EADDRINUSE",
    syscall: "listen",
    port: 1,
  });
  expect(explain(used)).toMatchObject({ cause: "other", certain: true, error: used });
  const child = Bun.spawnSync(["true"]);
  expect(explain(child)).toMatchObject({ cause: "unknown" });
});

test("what an error does not tell is not ruled out", () => {
  const errors = [
    new TypeError("x is no function"),
    new Error("", { cause: "EACCES" }),
    Object.assign(new Error("x"), { code: "EACCES", syscall: "unheard" }),
    Object.assign(new Error("x"), { code: "EXDEV", syscall: "rename", path: "/usr" }),
    Object.assign(new Error("x"), { code: "EPERM" }),
    Object.assign(new Error("x"), { code: "ERR_DLOPEN_FAILED" }),
    Object.assign(new TypeError("x"), { code: "FailedToOpenSocket", path: "https://localhost:1/" }),
  ];
  for (const error of errors) {
    const { cause, certain, message } = explain(error);
    expect([cause, certain]).toEqual(["unknown", false]);
    expect(message).not.toContain("nothing to do");
  }
});

test("a module that a manifest or settings may name is not called missing", async () => {
  const dir = tempDir();
  const write = (name: string, text: string) => Bun.write(`${dir}/${name}`, text);
  await write("node_modules/pack/package.json", "{}");
  await write("lib/package.json", "{}");
  const failed = (specifier: string) =>
    explain(Object.assign(new Error("x"), { specifier, referrer: `${dir}/src/main.ts` }));
  expect(failed("pack/not/a/file").cause).toBe("unknown");
  expect(failed("../lib").cause).toBe("unknown");
  expect(failed("@/lib").cause).toBe("missing");
  await write("tsconfig.json", "{}");
  expect(failed("@/lib").message).toBe(
    `${JSON.stringify(`${dir}/tsconfig.json`)} may say which file "@/lib" is: give it, as { path }`,
  );
  expect(failed("./lib").cause).toBe("missing");
});

test("ordinary permissions", async () => {
  const dir = tempDir();
  chmodSync(dir, 0o755);
  writeFileSync(`${dir}/file`, "text", { mode: 0 });
  mkdirSync(`${dir}/closed`, { mode: 0 });
  const seen = await inSubprocess({ dir }, async ({ explain }, { dir }) => {
    const { readFileSync } = await import("node:fs");
    // Runs as nobody, because ordinary permissions do not restrict root.
    if (process.getuid?.() === 0) process.setuid?.(65_534);
    const script = `${dir}/closed/script.ts`;
    const errors = [
      { message: "Error in worker", path: script },
      { message: "no", specifier: script, referrer: `${dir}/main.ts` },
      { message: `EACCES reading "${script}"` },
    ].map((error) => explain(error).message.replace(dir, "DIR"));
    const read = [`${dir}/file`, `${dir}/closed/file`].map((path) => {
      try {
        return readFileSync(path, "utf8");
      } catch (error) {
        const { cause, message } = explain(error);
        return [cause, message.replace(dir, "DIR")];
      }
    });
    return { errors, read };
  });
  chmodSync(`${dir}/closed`, 0o700);
  const searching = 'Ordinary permissions deny searching the way to "DIR/closed/script.ts"';
  expect(seen.errors).toEqual([searching, searching, searching]);
  expect(seen.read).toEqual([
    ["permission", 'Ordinary permissions deny reading "DIR/file"'],
    ["permission", 'Ordinary permissions deny searching the way to "DIR/closed/file"'],
  ]);
});

test("a child that still runs has nothing to explain", async () => {
  const child = Bun.spawn(["cat"], { stdin: "pipe" });
  expect(() => explain(child)).toThrow("has not ended");
  child.stdin.end();
  await child.exited;
});

testFromAbi(1, "a denial has Node's shape, and goes to the diagnostics channel", async () => {
  const result = await inSubprocess({}, async ({ explain, landlock, permissions }) => {
    const { subscribe } = await import("node:diagnostics_channel");
    const { readFileSync } = await import("node:fs");
    const seen: unknown[] = [];
    subscribe("bun-landlock:denied", (message) => seen.push(message));
    const report = landlock.V11.bestEffort().restrictPaths();
    let error: unknown;
    try {
      readFileSync("/etc/passwd");
    } catch (caught) {
      error = caught;
    }
    const explained = explain(error);
    explain({ path: "/usr", access: "read_dir" }, { layers: [report] });
    const shape = explained.toNodeError()!;
    const { code, permission, resource, message } = shape;
    return {
      node: { code, permission, resource, message, cause: shape.cause === error },
      seen: [seen.length, seen[0] === explained],
      error: explained.error === error,
      has: [permissions.has("fs.read", "/etc/passwd"), permissions.has("net")],
    };
  });
  expect(result).toEqual({
    node: {
      code: "ERR_ACCESS_DENIED",
      permission: "FileSystemRead",
      resource: "/etc/passwd",
      message: 'Landlock: layer 1 denies read_file on "/etc/passwd"; add roFiles("/etc/passwd")',
      cause: true,
    },
    seen: [1, true],
    error: true,
    has: [false, true],
  });
});

testFromAbi(1, "a file that took the place of a granted one is said to be another", async () => {
  const dir = tempDir();
  writeFileSync(`${dir}/file`, "old");
  const seen = await inSubprocess({ dir }, async (inside, { dir }) => {
    const { explain, landlock, pathAccess, roFiles } = inside;
    const { readFileSync, renameSync, writeFileSync } = await import("node:fs");
    const makes = pathAccess(["make_reg", "remove_file", "write_file"], dir);
    landlock.V1.restrictPaths(roFiles(`${dir}/file`), makes);
    const before = readFileSync(`${dir}/file`, "utf8");
    // Longer than one tick of a file system's clock, which is at most 10 ms.
    await Bun.sleep(30);
    writeFileSync(`${dir}/next`, "new");
    renameSync(`${dir}/next`, `${dir}/file`);
    try {
      return [before, readFileSync(`${dir}/file`, "utf8")];
    } catch (error) {
      const { cause, denials, notes } = explain(error);
      return [before, cause, denials.map(({ right }) => right).join(), ...notes];
    }
  });
  expect(seen.slice(0, 3)).toEqual(["old", "landlock", "read_file"]);
  // Only on file systems that store the time of birth.
  if (statSync(dir).birthtimeMs > 0) expect(seen[3]).toContain("it applies to an older file");
});

testFromAbi(2, "EXDEV between two mounts is not Landlock's", async () => {
  const dir = tempDir();
  mkdirSync(`${dir}/other`);
  const seen = await inSubprocess({ dir }, async ({ explain, landlock, rwDirs }, { dir }) => {
    const { renameSync, writeFileSync } = await import("node:fs");
    const rules = [rwDirs(dir, "/dev/shm").withRefer()];
    landlock.V2.restrictPaths(...rules);
    writeFileSync(`${dir}/file`, "text");
    try {
      renameSync(`${dir}/file`, `/dev/shm/bun-landlock-${process.pid}`);
      return { code: "ok" };
    } catch (error) {
      const { cause, message } = explain(error);
      return { code: (error as { code: string }).code, cause, message };
    }
  });
  expect(seen).toMatchObject({ code: "EXDEV", cause: "other" });
  expect(seen.message).toContain("are on different mounts");
});

testFromAbi(1, "a Worker knows no layer of another thread, and can be given one", async () => {
  const seen = await inSubprocess(
    {},
    async ({ landlock, presets, roDirs }) => {
      const { resolve } = await import("node:path");
      const source = resolve(process.env["LANDLOCK_TEST_INDEX"]!);
      const report = landlock.V1.restrictPaths(roDirs("/"), presets.bun());
      const narrow = landlock.V1.restrictPaths(
        roDirs(source.replace(/\/src\/.*/, "")),
        presets.bun(),
      );
      const code = `
      import { explain } from ${JSON.stringify(source)};
      onmessage = async ({ data }) => {
        const access = "read_file";
        const error = await Bun.file("/etc/passwd").text().catch((error) => error);
        postMessage([explain(error, { access }).cause, explain(error, { access, layers: data }).cause]);
      };`;
      const worker = new Worker(URL.createObjectURL(new Blob([code])));
      const answer = new Promise((done) => (worker.onmessage = ({ data }) => done(data)));
      worker.postMessage([report, narrow]);
      return await answer;
    },
    { env: { LANDLOCK_TEST_INDEX: `${import.meta.dir}/../../src/index.ts` } },
  );
  expect(seen).toEqual(["unknown", "landlock"]);
});
