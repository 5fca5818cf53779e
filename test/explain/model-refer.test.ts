/** Renaming and linking, and how older kernels differ. */
import { describe, expect, test } from "bun:test";
import type { Operation } from "../../src/model/operation.ts";
import { cases, every, fs, link, move, net, say, swap } from "./cases.ts";

cases("renaming and linking", [
  [
    "in one directory asks for no refer",
    move("/a/file", "/a/new"),
    fs({ "/a": ["make_reg", "remove_file"] }),
  ],
  [
    "in one directory, denied",
    move("/a/file", "/a/new"),
    fs({ "/a": ["make_reg"] }),
    "1 remove_file /a",
  ],
  ["a link in one directory", link("/a/file", "/a/new"), fs({ "/a": ["make_reg"] })],
  ["to another directory", move("/a/file", "/b/new"), fs({ "/": every() })],
  [
    "without refer",
    move("/a/file", "/b/new"),
    fs({ "/": every("refer") }),
    "EXDEV: 1 refer /a, 1 refer /b",
  ],
  [
    "refer in the old directory only",
    move("/a/file", "/b/new"),
    fs({ "/": every("refer"), "/a": ["refer"] }),
    "EXDEV: 1 refer /b",
  ],
  [
    "refer is denied where it is not handled",
    move("/a/file", "/b/new"),
    fs({}, ["execute"]),
    "EXDEV: 1 refer /a, 1 refer /b",
  ],
  [
    "what else is denied is EACCES",
    move("/a/file", "/b/new"),
    fs({ "/": every("refer", "make_reg") }),
    "1 refer /a, 1 make_reg /b, 1 refer /b",
  ],
  ["onto what is there", move("/a/file", "/b/file"), fs({ "/": every(), "/a": every() })],
  [
    "onto what may not be removed",
    move("/a/file", "/b/file"),
    fs({ "/": every("remove_file"), "/a": ["remove_file"] }),
    "1 remove_file /b",
  ],
  ["a link leaves the old entry", link("/a/file", "/b/new"), fs({ "/": ["refer", "make_reg"] })],
  [
    "a file may not gain rights",
    move("/a/file", "/b/new"),
    fs({ "/": every("execute"), "/b": ["execute"] }),
    "EXDEV: 1 refer /a gains execute",
  ],
  ["but lose them", move("/b/file", "/a/new"), fs({ "/": every("execute"), "/b": ["execute"] })],
  [
    "unless it has them by itself",
    move("/a/file", "/b/new"),
    fs({ "/": every("execute"), "/b": ["execute"], "/a/file": ["execute"] }),
  ],
  [
    "rights for directories are nothing to a file",
    move("/a/file", "/b/new"),
    fs({ "/": every("read_dir"), "/b": ["read_dir"] }),
  ],
  [
    "but to a directory",
    move("/a/sub", "/b/new"),
    fs({ "/": every("read_dir"), "/b": ["read_dir"] }),
    "EXDEV: 1 refer /a gains read_dir",
  ],
  [
    "rights that another layer denies anyway count",
    link("/a/file", "/b/new"),
    [fs({ "/": every("execute"), "/b": ["execute"] }), fs({ "/": every("execute") })],
    "EXDEV: 1 refer /a gains execute",
  ],
  [
    "an exchange is compared both ways",
    swap("/b/file", "/a/file"),
    fs({ "/": every("execute"), "/b": ["execute"] }),
    "EXDEV: 1 refer /b gains execute",
  ],
  [
    "an exchange makes both types",
    swap("/a/pipe", "/b/file"),
    fs({ "/": every("make_fifo") }),
    "1 make_fifo /b",
  ],
  [
    "what is granted above the mount is not compared",
    move("/m/mnt/one/file", "/m/mnt/two/new"),
    fs({ "/": every("make_block"), "/m/mnt/two": ["execute"] }),
    "EXDEV: 1 refer /m/mnt/one gains execute",
  ],
  [
    "what is granted at its root is",
    move("/a/file", "/b/new"),
    fs({ "/": every("make_block"), "/b": ["execute"] }),
  ],
  [
    "where everything is granted in the end, nothing is gained",
    move("/m/mnt/one/file", "/m/mnt/two/new"),
    fs({ "/": every(), "/m/mnt/two": ["execute"] }),
  ],
  [
    "a layer about the network denies refer beside one about files",
    move("/a/file", "/b/new"),
    [net({}), fs({ "/": every() })],
    "EXDEV: 1 refer /a, 1 refer /b",
  ],
  ["but not by itself", move("/a/file", "/b/new"), net({})],
  ["across mounts the kernel itself says EXDEV", move("/a/file", "/m/mnt/new"), fs({})],
]);

describe("older kernels", () => {
  const kernel = (abi: number, errata = 0) => ({ abi, errata });

  test("ABI 1 denies every reparenting with EXDEV, whatever else it lacks", () => {
    const said = "EXDEV: 1 refer /a";
    expect(say(move("/a/file", "/b/new"), [fs({ "/": every("make_reg") })], kernel(1))).toBe(said);
    expect(say(move("/a/file", "/a/new"), [fs({ "/": every() })], kernel(1))).toBe("allowed");
  });

  test("a whiteout is a device before the fix of erratum 4", () => {
    const make: Operation = { kind: "make", path: "/a/new", type: "whiteout" };
    const layers = [fs({ "/": ["make_reg"] })];
    expect(say(make, layers, kernel(7, 7))).toBe("EACCES: 1 make_char /a");
    expect(say(make, layers, kernel(7, 15))).toBe("allowed");
    expect(say(link("/b/white", "/b/new"), layers, kernel(7, 7))).toBe("EACCES: 1 make_char /b");
  });
});
