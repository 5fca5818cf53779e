/** Lines as strace 6.1 printed them. */
import { describe, expect, test } from "bun:test";
import { bytesOf, nameOf } from "../../src/kernel/names.ts";
import { Lines, type Call } from "../../src/trace/line.ts";
import { unescape, type Value } from "../../src/trace/value.ts";

function call(...texts: string[]): Call {
  const lines = new Lines();
  const read = texts.map((text) => lines.read(text)).at(-1);
  if (read?.kind !== "call") throw new Error(`no call: ${JSON.stringify(read)}`);
  return read;
}

function word(word: string, name?: string, device?: "char" | "block"): Value {
  if (name === undefined) return { type: "word", word };
  return { type: "word", word, on: { name, ...(device ? { device } : {}) } };
}

const text = (value: string): Value => ({ type: "text", text: value, abstract: false });

describe("calls", () => {
  test("arguments, result and what descriptors are open on", () => {
    const read = call(
      `10518 openat(AT_FDCWD</srv/l>, "/lib/libc.so.6", O_RDONLY|O_CLOEXEC) = 3</usr/lib/libc.so.6>`,
    );
    expect(read).toMatchObject({
      pid: 10518,
      name: "openat",
      result: word("3", "/usr/lib/libc.so.6"),
    });
    expect(read.args).toEqual([
      word("AT_FDCWD", "/srv/l"),
      text("/lib/libc.so.6"),
      word("O_RDONLY|O_CLOEXEC"),
    ]);
    expect(read).not.toContainKey("errno");
  });

  test("padding before the result, and threads as -p prints them", () => {
    expect(call(`9209  mkdir("d", 0777)               = 0`).args).toEqual([
      text("d"),
      word("0777"),
    ]);
    expect(call(`[pid  9209] rmdir("d") = 0`)).toMatchObject({ pid: 9209, name: "rmdir" });
  });

  test("a failure has the errno's name", () => {
    const read = call(
      `7 openat(AT_FDCWD</l>, "no", O_RDONLY) = -1 ENOENT (No such file or directory)`,
    );
    expect(read).toMatchObject({ errno: "ENOENT", result: word("-1") });
    expect(
      call(
        `7 openat(AT_FDCWD</l>, "f", O_RDONLY) = ? ERESTARTSYS (To be restarted if SA_RESTART is set)`,
      ),
    ).toMatchObject({ errno: "ERESTARTSYS" });
    expect(call('7 execve("/bin/a", [...], 0x7ffe /* 38 vars */) = ?')).not.toContainKey("errno");
  });

  test("devices, and names with brackets, quotes, blanks and bytes that are no ASCII", () => {
    expect(
      call(`5 openat(AT_FDCWD</l>, "/dev/null", O_RDONLY) = 3</dev/null<char 1:3>>`).result,
    ).toEqual(word("3", "/dev/null", "char"));
    const odd = 'a>b<c, "d\\ é\u0001 (deleted)';
    const read = call(
      String.raw`5 openat(AT_FDCWD</l>, "a>b<c, \"d\\ \303\251\1 (deleted)", O_RDWR|O_CREAT, 0777) = 3</l/a\76b\74c, \"d\\ \303\251\1 (deleted)>(deleted)`,
    );
    expect(read.args[1]).toEqual(text(odd));
    expect(read.result).toEqual({
      type: "word",
      word: "3",
      on: { name: `/l/${odd}`, deleted: true },
    });
    expect(read.args).toHaveLength(4);
  });

  test("strings in hexadecimal, as -xx prints them, and cut off ones, as -s does", () => {
    const read = call(String.raw`9 open("\x61\x0a\xc3\xa9\x22", O_RDONLY) = 3<\x2f\x61>`);
    expect(read.args[0]).toEqual(text('a\né"'));
    expect(read.result).toEqual(word("3", "/a"));
    expect(call(`9 memfd_create(""..., MFD_CLOEXEC) = 9</memfd:hi>(deleted)`).args).toEqual([
      { type: "text", text: "", abstract: false, cut: true },
      word("MFD_CLOEXEC"),
    ]);
  });

  test("sockets: their addresses and what they are", () => {
    const read = call(
      `5 connect(4<TCP:[1790500]>, {sa_family=AF_INET, sin_port=htons(58879), sin_addr=inet_addr("127.0.0.1")}, 16) = -1 EINPROGRESS (Operation now in progress)`,
    );
    expect(read.args[0]).toEqual(word("4", "TCP:[1790500]"));
    const [, address] = read.args;
    if (address?.type !== "group") throw new Error("no address");
    expect(address.fields.get("sa_family")).toEqual(word("AF_INET"));
    expect(address.fields.get("sin_port")).toMatchObject({ name: "htons", items: [word("58879")] });
    const both = call(`5 sendto(9<TCP:[127.0.0.1:1->127.0.0.1:2]>, ""..., 4, 0, NULL, 0) = 4`);
    expect(both.args[0]).toEqual(word("9", "TCP:[127.0.0.1:1->127.0.0.1:2]"));
    expect(both.args).toHaveLength(6);
    const unix = call(
      `5 bind(7<UNIX-STREAM:[1790512]>, {sa_family=AF_UNIX, sun_path=@"abs"}, 6) = 0`,
    ).args[1]!;
    if (unix.type !== "group") throw new Error("no address");
    expect(unix.fields.get("sun_path")).toEqual({ type: "text", text: "abs", abstract: true });
  });

  test("arguments with names, and structs that come back", () => {
    const clone = call(
      "5 clone(child_stack=NULL, flags=CLONE_FS|SIGCHLD, child_tidptr=0x7f4e8d19da10) = 31835",
    );
    expect(clone.fields.get("flags")).toEqual(word("CLONE_FS|SIGCHLD"));
    const clone3 = call(
      "5 clone3({flags=CLONE_VM|CLONE_FS|CLONE_THREAD, child_tid=0x7f, exit_signal=0} => {parent_tid=[9283]}, 88) = 9283",
    );
    expect(clone3.result).toEqual(word("9283"));
    const [given] = clone3.args;
    expect(given?.type === "group" && given.fields.get("flags")).toEqual(
      word("CLONE_VM|CLONE_FS|CLONE_THREAD"),
    );
  });
});

describe("interrupted calls", () => {
  test("the two halves are joined, per thread", () => {
    const read = call(
      `9209  openat(AT_FDCWD</l>, "nope", O_RDONLY|O_CLOEXEC <unfinished ...>`,
      `9283  mkdir("x" <unfinished ...>`,
      "9209  <... openat resumed>)             = -1 ENOENT (No such file or directory)",
    );
    expect(read).toMatchObject({ pid: 9209, name: "openat", errno: "ENOENT" });
    expect(read.args).toHaveLength(3);
    expect(call("1 vfork( <unfinished ...>", "1 <... vfork resumed>) = 10798")).toMatchObject({
      args: [],
      result: word("10798"),
    });
  });

  test("execve of another thread goes on under the number of the first one", () => {
    const lines = new Lines();
    const texts = [
      `10707 execve("/bin/true", ["true"], 0x7ffd /* 38 vars */ <pid changed to 10666 ...>`,
      "10666 +++ superseded by execve in pid 10707 +++",
      "10666 <... execve resumed>)             = 0",
    ];
    expect(texts.map((text) => lines.read(text))).toEqual([
      { kind: "begun", pid: 10707, name: "execve" },
      { kind: "renamed", pid: 10666, was: 10707 },
      expect.objectContaining({ kind: "call", pid: 10666, name: "execve", result: word("0") }),
    ]);
  });

  test("ends and signals are told, stops and nonsense are not", () => {
    const lines = new Lines();
    expect(lines.read("5 +++ exited with 3 +++")).toEqual({
      kind: "ended",
      pid: 5,
      ending: { exitCode: 3, signal: null },
    });
    expect(lines.read("5 +++ killed by SIGSEGV (core dumped) +++")).toEqual({
      kind: "ended",
      pid: 5,
      ending: { exitCode: null, signal: "SIGSEGV" },
    });
    const terminated = "5 --- SIGTERM {si_signo=SIGTERM, si_code=SI_USER, si_pid=6} ---";
    expect(lines.read(terminated)).toEqual({ kind: "signal", pid: 5, signal: "SIGTERM" });
    const others = [
      "5 --- stopped by SIGTTOU ---",
      "5 <... openat resumed>) = 3",
      "5 ????",
      "strace: something went wrong",
      "",
    ];
    expect(others.map((text) => lines.read(text))).toEqual(others.map(() => undefined));
  });

  test("any text ends in a call or in nothing", () => {
    const whole = `5 sendmmsg(3<UDP:[1]>, [{msg_hdr={msg_name={sa_family=AF_INET, sin_port=htons(53)}, msg_iov=[{iov_base=""..., iov_len=1}]}, msg_len=1}], 1, 0) = 1`;
    for (let length = 0; length <= whole.length; length++) {
      const read = new Lines().read(whole.slice(0, length));
      expect(read === undefined || read.kind === "call").toBe(true);
    }
  });
});

test("names that end in -, look like syntax or are not UTF-8 are read whole", () => {
  const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex").replaceAll(/../g, "\\x$&");
  for (const bytes of [
    Buffer.from("/d/f-"),
    Buffer.from("/d/<a>->(deleted)<char 1:3>-"),
    Buffer.from('/d/"\n<unfinished ...>'),
    Buffer.from("/d/\xff\x80", "latin1"),
  ]) {
    const read = call(`5 openat(AT_FDCWD<${hex(bytes)}>, "${hex(bytes)}", 0) = 3<${hex(bytes)}>`);
    const [directory, path] = read.args;
    const names = [directory, read.result].map((value) => value?.type === "word" && value.on?.name);
    expect(names).toEqual([nameOf(bytes), nameOf(bytes)]);
    expect(path).toEqual(text(nameOf(bytes)));
    expect(bytesOf(nameOf(bytes))).toEqual(bytes);
    expect(read.args).toHaveLength(3);
  }
});

test("escapes stand for bytes of UTF-8", () => {
  expect(unescape(String.raw`\303\251\x41\101\t\\\"`)).toBe('éAA\t\\"');
  expect(unescape("plain")).toBe("plain");
  expect(unescape("end\\")).toBe("end\\");
});
