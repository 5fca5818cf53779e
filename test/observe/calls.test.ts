/** Turns lines of a trace into operations. */
import { expect, test } from "bun:test";
import { Lines } from "../../src/trace/line.ts";
import type { Observation } from "../../src/trace/observation.ts";
import { Tasks } from "../../src/trace/tasks.ts";

/** What a trace of these lines reports; the command starts in `/l`. */
function observed(...texts: string[]): Observation[] {
  const lines = new Lines();
  const tasks = new Tasks("/l");
  const read = texts.flatMap((text) => lines.read(text) ?? []);
  return [...read.flatMap((line) => [...tasks.follow(line)]), ...tasks.finish()];
}

/** The operations of one thread's calls. */
function operations(...calls: string[]): unknown[] {
  return observed(...calls.map((call) => `7 ${call}`)).map((one) =>
    one.kind === "attempt" ? one.operation : one.kind,
  );
}

test("opening: how, and where", () => {
  expect(
    operations(
      `open("a", O_RDONLY) = 3</l/a>`,
      `creat("a", 0666) = 3</l/a>`,
      `openat(AT_FDCWD</l>, "./b", O_RDWR|O_CREAT|O_TRUNC, 0666) = 3</l/b>`,
      `openat(5</srv>, "c", O_WRONLY|O_APPEND) = 3</srv/c>`,
      `openat2(5</srv>, "d", {flags=O_RDONLY|O_TMPFILE|O_RDWR, mode=0600, resolve=0}, 24) = 3</srv/#1>`,
      `openat(AT_FDCWD</l>, ".", O_RDONLY|O_DIRECTORY) = 3</l>`,
      `openat(AT_FDCWD</l>, "/x", O_RDONLY|O_PATH) = 3</x>`,
    ),
  ).toEqual([
    { kind: "open", path: "/l/a", read: true },
    { kind: "open", path: "/l/a", write: true, truncate: true, create: true },
    { kind: "open", path: "/l/b", read: true, write: true, truncate: true, create: true },
    { kind: "open", path: "/srv/c", write: true },
    { kind: "open", path: "/srv/d", read: true, write: true, unnamed: true },
    { kind: "open", path: "/l", read: true },
  ]);
});

test("making, removing and moving", () => {
  expect(
    operations(
      `mkdir("d", 0777) = 0`,
      `mkdirat(5</srv>, "d", 0777) = 0`,
      `mknod("p", S_IFIFO|0666) = 0`,
      `mknodat(AT_FDCWD</l>, "n", S_IFCHR|0666, makedev(0x1, 0x3)) = 0`,
      `mknod("w", S_IFCHR, makedev(0, 0)) = 0`,
      `symlink("to", "s") = 0`,
      `symlinkat("to", 5</srv>, "s") = 0`,
      `unlink("s") = 0`,
      `unlinkat(AT_FDCWD</l>, "d", AT_REMOVEDIR) = 0`,
      `rmdir("d") = 0`,
      `link("a", "b") = 0`,
      `linkat(AT_FDCWD</l>, "a", 5</srv>, "b", 0) = 0`,
      `rename("a", "../b") = 0`,
      `renameat2(AT_FDCWD</l>, "a", 5</srv>, "b", RENAME_EXCHANGE) = 0`,
      `truncate("a", 3) = 0`,
    ),
  ).toEqual([
    { kind: "make", path: "/l/d", type: "directory" },
    { kind: "make", path: "/srv/d", type: "directory" },
    { kind: "make", path: "/l/p", type: "fifo" },
    { kind: "make", path: "/l/n", type: "char" },
    { kind: "make", path: "/l/w", type: "whiteout" },
    { kind: "make", path: "/l/s", type: "symlink" },
    { kind: "make", path: "/srv/s", type: "symlink" },
    { kind: "remove", path: "/l/s", directory: false },
    { kind: "remove", path: "/l/d", directory: true },
    { kind: "remove", path: "/l/d", directory: true },
    { kind: "link", path: "/l/a", to: "/l/b" },
    { kind: "link", path: "/l/a", to: "/srv/b" },
    { kind: "rename", path: "/l/a", to: "/l/../b" },
    { kind: "rename", path: "/l/a", to: "/srv/b", exchange: true },
    { kind: "truncate", path: "/l/a" },
  ]);
});

test("ports, and the one that a UDP socket is given", () => {
  const to = (port: number) =>
    `{sa_family=AF_INET, sin_port=htons(${port}), sin_addr=inet_addr("127.0.0.1")}, 16`;
  expect(
    operations(
      `bind(3<TCP:[1]>, ${to(80)}) = 0`,
      `connect(3<TCP:[1]>, ${to(443)}) = -1 EINPROGRESS (Operation now in progress)`,
      `sendto(3<TCP:[127.0.0.1:1->127.0.0.1:2]>, ""..., 4, 0, NULL, 0) = 4`,
      `sendto(11<UDP:[9]>, ""..., 1, 0, ${to(53)}) = 1`,
      `sendto(11<UDP:[0.0.0.0:56025]>, ""..., 1, 0, ${to(53)}) = 1`,
      `sendmsg(9<UDPv6:[[::1]:366]>, {msg_name={sa_family=AF_INET6, sin6_port=htons(99), sin6_flowinfo=htonl(0), inet_pton(AF_INET6, "::1", &sin6_addr), sin6_scope_id=0}, msg_namelen=28}, 0) = 1`,
      `connect(4<NETLINK:[5]>, {sa_family=AF_NETLINK, nl_pid=0, nl_groups=00000000}, 12) = 0`,
    ),
  ).toEqual([
    { kind: "port", access: ["bind_tcp"], port: 80 },
    { kind: "port", access: ["connect_tcp"], port: 443 },
    { kind: "port", access: ["bind_udp"], port: 0 },
    { kind: "port", access: ["connect_send_udp"], port: 53 },
    { kind: "port", access: ["connect_send_udp"], port: 53 },
    { kind: "port", access: ["connect_send_udp"], port: 99 },
  ]);
});

test("AF_UNSPEC binds IPv4 sockets to INADDR_ANY, and dissolves connections", () => {
  const unspec = (port: string, address: string) =>
    `{sa_family=AF_UNSPEC, sa_data="${port}${address}${String.raw`\x00`.repeat(8)}"}, 16`;
  const any = unspec(String.raw`\x04\xd2`, String.raw`\x00`.repeat(4));
  const loopback = unspec(String.raw`\x04\xff`, String.raw`\x7f\x00\x00\x01`);
  expect(
    operations(
      `bind(3<TCP:[1]>, ${any}) = 0`,
      `bind(3<TCP:[1]>, ${loopback}) = -1 EAFNOSUPPORT (Address family not supported by protocol)`,
      `bind(3<TCPv6:[1]>, ${any}) = -1 EAFNOSUPPORT (Address family not supported by protocol)`,
      `connect(3<TCP:[127.0.0.1:1->127.0.0.1:2]>, ${any}) = 0`,
      `connect(4<UDP:[127.0.0.1:1->127.0.0.1:2]>, {sa_family=AF_UNSPEC}, 2) = 0`,
      `sendto(4<UDP:[127.0.0.1:1]>, ""..., 1, 0, ${loopback}) = 1`,
      `sendto(3<TCP:[1]>, ""..., 1, MSG_FASTOPEN, {sa_family=AF_INET, sin_port=htons(9), sin_addr=inet_addr("127.0.0.1")}, 16) = 1`,
    ),
  ).toEqual([
    { kind: "port", access: ["bind_tcp"], port: 1234 },
    { kind: "port", access: ["connect_send_udp"], port: 1279 },
  ]);
});

test("UNIX sockets and signals count only where they leave the run", () => {
  const path = (name: string) => `{sa_family=AF_UNIX, sun_path=${name}}, 6`;
  expect(
    operations(
      `bind(3<UNIX-STREAM:[1]>, ${path('"own"')}) = 0`,
      `connect(4<UNIX-STREAM:[2]>, ${path('"own"')}) = 0`,
      `connect(4<UNIX-STREAM:[2]>, ${path('"other"')}) = 0`,
      `bind(3<UNIX-STREAM:[1]>, ${path('@"own"')}) = 0`,
      `connect(4<UNIX-STREAM:[2]>, ${path('@"own"')}) = 0`,
      `connect(4<UNIX-STREAM:[2]>, ${path('@"other"')}) = 0`,
      "kill(7, SIGTERM) = 0",
      "kill(0, SIGTERM) = 0",
      "kill(1, 0) = 0",
      "tgkill(7, 7, SIGUSR1) = 0",
      "pidfd_send_signal(16<pid:1>, 0, NULL, 0) = 0",
    ),
  ).toEqual([
    { kind: "make", path: "/l/own", type: "socket" },
    { kind: "resolve_unix", path: "/l/other" },
    { kind: "scope", scope: "abstract_unix_socket" },
    { kind: "scope", scope: "signal" },
    { kind: "scope", scope: "signal" },
  ]);
});

test("ioctl counts on devices that the run opened, but for requests that need no driver", () => {
  const tty = "</dev/tty<char 5:0>>";
  expect(
    operations(
      `ioctl(0</dev/pts/0<char 136:0>>, TCGETS, {c_iflag=ICRNL, ...}) = 0`,
      `openat(AT_FDCWD</l>, "/dev/tty", O_RDWR) = 3${tty}`,
      `ioctl(3${tty}, FIOCLEX) = 0`,
      `ioctl(3${tty}, TIOCGWINSZ, {ws_row=0, ws_col=0}) = 0`,
      `ioctl(4</l/file>, TCGETS, 0x7ffd) = -1 ENOTTY (Inappropriate ioctl for device)`,
    ).slice(1),
  ).toEqual([{ kind: "ioctl", path: "/dev/tty" }]);
});

test("each process has its program, its current directory and its /proc/self", () => {
  const seen = observed(
    `7 execve("/bin/sh", [...], 0x7f /* 3 vars */) = 0`,
    "7 clone(child_stack=NULL, flags=SIGCHLD <unfinished ...>",
    `8 chdir("sub") = 0`,
    `8 open("f", O_RDONLY) = 3</l/sub/f>`,
    "7 <... clone resumed>) = 8",
    `8 execve("tool", [...], 0x7f /* 3 vars */) = 0`,
    `8 clone3({flags=CLONE_VM|CLONE_FS|CLONE_THREAD, exit_signal=0}, 88) = 9`,
    `9 chdir("..") = 0`,
    `8 open("g", O_RDONLY) = 3</l/g>`,
    `9 open("/proc/self/maps", O_RDONLY) = 3</proc/8/maps>`,
    `9 open("/proc/thread-self/stat", O_RDONLY) = 3</proc/8/task/9/stat>`,
    `7 open("h", O_RDONLY) = -1 EACCES (Permission denied)`,
  );
  const rows = seen.map((one) =>
    one.kind === "attempt" && "path" in one.operation
      ? [one.process, one.program, one.operation.path, one.failed].join(" ")
      : one.kind,
  );
  expect(rows).toEqual([
    ...["7  /bin/sh ", "8 /bin/sh /l/sub/f ", "8 /bin/sh /l/sub/tool "],
    ...["8 /l/sub/tool /l/sub/../g ", "8 /l/sub/tool /proc/8/maps "],
    ...["8 /l/sub/tool /proc/8/task/9/stat ", "7 /bin/sh /l/h EACCES"],
  ]);
});

test("restrictions are told, and counted for those that come after", () => {
  const layers = observed(
    `7 open("a", O_RDONLY) = 3</l/a>`,
    "7 landlock_restrict_self(4<anon_inode:[landlock-ruleset]>, 0) = -1 E2BIG (Argument list too long)",
    "7 landlock_restrict_self(4<anon_inode:[landlock-ruleset]>, 0) = 0",
    `7 open("a", O_RDONLY) = -1 EACCES (Permission denied)`,
    "7 clone(child_stack=NULL, flags=CLONE_VM|CLONE_THREAD) = 8",
    "8 landlock_restrict_self(4<anon_inode:[landlock-ruleset]>, 0x8 /* LANDLOCK_??? */) = 0",
    `7 open("a", O_RDONLY) = -1 EACCES (Permission denied)`,
    "7 io_uring_setup(8, {flags=0}) = 5<anon_inode:[io_uring]>",
  ).map((one) => (one.kind === "attempt" ? one.layers : one.kind));
  expect(layers).toEqual([0, "restriction", 1, "restriction", 2, "gap"]);
});
