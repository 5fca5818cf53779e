/** The error class: its fields, its name, and the kernel's errno names. */
import { expect, test } from "bun:test";
import {
  bindTcp,
  landlock,
  LandlockError,
  parsePolicy,
  presets,
  type LandlockErrorCode,
} from "../src/index.ts";
import { parseFlags } from "../src/cli/flags.ts";
import { errnoName, errorFor, messageFor } from "../src/errors/errors.ts";
import { thrown } from "./inside.ts";

const codes: Record<LandlockErrorCode, true> = {
  ERR_LANDLOCK_INVALID_RULE: true,
  ERR_LANDLOCK_INVALID_POLICY: true,
  ERR_LANDLOCK_USAGE: true,
  ERR_LANDLOCK_CLOSED: true,
  ERR_LANDLOCK_PATH: true,
  ERR_LANDLOCK_UNSUPPORTED: true,
  ERR_LANDLOCK_DISABLED: true,
  ERR_LANDLOCK_BLOCKED: true,
  ERR_LANDLOCK_NOT_LINUX: true,
  ERR_LANDLOCK_ABI_TOO_OLD: true,
  ERR_LANDLOCK_TOO_MANY_LAYERS: true,
  ERR_LANDLOCK_THREADS_UNREACHABLE: true,
  ERR_LANDLOCK_THREADS_DIVERGED: true,
  ERR_LANDLOCK_NATIVE: true,
  ERR_LANDLOCK_SYSCALL: true,
};

for (const code of Object.keys(codes) as LandlockErrorCode[]) {
  test(`LandlockError carries ${code} and its message`, () => {
    const error = new LandlockError(code, "This is a sentence");
    expect(error.code).toBe(code);
    expect(error.message).toBe("This is a sentence");
    expect(`${error}`).toBe("LandlockError: This is a sentence");
  });
}

const mistakes: [what: string, make: () => unknown, code: LandlockErrorCode, message: RegExp][] = [
  [
    "a rule",
    () => bindTcp(70_000 as number),
    "ERR_LANDLOCK_INVALID_RULE",
    /^bindTcp\(\): \[0\]: 70000 /,
  ],
  [
    "a preset's setting",
    () => presets.cwd({ write: 1 } as never),
    "ERR_LANDLOCK_INVALID_RULE",
    /^presets\.cwd\(\): write: 1 /,
  ],
  [
    "a rule beyond its Config",
    () => landlock.V3.plan(bindTcp(1)),
    "ERR_LANDLOCK_INVALID_RULE",
    /use a Config and a (verb|method) that do/,
  ],
  [
    "a policy's key",
    () => parsePolicy({ bindTcp: [70_000] }),
    "ERR_LANDLOCK_INVALID_POLICY",
    /^parsePolicy\(\): bindTcp\[0\]: 70000 /,
  ],
  [
    "a policy's preset",
    () => parsePolicy({ presets: ["nothing"] }),
    "ERR_LANDLOCK_INVALID_POLICY",
    /^parsePolicy\(\): presets\[0\]: "nothing" is not a preset/,
  ],
  ["an option", () => parseFlags(["-port"]), "ERR_LANDLOCK_USAGE", /^"-port" is no/],
  ["a path of an option", () => parseFlags(["-ro", ""]), "ERR_LANDLOCK_USAGE", /^-ro: "" /],
  [
    "a preset of an option",
    () => parseFlags(["-preset", "nothing"]),
    "ERR_LANDLOCK_USAGE",
    /^"nothing" is not a preset/,
  ],
];

for (const [what, make, code, message] of mistakes) {
  test(`${what} that is wrong has the code of its remedy, and the words of its place`, () => {
    expect(thrown(make)).toMatchObject({ code, message: expect.stringMatching(message) });
  });
}

test("errorFor() gives an error the code and the words of a surface once, and keeps the rest", () => {
  const hint = { id: "missing", paths: ["/a"] } as const;
  const details = { hint, syscall: "openat", errno: 2, path: "/a", processChanged: true };
  const error = new LandlockError("ERR_LANDLOCK_PATH", "No /a", details);
  const inPolicy = errorFor(error, "key", "app.toml");
  expect(inPolicy).toMatchObject({
    code: "ERR_LANDLOCK_PATH",
    message: 'app.toml: No /a; create it, or put it under paths with "ifMissing": "skip"',
    syscall: "openat",
    errno: 2,
    path: "/a",
    processChanged: true,
    cause: error,
  });
  expect(errorFor(inPolicy, "option")).toBe(inPolicy);
  expect(messageFor(inPolicy, "option")).toBe(inPolicy.message);
  expect(errorFor(new LandlockError("ERR_LANDLOCK_INVALID_RULE", "x"), "key").code).toBe(
    "ERR_LANDLOCK_INVALID_POLICY",
  );
});

test("LandlockError is an Error with its name on the prototype", () => {
  const error = new LandlockError("ERR_LANDLOCK_PATH", "x");
  expect(error).toBeInstanceOf(Error);
  expect(error.name).toBe("LandlockError");
  expect(Object.hasOwn(error, "name")).toBeFalse();
  expect(Object.hasOwn(LandlockError.prototype, "name")).toBeTrue();
  expect(error.stack).toContain("errors.test.ts");
});

test("a message spells out control characters: values in it may come from somebody's file", () => {
  const { message } = new LandlockError("ERR_LANDLOCK_PATH", '"a\u001b[2J\n\u009b\u202e" – é');
  expect(message).toBe('"a\\u001b[2J\\u000a\\u009b\\u202e" – é');
});

test("LandlockError has only code and processChanged where nothing else is known", () => {
  const error = new LandlockError("ERR_LANDLOCK_PATH", "x");
  expect({ ...error } as object).toEqual({ code: "ERR_LANDLOCK_PATH", processChanged: false });
  for (const key of ["syscall", "errno", "errnoName", "path", "cause"]) {
    expect(key in error).toBeFalse();
  }
});

test("LandlockError carries all of its details, and the name of the errno", () => {
  const cause = new Error("why");
  const error = new LandlockError("ERR_LANDLOCK_THREADS_DIVERGED", "x", {
    syscall: "landlock_restrict_self",
    errno: 1,
    path: "/a",
    processChanged: true,
    cause,
  });
  expect({ ...error } as object).toEqual({
    code: "ERR_LANDLOCK_THREADS_DIVERGED",
    processChanged: true,
    syscall: "landlock_restrict_self",
    path: "/a",
    errno: 1,
    errnoName: "EPERM",
  });
  expect(error.cause).toBe(cause);
});

test("LandlockError keeps a cause that is falsy", () => {
  for (const cause of [undefined, null, 0, ""]) {
    const error = new LandlockError("ERR_LANDLOCK_NATIVE", "x", { cause });
    expect("cause" in error).toBeTrue();
    expect(error.cause).toBe(cause);
  }
});

test("errnoName() spells errnos as the kernel's documentation does", () => {
  // Bun also names 11 EWOULDBLOCK and 95 ENOTSUP, and has no name for 77.
  expect(errnoName(11)).toBe("EAGAIN");
  expect(errnoName(77)).toBe("EBADFD");
  expect(errnoName(95)).toBe("EOPNOTSUPP");
  expect(errnoName(123456)).toBe("errno 123456");
});

const linux: [errno: number, name: string][] = [
  [1, "EPERM"],
  [2, "ENOENT"],
  [3, "ESRCH"],
  [4, "EINTR"],
  [7, "E2BIG"],
  [9, "EBADF"],
  [12, "ENOMEM"],
  [13, "EACCES"],
  [14, "EFAULT"],
  [20, "ENOTDIR"],
  [22, "EINVAL"],
  [23, "ENFILE"],
  [24, "EMFILE"],
  [36, "ENAMETOOLONG"],
  [38, "ENOSYS"],
  [40, "ELOOP"],
  [42, "ENOMSG"],
  [97, "EAFNOSUPPORT"],
];
const isLinux = process.platform === "linux";
test.skipIf(!isLinux)(`errnoName() knows Linux's numbers${isLinux ? "" : " (needs Linux)"}`, () => {
  expect(linux.map(([errno]) => [errno, errnoName(errno)])).toEqual(linux);
});
