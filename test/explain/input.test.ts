/** `permissions.has()`, and how it and `explain()` treat bad input. */
import { expect, test } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { explain, landlock, LandlockError, permissions, planFor } from "../../src/index.ts";
import { inSubprocess, tempDir, testFromAbi, testUnless } from "../harness.ts";

testFromAbi(4, "permissions.has() answers as the layers decide", async () => {
  const dir = tempDir();
  mkdirSync(`${dir}/ro`);
  mkdirSync(`${dir}/rw`);
  writeFileSync(`${dir}/ro/file`, "text");
  const answers = await inSubprocess({ dir }, ({ landlock, permissions, ...rules }, { dir }) => {
    const { connectTcp, roDirs, rwDirs } = rules;
    landlock.V4.restrict(roDirs(`${dir}/ro`, "/usr/bin"), rwDirs(`${dir}/rw`), connectTcp(443));
    return {
      everything: (["fs", "fs.read", "fs.write", "child", "net"] as const).map((scope) =>
        permissions.has(scope),
      ),
      read: ["/ro", "/ro/file", "/rw/new", ""].map((path) =>
        permissions.has("fs.read", dir + path),
      ),
      write: ["/ro", "/ro/file", "/rw", "/rw/new"].map((path) =>
        permissions.has("fs.write", dir + path),
      ),
      child: permissions.has("execute", "/usr/bin/env"),
      net: [permissions.has("net.connect", 443), permissions.has("net.bind", 443)],
      right: [permissions.has("make_dir", `${dir}/rw`), permissions.has("refer", `${dir}/rw`)],
      signal: permissions.has("signal"),
    };
  });
  expect(answers).toEqual({
    everything: [false, false, false, false, false],
    read: [true, true, true, false],
    write: [false, false, true, true],
    child: true,
    net: [true, false],
    right: [true, false],
    signal: true,
  });
});

const invalid: [string, () => unknown, RegExp][] = [
  ["nothing to explain", () => explain(3), /^explain\(\): 3 is nothing to explain: give an error/],
  ["an empty object", () => explain({}), /is nothing to explain/],
  ["a right of another family", () => explain({ port: 1, access: "read_file" }), /"read_file"/],
  ["a misspelt key", () => explain({ path: "/", acces: [] }), /"acces" is unknown/],
  [
    "a layer that is none",
    () => explain(new Error(), { layers: [3 as never] }),
    /3 is not a layer/,
  ],
  ["an unknown option", () => explain(new Error(), { layer: [] } as never), /"layer" is unknown/],
  ["a scope", () => permissions.has("fs.list" as never), /"fs.list" is not a scope/],
  ["a path for a port", () => permissions.has("net", "/x"), /"\/x" is not a port/],
  ["a port for a path", () => permissions.has("fs.read", 1), /1 is not a path/],
  ["a reference of a scope", () => permissions.has("signal", "/x"), /takes no reference/],
];
for (const [name, action, message] of invalid) {
  test(`bad input: ${name}`, () => {
    let error: unknown;
    try {
      action();
    } catch (caught) {
      error = caught;
    }
    expect(error).toBeInstanceOf(LandlockError);
    expect(error).toMatchObject({ code: "ERR_LANDLOCK_INVALID_RULE", processChanged: false });
    expect((error as Error).message).toMatch(message);
  });
}

testUnless("", "whatever is caught, the answer is an explanation or a LandlockError", () => {
  const codes = ["EACCES", "EPERM", "EXDEV", "SQLITE_CANTOPEN", "MODULE_NOT_FOUND", 3];
  const calls = ["open", "mkdir", "rm", "rename", "symlink", "copyfile", "posix_spawn", "listen"];
  const syscalls = [...calls, "connect", "bind", "kill", "getaddrinfo", "memoryUsage", "", 5];
  const paths = ["/etc/passwd", "relative", "/", "\0name", "a\0b", "/dev/null", 5, "http://", "é"];
  const tooLong = `/${"a/".repeat(3000)}`;
  const layers = [planFor(landlock.V11, [], { abi: 11, errata: 15, state: "enabled" })];
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  const odd: object[] = [
    proxy,
    [],
    { message: 5 },
    { exitCode: "x" },
    { exitCode: 1, spawnargs: [5] },
  ];
  const errors = codes.flatMap((code) =>
    syscalls.flatMap((syscall) =>
      [...paths, tooLong].map((path) =>
        Object.assign(new Error("x"), { code, syscall, path, specifier: path, referrer: "/a.ts" }),
      ),
    ),
  );
  for (const what of [...odd, ...errors]) {
    try {
      expect(JSON.parse(JSON.stringify(explain(what, { layers })))).toHaveProperty("message");
    } catch (error) {
      expect(error).toBeInstanceOf(LandlockError);
      if (!odd.includes(what)) throw error;
    }
  }
  expect(errors.length).toBeGreaterThan(500);
});
