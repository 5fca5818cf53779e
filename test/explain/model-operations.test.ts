/** Which rights each operation needs, and on which file. */
import { describe, expect, test } from "bun:test";
import type { Operation } from "../../src/model/operation.ts";
import { cases, every, fs, open, say } from "./cases.ts";

cases("opening", [
  ["a directory", open("/a", "read"), fs({ "/": ["read_file"] }), "1 read_dir /a"],
  ["for both", open("/a/file", "read write"), fs({}), "1 read_file /a/file, 1 write_file /a/file"],
  [
    "O_TRUNC",
    open("/a/file", "write truncate"),
    fs({ "/": every("truncate") }),
    "1 truncate /a/file",
  ],
  ["O_TRUNC of a FIFO", open("/a/pipe", "write truncate"), fs({ "/": every("truncate") })],
  ["O_CREAT of what is there", open("/a/file", "write create"), fs({ "/": every("make_reg") })],
  [
    "O_CREAT asks the directory",
    open("/a/new", "write create"),
    fs({ "/": every("make_reg") }),
    "1 make_reg /a",
  ],
  [
    "and then the new file",
    open("/a/new", "write create"),
    fs({ "/": ["make_reg"] }),
    "1 write_file /a",
  ],
  [
    "O_CREAT and O_TRUNC of a new file",
    open("/a/new", "write create truncate"),
    fs({ "/": every("truncate") }),
  ],
  [
    "O_CREAT behind a link that leads nowhere",
    open("/b/dangling", "write create"),
    fs({ "/b": every() }),
    "1 make_reg /a, 1 write_file /a",
  ],
  ["O_TMPFILE", open("/a", "write unnamed"), fs({ "/": ["write_file"] })],
  [
    "O_TMPFILE without the right",
    open("/a", "read write unnamed"),
    fs({ "/": ["read_file", "make_reg"] }),
    "1 write_file /a",
  ],
]);

cases("other operations on files", [
  [
    "truncate(2)",
    { kind: "truncate", path: "/a/file" },
    fs({ "/": every("truncate") }),
    "1 truncate /a/file",
  ],
  [
    "execve(2) reads too",
    { kind: "execute", path: "/a/file" },
    fs({ "/": ["execute"] }),
    "1 read_file /a/file",
  ],
  ["execve(2)", { kind: "execute", path: "/a/file" }, fs({ "/": ["execute", "read_file"] })],
  [
    "ioctl(2) on a device",
    { kind: "ioctl", path: "/dev/null" },
    fs({ "/": every("ioctl_dev") }),
    "1 ioctl_dev /dev/null",
  ],
  ["ioctl(2) on a file", { kind: "ioctl", path: "/a/file" }, fs({})],
  [
    "a path socket",
    { kind: "resolve_unix", path: "/run/socket" },
    fs({ "/a": every() }),
    "1 resolve_unix /run/socket",
  ],
  [
    "a path socket with a rule",
    { kind: "resolve_unix", path: "/run/socket" },
    fs({ "/run/socket": ["resolve_unix"] }),
  ],
  [
    "rmdir(2)",
    { kind: "remove", path: "/b/dir", directory: true },
    fs({ "/b/dir": every() }),
    "1 remove_dir /b",
  ],
  [
    "a rule on a file is none on its entry",
    { kind: "remove", path: "/a/file", directory: false },
    fs({ "/a/file": every() }),
    "1 remove_file /a",
  ],
  [
    "rights alone",
    { kind: "access", path: "/a/file", access: ["read_file", "make_reg"] },
    fs({ "/a/file": ["read_file"] }),
    "1 make_reg /a",
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
