/** Which rights each operation takes, and on which file. */
import { describe, expect, test } from "bun:test";
import type { Operation } from "../../src/model/operation.ts";
import { cases, every, fs, say } from "./cases.ts";

cases("opening", [
  [
    "a directory",
    { kind: "open", path: "/a", read: true },
    [fs({ "/": ["read_file"] })],
    "EACCES: 1 read_dir /a",
  ],
  [
    "for both",
    { kind: "open", path: "/a/file", read: true, write: true },
    [fs({})],
    "EACCES: 1 read_file /a/file, 1 write_file /a/file",
  ],
  [
    "O_TRUNC",
    { kind: "open", path: "/a/file", write: true, truncate: true },
    [fs({ "/": every("truncate") })],
    "EACCES: 1 truncate /a/file",
  ],
  [
    "O_TRUNC of a FIFO",
    { kind: "open", path: "/a/pipe", write: true, truncate: true },
    [fs({ "/": every("truncate") })],
    "allowed",
  ],
  [
    "O_CREAT of what is there",
    { kind: "open", path: "/a/file", write: true, create: true },
    [fs({ "/": every("make_reg") })],
    "allowed",
  ],
  [
    "O_CREAT asks the directory",
    { kind: "open", path: "/a/new", write: true, create: true },
    [fs({ "/": every("make_reg") })],
    "EACCES: 1 make_reg /a",
  ],
  [
    "and then the new file",
    { kind: "open", path: "/a/new", write: true, create: true },
    [fs({ "/": ["make_reg"] })],
    "EACCES: 1 write_file /a",
  ],
  [
    "O_CREAT and O_TRUNC of a new file",
    { kind: "open", path: "/a/new", write: true, create: true, truncate: true },
    [fs({ "/": every("truncate") })],
    "allowed",
  ],
  [
    "O_CREAT behind a link that leads nowhere",
    { kind: "open", path: "/b/dangling", write: true, create: true },
    [fs({ "/b": every() })],
    "EACCES: 1 make_reg /a, 1 write_file /a",
  ],
  [
    "O_TMPFILE",
    { kind: "open", path: "/a", write: true, unnamed: true },
    [fs({ "/": ["write_file"] })],
    "allowed",
  ],
  [
    "O_TMPFILE without the right",
    { kind: "open", path: "/a", read: true, write: true, unnamed: true },
    [fs({ "/": ["read_file", "make_reg"] })],
    "EACCES: 1 write_file /a",
  ],
]);

cases("other operations on files", [
  [
    "truncate(2)",
    { kind: "truncate", path: "/a/file" },
    [fs({ "/": every("truncate") })],
    "EACCES: 1 truncate /a/file",
  ],
  [
    "execve(2) reads too",
    { kind: "execute", path: "/a/file" },
    [fs({ "/": ["execute"] })],
    "EACCES: 1 read_file /a/file",
  ],
  [
    "execve(2)",
    { kind: "execute", path: "/a/file" },
    [fs({ "/": ["execute", "read_file"] })],
    "allowed",
  ],
  [
    "ioctl(2) on a device",
    { kind: "ioctl", path: "/dev/null" },
    [fs({ "/": every("ioctl_dev") })],
    "EACCES: 1 ioctl_dev /dev/null",
  ],
  ["ioctl(2) on a file", { kind: "ioctl", path: "/a/file" }, [fs({})], "allowed"],
  [
    "a path socket",
    { kind: "resolve_unix", path: "/run/socket" },
    [fs({ "/a": every() })],
    "EACCES: 1 resolve_unix /run/socket",
  ],
  [
    "a path socket with a rule",
    { kind: "resolve_unix", path: "/run/socket" },
    [fs({ "/run/socket": ["resolve_unix"] })],
    "allowed",
  ],
  [
    "rmdir(2)",
    { kind: "remove", path: "/b/dir", directory: true },
    [fs({ "/b/dir": every() })],
    "EACCES: 1 remove_dir /b",
  ],
  [
    "a rule on a file is none on its entry",
    { kind: "remove", path: "/a/file", directory: false },
    [fs({ "/a/file": every() })],
    "EACCES: 1 remove_file /a",
  ],
  [
    "rights alone",
    { kind: "access", path: "/a/file", access: ["read_file", "make_reg"] },
    [fs({ "/a/file": ["read_file"] })],
    "EACCES: 1 make_reg /a",
  ],
]);

describe("making files takes the right of their type, on the directory", () => {
  for (const [type, right] of [
    ["regular", "make_reg"],
    ["directory", "make_dir"],
    ["symlink", "make_sym"],
    ["fifo", "make_fifo"],
    ["socket", "make_sock"],
    ["char", "make_char"],
    ["block", "make_block"],
    ["whiteout", "make_reg"],
  ] as const) {
    test(type, () => {
      const make: Operation = { kind: "make", path: "/a/new", type };
      expect(say(make, [fs({ "/a": [right] })])).toBe("allowed");
      expect(say(make, [fs({ "/a": every(right) })])).toBe(`EACCES: 1 ${right} /a`);
    });
  }
});
