/** The model's answers, case by case; `property.test.ts` compares them with the kernel. */
import { cases, every, fs, net, open, port, read, scoped, write } from "./cases.ts";

cases("inside a layer rights are gathered along the path", [
  ["a rule on the file", read("/a/file"), fs({ "/a/file": ["read_file"] })],
  ["a rule on the directory", read("/a/file"), fs({ "/a": ["read_file"] })],
  ["a rule on the root", read("/a/sub/deep"), fs({ "/": ["read_file"] })],
  [
    "two rights from two rules",
    open("/a/sub/deep", "read write"),
    fs({ "/a/sub": ["read_file"], "/": ["write_file"] }),
  ],
  ["a rule beside it", read("/a/file"), fs({ "/b": every() }), "1 read_file /a/file"],
  [
    "a rule on a brother",
    read("/a/file"),
    fs({ "/a/other": ["read_file"] }),
    "1 read_file /a/file",
  ],
  ["a right that is not handled", read("/a/file"), fs({}, ["write_file"])],
  [
    "several rules on one file",
    write("/a/file"),
    fs({ "/a": ["read_file"], "/b/in": ["write_file"] }),
  ],
  ["no layer", read("/a/file"), []],
]);

cases("every layer must consent", [
  ["the first denies", read("/a/file"), [fs({}), fs({ "/": every() })], "1 read_file /a/file"],
  ["the second denies", read("/a/file"), [fs({ "/": every() }), fs({})], "2 read_file /a/file"],
  [
    "each lacks another right",
    open("/a/file", "read write"),
    [fs({ "/": ["read_file"] }), fs({ "/a": ["write_file"] })],
    "1 write_file /a/file, 2 read_file /a/file",
  ],
  ["one that is about the network only", read("/a/file"), [net({}), fs({ "/": every() })]],
]);

cases("links and mounts", [
  ["a symbolic link is what it leads to", read("/a/out"), fs({ "/b": ["read_file"] })],
  ["not where it stands", read("/a/out"), fs({ "/a": ["read_file"] }), "1 read_file /b/file"],
  ["nor in the middle", read("/b/in/file"), fs({ "/b": ["read_file"] }), "1 read_file /a/file"],
  [
    "it is removed where it stands",
    { kind: "remove", path: "/a/out", directory: false },
    fs({ "/b": every() }),
    "1 remove_file /a",
  ],
  ["a rule by one name holds for a hard link", read("/a/hard"), fs({ "/b/file": ["read_file"] })],
  [
    "a rule on one name's directory does not",
    read("/a/hard"),
    fs({ "/b": ["read_file"] }),
    "1 read_file /a/hard",
  ],
  ["rules hold beyond a mount", read("/m/mnt/file"), fs({ "/m": ["read_file"] })],
  ["a path that is not there asks for nothing", read("/a/none/x"), fs({})],
]);

cases("ports and scopes", [
  ["granted", port("bind_tcp", 80), net({ 80: ["bind_tcp"] })],
  ["another port", port("bind_tcp", 81), net({ 80: ["bind_tcp"] }), "1 bind_tcp 81"],
  ["another right", port("connect_tcp", 80), net({ 80: ["bind_tcp"] }), "1 connect_tcp 80"],
  ["port 0 has a rule of its own", port("bind_tcp", 0), net({ 80: ["bind_tcp"] }), "1 bind_tcp 0"],
  ["port 0 granted", port("bind_tcp", 0), net({ 0: ["bind_tcp"] })],
  [
    "a datagram from a bound socket",
    port("connect_send_udp", 53),
    net({ 53: ["connect_send_udp"] }),
  ],
  [
    "from one that is not",
    { kind: "port", access: ["connect_send_udp"], port: 53, unbound: true },
    net({ 53: ["connect_send_udp"] }),
    "1 bind_udp 0",
  ],
  ["two layers", port("bind_tcp", 80), [net({ 80: ["bind_tcp"] }), net({})], "2 bind_tcp 80"],
  ["layers about files only", port("bind_tcp", 80), fs({})],
  ["a scope", { kind: "scope", scope: "signal" }, [net({}), scoped], "EPERM: 2 signal"],
  ["another scope", { kind: "scope", scope: "abstract_unix_socket" }, [scoped]],
]);
