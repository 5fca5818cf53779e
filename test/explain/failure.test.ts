/** What an error tells, in the shapes that Bun 1.4 gives it. Pure. */
import { describe, expect, test } from "bun:test";
import { failuresOf } from "../../src/explain/failure.ts";
import { hypothesesOf } from "../../src/explain/hypotheses.ts";
import { treeOf } from "./cases.ts";

const files = treeOf({ "/a/f": "regular", "/a/d": "directory", "/b": "directory" });

const failureOf = (...given: Parameters<typeof failuresOf>) => failuresOf(...given)[0]!;

/** An error with a stack as Bun writes it. */
function errorOf(fields: object, stack = ""): Error {
  return Object.assign(new Error(), { stack }, fields);
}

const open = { code: "EACCES", errno: -13, syscall: "open", path: "/a/f" };

describe("facts", () => {
  const table: [string, object, object][] = [
    [
      "a synchronous function",
      errorOf(open, "Error: EACCES\n    at readFileSync (unknown)\n    at x (/a.ts:1:1)"),
      { code: "EACCES", path: "/a/f", callee: "readFileSync" },
    ],
    [
      "a promise",
      errorOf(open, "Error: EACCES\n    at async <anonymous> (/a.ts:1:1)"),
      { callee: "" },
    ],
    [
      "fetch() of a port",
      errorOf({
        code: "EACCES",
        errno: 0,
        path: "http://127.0.0.1:9/",
        message: "EACCES: Was there a typo in the url or port?",
      }),
      { port: 9, path: undefined, syscall: "" },
    ],
    [
      "fetch() without a port",
      errorOf({ code: "EACCES", path: "https://a.example/" }),
      { port: 443 },
    ],
    [
      "Bun.serve()",
      errorOf({ code: "EACCES", syscall: "listen", message: "permission denied 0.0.0.0:8123" }),
      { port: 8123 },
    ],
    [
      "Bun.serve() on IPv6",
      errorOf({ code: "EACCES", syscall: "listen", message: "permission denied [::1]:0" }),
      { port: 0 },
    ],
    [
      "net.createServer()",
      errorOf({ code: "EACCES", syscall: "listen", address: "::", port: 8124 }),
      { port: 8124, path: undefined },
    ],
    [
      "a UNIX socket",
      errorOf({ code: "EACCES", syscall: "listen", address: "/a/s" }),
      { path: "/a/s" },
    ],
    [
      "a WebSocket's event",
      {
        message: "WebSocket connection to 'ws://127.0.0.1:9/' failed: Failed to connect",
        error: new Error("WebSocket connection to 'ws://127.0.0.1:9/' failed: Failed to connect"),
      },
      { port: 9 },
    ],
    ["process.memoryUsage()", errorOf({ errno: 13, syscall: "memoryUsage" }), { code: "EACCES" }],
    [
      "an error with a cause",
      new Error("outer", { cause: errorOf(open) }),
      { code: "EACCES", path: "/a/f" },
    ],
    [
      "the first of many",
      Object.assign(new Error("all"), { errors: [errorOf(open)] }),
      { path: "/a/f" },
    ],
    [
      "this library's own",
      errorOf({ code: "ERR_LANDLOCK_PATH", errnoName: "EACCES", syscall: "execve", path: "/a/f" }),
      { code: "EACCES", syscall: "execve" },
    ],
    [
      "an import",
      {
        name: "ResolveMessage",
        code: "ERR_MODULE_NOT_FOUND",
        message: "Cannot find",
        specifier: "./m",
        referrer: "/a/x.ts",
      },
      { module: { specifier: "./m", referrer: "/a/x.ts" } },
    ],
    [
      "node:dgram",
      errorOf(
        { code: "EACCES", syscall: "bind", address: "0.0.0.0", message: "bind EACCES 0.0.0.0" },
        "Error\n    at udpSocket (unknown)",
      ),
      { isUdp: true, port: undefined },
    ],
    [
      "fs.cp()",
      errorOf(
        { ...open, syscall: "mkdir" },
        "Error\n    at async mkDirAndCopy (internal:fs/cp:238:21)",
      ),
      { isCopy: true },
    ],
  ];
  for (const [name, error, expected] of table) {
    test(name, () => expect(failureOf(error, {})).toMatchObject(expected));
  }

  const load = { code: "EACCES", syscall: "open", callee: "import", path: "/a/f" };
  const texts: [string, object][] = [
    ['EACCES reading "/a/f"', load],
    ['SyntaxError: EACCES reading "/a/f"\n', load],
    ['error: EACCES reading "/a/f"\n\nBun v1.4.5 (Linux x64)\n', load],
    ['EACCES reading "/a/"q".ts"', { ...load, path: '/a/"q".ts' }],
    ['EACCES reading file: "/a/f"', load],
    ['EACCES reading file: "/a/\\"q\\".ts"', { ...load, path: '/a/"q".ts' }],
    ['EISDIR reading "/a/f"', { ...load, code: "EISDIR" }],
    ["EACCES opening route: /a/f", load],
    ['Cannot read directory "/a/f": EACCES', load],
    ['Cannot read file "/a/f": EACCES', load],
    ["EACCES: failed to open root directory: /a/f", load],
    ["Unable to find directory: /a/f", load],
    ["/a/f: cannot open shared object file: Permission denied", load],
    ['Failed to open library "x": /a/f: cannot open shared object file: Permission denied', load],
    ["Error loading shared library /a/f: Permission denied", load],
    ["1 errors while compiling /a/x.c\ntcc: error: file '/a/f' not found\n", load],
    ["1 errors\n/a/b/x.c:1: error: include file '../f' not found\n", load],
    ['Failed to create output directory EACCES "/a/f"', { syscall: "mkdir", path: "/a/f" }],
    ["EACCES: permission denied, scandir '/a/f'", { code: "EACCES", syscall: "scandir" }],
    [
      "1 | x();\n    ^\nEXDEV: cross-device link not permitted, rename '/a/f' -> '/b/g'\n    errno: -18",
      { code: "EXDEV", syscall: "rename", path: "/a/f", dest: "/b/g" },
    ],
    [
      "error: Cannot find package 'm' from '/a/x.ts'",
      { module: { specifier: "m", referrer: "/a/x.ts" } },
    ],
    [
      'BuildMessage: ModuleNotFound resolving "./m" (entry point)',
      { module: { specifier: "./m", referrer: process.cwd() } },
    ],
    ["libm.so.6: cannot open shared object file: Permission denied", { path: undefined }],
    ["EACCES reading nothing in particular", { code: "", path: undefined }],
  ];
  for (const [text, expected] of texts) {
    test(`a message alone: ${JSON.stringify(text)}`, () => {
      expect(failureOf(new Error(text), {})).toMatchObject(expected);
      const hinted = failureOf({ message: text }, { path: "/other" }).path;
      expect(hinted).toBe(failureOf({ message: text }, {}).path ?? "/other");
    });
  }

  test("the call is told by the message if the error has its code only", () => {
    const error = errorOf({ code: "EACCES", message: "EACCES: permission denied, open '/a/f'" });
    expect(failureOf(error, {})).toMatchObject({ code: "EACCES", syscall: "open", path: "/a/f" });
  });

  test("a code of a program's own does not hide the cause", () => {
    const error = Object.assign(new Error("no", { cause: errorOf(open) }), { code: "NO_PLUGIN" });
    expect(failureOf(error, {})).toMatchObject({ code: "EACCES", path: "/a/f" });
  });

  test("each error of several is read", () => {
    const errors = [errorOf(open), { message: 'EACCES reading "/b"' }];
    const all = new Error("outer", { cause: new AggregateError(errors, "Bundle failed") });
    expect(failuresOf(all, {}).map(({ path }) => path)).toEqual(["/a/f", "/b"]);
    const nested: object[] = [];
    nested.push(new AggregateError(nested), new AggregateError(nested));
    expect(failuresOf(new AggregateError(nested), {}).length).toBeLessThan(100);
  });

  test("a long message is read in no time", () => {
    const start = performance.now();
    for (const part of [
      ': /a"',
      "EACCES reading ",
      "E: a",
      "/a: error: include file '",
      "x-y z ",
    ]) {
      failureOf({ message: part.repeat(100_000) }, {});
    }
    expect(performance.now() - start).toBeLessThan(2000);
  });

  test("what the caller knows counts where the error says nothing", () => {
    const failure = failureOf(errorOf({ code: "SQLITE_CANTOPEN" }), { path: "/a/db", port: 1 });
    expect(failure).toMatchObject({ path: "/a/db", port: 1 });
    expect(failureOf(errorOf(open), { path: "/other" }).path).toBe("/a/f");
  });

  test("a cause that is its own cause ends", () => {
    const circle = new Error("round");
    circle.cause = circle;
    expect(failureOf(circle, {}).message).toBe("round");
  });
});

/** Errors and the operations that each is read as. */
function operationsOf(fields: object, stack = "", access?: string[]) {
  const hypotheses = hypothesesOf(failureOf(errorOf(fields, stack), {}), files, access);
  return hypotheses?.attempts.map(({ operations }) => operations);
}

describe("hypotheses", () => {
  const read = { kind: "open", path: "/a/f", read: true };
  const write = { kind: "open", path: "/a/f", write: true, create: true, truncate: true };

  test("an open is for reading or writing, as far as its stack tells", () => {
    expect(operationsOf(open)).toEqual([[read], [write]] as never);
    expect(operationsOf(open, "    at readFileSync (unknown)")).toEqual([[read]] as never);
    expect(operationsOf(open, "    at writeFileSync (unknown)")).toEqual([[write]] as never);
    expect(operationsOf(open, "", ["read_file"])).toMatchObject([[{ read: true, write: false }]]);
    expect(operationsOf({ ...open, path: "/a/new" })).toMatchObject([[{ create: true }]]);
    expect(operationsOf({ ...open, path: "/a/d" })).toMatchObject([[{ read: true }]]);
  });

  test("a recursive mkdir is for the first directory that is missing", () => {
    const mkdir = { code: "EACCES", syscall: "mkdir", path: "/a/x/y/z" };
    expect(operationsOf(mkdir)).toMatchObject([[{ kind: "make", path: "/a/x" }]]);
  });

  test("a symlink is made where the second path says", () => {
    const symlink = { code: "EACCES", syscall: "symlink", path: "f", dest: "/a/l" };
    expect(operationsOf(symlink)).toEqual([[{ kind: "make", path: "/a/l", type: "symlink" }]]);
  });

  test("EPERM is Landlock's for signals and abstract sockets only", () => {
    expect(operationsOf({ code: "EPERM", syscall: "kill" })).toMatchObject([[{ scope: "signal" }]]);
    expect(operationsOf({ code: "EPERM", syscall: "connect", path: "\0name" })).toMatchObject([
      [{ scope: "abstract_unix_socket" }],
    ]);
    expect(operationsOf({ ...open, code: "EPERM" })).toBeUndefined();
  });

  test("connecting with node:dgram fails without a code", () => {
    const failed = errorOf({ message: "Failed to connect socket" }, "    at x (node:dgram:480:16)");
    const hypotheses = hypothesesOf(failureOf(failed, { port: 53 }), files, undefined);
    expect(hypotheses?.attempts).toMatchObject([
      { certain: false, operations: [{ access: ["connect_send_udp"], port: 53 }] },
    ]);
  });

  test("what has nothing to do with access has no hypotheses", () => {
    expect(operationsOf({ message: "undefined is not a function" })).toBeUndefined();
    expect(operationsOf({ code: "ECONNREFUSED", syscall: "connect", port: 1 })).toBeUndefined();
    expect(operationsOf({ code: "EADDRINUSE", syscall: "listen", port: 1 })).toBeUndefined();
  });
});
