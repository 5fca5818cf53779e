/** What the model says, case by case; that the kernel says so too is for `property.test.ts`. */
import { cases, every, fs, net, read, scoped, write } from "./cases.ts";

cases("inside a layer rights are gathered along the path", [
  ["a rule on the file", read("/a/file"), [fs({ "/a/file": ["read_file"] })], "allowed"],
  ["a rule on the directory", read("/a/file"), [fs({ "/a": ["read_file"] })], "allowed"],
  ["a rule on the root", read("/a/sub/deep"), [fs({ "/": ["read_file"] })], "allowed"],
  [
    "two rights from two rules",
    { kind: "open", path: "/a/sub/deep", read: true, write: true },
    [fs({ "/a/sub": ["read_file"], "/": ["write_file"] })],
    "allowed",
  ],
  ["a rule beside it", read("/a/file"), [fs({ "/b": every() })], "EACCES: 1 read_file /a/file"],
  [
    "a rule on a brother",
    read("/a/file"),
    [fs({ "/a/other": ["read_file"] })],
    "EACCES: 1 read_file /a/file",
  ],
  ["a right that is not handled", read("/a/file"), [fs({}, ["write_file"])], "allowed"],
  [
    "several rules on one file",
    write("/a/file"),
    [fs({ "/a": ["read_file"], "/b/in": ["write_file"] })],
    "allowed",
  ],
  ["no layer", read("/a/file"), [], "allowed"],
]);

cases("every layer must consent", [
  [
    "the first denies",
    read("/a/file"),
    [fs({}), fs({ "/": every() })],
    "EACCES: 1 read_file /a/file",
  ],
  [
    "the second denies",
    read("/a/file"),
    [fs({ "/": every() }), fs({})],
    "EACCES: 2 read_file /a/file",
  ],
  [
    "each lacks another right",
    { kind: "open", path: "/a/file", read: true, write: true },
    [fs({ "/": ["read_file"] }), fs({ "/a": ["write_file"] })],
    "EACCES: 1 write_file /a/file, 2 read_file /a/file",
  ],
  [
    "one that is about the network only",
    read("/a/file"),
    [net({}), fs({ "/": every() })],
    "allowed",
  ],
]);

cases("links and mounts", [
  ["a symbolic link is what it leads to", read("/a/out"), [fs({ "/b": ["read_file"] })], "allowed"],
  [
    "not where it stands",
    read("/a/out"),
    [fs({ "/a": ["read_file"] })],
    "EACCES: 1 read_file /b/file",
  ],
  [
    "nor in the middle",
    read("/b/in/file"),
    [fs({ "/b": ["read_file"] })],
    "EACCES: 1 read_file /a/file",
  ],
  [
    "it is removed where it stands",
    { kind: "remove", path: "/a/out", directory: false },
    [fs({ "/b": every() })],
    "EACCES: 1 remove_file /a",
  ],
  [
    "a rule by one name holds for a hard link",
    read("/a/hard"),
    [fs({ "/b/file": ["read_file"] })],
    "allowed",
  ],
  [
    "a rule on one name's directory does not",
    read("/a/hard"),
    [fs({ "/b": ["read_file"] })],
    "EACCES: 1 read_file /a/hard",
  ],
  ["rules hold beyond a mount", read("/m/mnt/file"), [fs({ "/m": ["read_file"] })], "allowed"],
  ["a path that is not there asks for nothing", read("/a/none/x"), [fs({})], "allowed"],
]);

cases("ports and scopes", [
  [
    "granted",
    { kind: "port", access: ["bind_tcp"], port: 80 },
    [net({ 80: ["bind_tcp"] })],
    "allowed",
  ],
  [
    "another port",
    { kind: "port", access: ["bind_tcp"], port: 81 },
    [net({ 80: ["bind_tcp"] })],
    "EACCES: 1 bind_tcp 81",
  ],
  [
    "another right",
    { kind: "port", access: ["connect_tcp"], port: 80 },
    [net({ 80: ["bind_tcp"] })],
    "EACCES: 1 connect_tcp 80",
  ],
  [
    "port 0 has a rule of its own",
    { kind: "port", access: ["bind_tcp"], port: 0 },
    [net({ 80: ["bind_tcp"] })],
    "EACCES: 1 bind_tcp 0",
  ],
  [
    "port 0 granted",
    { kind: "port", access: ["bind_tcp"], port: 0 },
    [net({ 0: ["bind_tcp"] })],
    "allowed",
  ],
  [
    "a datagram from a bound socket",
    { kind: "port", access: ["connect_send_udp"], port: 53 },
    [net({ 53: ["connect_send_udp"] })],
    "allowed",
  ],
  [
    "from one that is not",
    { kind: "port", access: ["connect_send_udp"], port: 53, unbound: true },
    [net({ 53: ["connect_send_udp"] })],
    "EACCES: 1 bind_udp 0",
  ],
  [
    "two layers",
    { kind: "port", access: ["bind_tcp"], port: 80 },
    [net({ 80: ["bind_tcp"] }), net({})],
    "EACCES: 2 bind_tcp 80",
  ],
  [
    "layers about files only",
    { kind: "port", access: ["bind_tcp"], port: 80 },
    [fs({})],
    "allowed",
  ],
  ["a scope", { kind: "scope", scope: "signal" }, [net({}), scoped], "EPERM: 2 signal"],
  ["another scope", { kind: "scope", scope: "abstract_unix_socket" }, [scoped], "allowed"],
]);
