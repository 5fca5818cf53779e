/** Values for every option of `Bun.spawn()`. */
import { chmodSync, mkdirSync, openSync, symlinkSync, writeFileSync } from "node:fs";
import type { Case } from "./compare.ts";

type Values = Readonly<Record<string, unknown>>;

/** A value to create anew for each call, such as a stream. */
class Made {
  constructor(readonly make: () => unknown) {}
}

const made = (make: () => unknown) => new Made(make);
const valueOf = (value: unknown) => (value instanceof Made ? value.make() : value);

function each(key: string, values: Values, more: Partial<Case> = {}, others: Values = {}): Case[] {
  return Object.entries(values).map(([value, what]) => ({
    key,
    value,
    options: () => ({
      ...Object.fromEntries(Object.entries(others).map(([name, one]) => [name, valueOf(one)])),
      [key]: valueOf(what),
    }),
    ...more,
  }));
}

function commands(values: Values, options: Values = {}): Case[] {
  return Object.entries(values).map(([value, command]) => ({
    key: "cmd",
    value,
    command,
    options: () => options,
  }));
}

const noValue = { undefined: undefined, null: null };
const pipes = ["ignore", "pipe", "pipe"];
const callback = () => {};
const text = "some text\n";

/** Reads its input to the end and repeats it. */
const repeat = { script: "cat; exit 3" };

async function writeAndEnd({ stdin }: Bun.Subprocess): Promise<void> {
  if (typeof stdin !== "object" || stdin === null) return;
  (stdin as Bun.FileSink).write(text);
  await (stdin as Bun.FileSink).end();
}

/** Files that the cases use. */
function makeFiles(folder: string) {
  const file = (name: string, content: string, mode = 0o755) => {
    writeFileSync(`${folder}/${name}`, content);
    chmodSync(`${folder}/${name}`, mode);
    return `${folder}/${name}`;
  };
  mkdirSync(`${folder}/sub`);
  symlinkSync("/proc/self/exe", `${folder}/exe`);
  return {
    input: file("input", text, 0o644),
    plain: file("plain", "#!/bin/sh\necho plain\n", 0o644),
    tool: file("tool", '#!/bin/sh\necho "$0"\n'),
    inSub: file("sub/tool", '#!/bin/sh\necho "$0"\n'),
    noLine: file("no-line", "echo no line\n"),
    crlf: file("crlf", "#!/bin/sh\r\necho crlf\r\n"),
    damaged: file("damaged", "\x7fELF and no more"),
  };
}

/** All cases, in the order of the table; they put their files into an empty folder. */
export function makeCases(folder: string): Case[] {
  const files = makeFiles(folder);
  const output = `${folder}/output`;
  const input = openSync(files.input, "r");
  const sink = openSync(output, "w");
  // A number above any open descriptor.
  const closed = 999;
  const live = new AbortController().signal;
  const aborted = AbortSignal.abort();
  const sleep = { command: ["sleep", "5"] };
  const PATH = `${folder}/sub:/usr/bin:/bin`;
  const own = openSync(process.execPath, "r");
  const says = ["-e", "console.log(1)"];
  return [
    ...commands({
      "a path": ["/bin/echo", "a", ""],
      "a name": ["echo", "a", "\ud800"],
      "other values than text": [
        "/bin/echo",
        1,
        null,
        undefined,
        true,
        ["a"],
        { toString: () => "b" },
      ],
      "a symbol": ["/bin/echo", Symbol("a")],
      "a hole": ["/bin/echo", , "a"],
      ...noValue,
      "an empty list": [],
      text: "/bin/echo",
      number: 1,
      "an object": {},
      "a Set": new Set(["/bin/echo"]),
      "an empty name": [""],
      "NUL in the name": ["/bin/echo\0"],
      "NUL in a word": ["/bin/echo", "a\0b"],
      "no such name": ["no-such-command"],
      "no such path": ["/no/such/command"],
      "a directory": [folder],
      "a file that is not executable": [files.plain],
      "a script": [files.tool],
      "a script without #!": [files.noLine],
      "a script with CRLF": [files.crlf],
      "a damaged program": [files.damaged],
      "a word of 200,000 bytes": ["/bin/echo", "x".repeat(200_000)],
    }),
    ...commands(
      { "a name, PATH in env": ["tool"], "no such name, PATH in env": ["no-such"] },
      { env: { PATH } },
    ),
    ...commands({ "a name, no PATH in env": ["echo", "a"] }, { env: {} }),
    ...commands({ "a name, empty PATH in env": ["echo", "a"] }, { env: { PATH: "" } }),
    ...commands(
      { "a name, relative PATH": ["tool"] },
      { env: { PATH: "sub" }, cwd: folder, argv0: "tool" },
    ),
    ...commands({ "a relative path": ["./tool"] }, { cwd: `${folder}/sub` }),
    ...commands({
      "/proc/self/exe": ["/proc/self/exe", ...says],
      "/proc/thread-self/exe": ["/proc/thread-self/exe", ...says],
      "/proc/PID/exe": [`/proc/${process.pid}/exe`, ...says],
      "a link to /proc/self/exe": [`${folder}/exe`, ...says],
      "/proc/self/fd/N that is Bun": [`/proc/self/fd/${own}`, ...says],
      "/dev/fd/N that is Bun": [`/dev/fd/${own}`, ...says],
      "/proc/self/fd/N, kept back": [`/proc/self/fd/${openSync("/bin/echo", "r")}`, "a"],
    }),
    ...commands({ "self/exe, from /proc": ["self/exe", ...says] }, { cwd: "/proc" }),
    ...commands({ "./exe, a link": ["./exe", ...says] }, { cwd: folder }),
    ...commands({ "exe, by PATH": ["exe", ...says] }, { env: { PATH: "/proc/self" } }),
    ...commands({ "/proc/self/fd/3": ["/proc/self/fd/3", ...says] }, { stdio: [...pipes, own] }),
    ...commands({ "/proc/self/root": ["/proc/self/root/bin/echo", "a"] }),
    ...commands({ "/proc/self/cwd": ["/proc/self/cwd/tool"] }, { cwd: `${folder}/sub` }),
    ...each("argv0", {
      ...noValue,
      empty: "",
      text: "a name",
      "a path": "/usr/bin/env",
      number: 3,
      false: false,
      list: ["a"],
      symbol: Symbol("a"),
      NUL: "a\0b",
    }),
    ...each("cwd", {
      ...noValue,
      empty: "",
      directory: `${folder}/sub`,
      relative: "..",
      missing: `${folder}/missing`,
      "a file": files.input,
      number: 3,
      false: false,
      list: [folder],
      "a URL": new URL(`file://${folder}`),
      symbol: Symbol("a"),
      NUL: "/\0",
    }),
    ...each("env", {
      ...noValue,
      empty: "",
      "process.env": process.env,
      "no variables": {},
      text: { A: "1", B: "", C: "ä\n=" },
      "undefined in it": { A: undefined, B: "1" },
      "other values": { A: null, B: 1, C: true, D: {}, E: ["x", "y"] },
      "order of numbers": { b: "1", 2: "2", a: "3", 1: "4" },
      "inherited variables": Object.create({ A: "1" }, { B: { value: "2", enumerable: true } }),
      "hidden variables": Object.defineProperty({ A: "1" }, "B", { value: "2" }),
      "a name that objects have": JSON.parse('{"__proto__":"1"}'),
      "strange names": { "A=B": "c", "": "d" },
      list: ["A=1"],
      map: new Map([["A", "1"]]),
      function: callback,
      false: false,
      number: 3,
      word: "A=1",
      "NUL in a value": { A: "a\0b" },
      "NUL in a name": { "A\0B": "a" },
      "a symbol in it": { A: Symbol("a") },
    }),
    ...each("stdio", {
      ...noValue,
      "no entry": [],
      pipe: ["pipe"],
      "ignore, pipe": ["ignore", "pipe"],
      "pipe, pipe, pipe": ["pipe", "pipe", "pipe"],
      "null, null, null": [null, null, null],
      "3 × undefined": [undefined, undefined, undefined],
      holes: [, "pipe", , , "pipe"],
      "inherit, inherit, inherit": ["inherit", "inherit", "inherit"],
      numbers: [input, sink, sink],
      "… pipe": [...pipes, "pipe"],
      "… pipe × 5": [...pipes, "pipe", "pipe", "pipe", "pipe", "pipe"],
      "… ignore": [...pipes, "ignore"],
      "… null, undefined, pipe": [...pipes, null, undefined, "pipe"],
      "… a number": [...pipes, input],
      "… number, number, pipe": [...pipes, input, sink, "pipe"],
      "… a closed number": [...pipes, closed],
      "… inherit at a closed number": [
        ...pipes,
        ...Array.from({ length: 97 }, () => "ignore"),
        "inherit",
      ],
      "… a negative number": [...pipes, -1],
      "… a huge number": [...pipes, 2 ** 32],
      "… socket-fd": [...pipes, "socket-fd"],
      "… ipc": [...pipes, "ipc"],
      "ipc as stdin": ["ipc", "pipe", "pipe"],
      "… a file": made(() => [...pipes, Bun.file(output)]),
      "… Uint8Array": [...pipes, new Uint8Array(4)],
      "… Blob": made(() => [...pipes, new Blob([text])]),
      "… a wrong word": [...pipes, "wrong"],
      "… true": [...pipes, true],
      "a subclass": class extends Array {}.from(pipes),
      text: "inherit",
      object: {},
      number: 3,
      false: false,
      empty: "",
      set: new Set(pipes),
    }),
    ...each(
      "stdio",
      { "beats stdin, stdout, stderr": pipes },
      {},
      { stdin: "wrong", stdout: null, stderr: 3 },
    ),
    ...each("stdin", {
      ...noValue,
      ignore: "ignore",
      inherit: "inherit",
      number: input,
      "closed number": closed,
      "negative number": -1,
      "wrong word": "wrong",
      true: true,
      object: {},
    }),
    ...each("stdin", { pipe: "pipe" }, { ...repeat, use: writeAndEnd }),
    ...each(
      "stdin",
      {
        Uint8Array: new TextEncoder().encode(text),
        DataView: new DataView(new ArrayBuffer(3)),
        ArrayBuffer: new TextEncoder().encode(text).buffer,
        "empty Uint8Array": new Uint8Array(),
        Blob: made(() => new Blob([text])),
        "Bun.file()": made(() => Bun.file(files.input)),
        "Bun.file() of a missing file": made(() => Bun.file(`${folder}/missing`)),
        Response: made(() => new Response(text)),
        Request: made(() => new Request("http://localhost", { method: "POST", body: text })),
        "Response without a body": made(() => new Response()),
        ReadableStream: made(() => new Response(text).body),
        "ReadableStream of its own": made(
          () => new ReadableStream({ start: (to) => (to.enqueue(text), to.close()) }),
        ),
      },
      repeat,
    ),
    ...(["stdout", "stderr"] as const).flatMap((key) =>
      each(key, {
        ...noValue,
        ignore: "ignore",
        pipe: "pipe",
        inherit: "inherit",
        number: sink,
        "closed number": closed,
        "Bun.file()": made(() => Bun.file(output)),
        Uint8Array: new Uint8Array(64),
        Blob: made(() => new Blob([text])),
        ReadableStream: made(() => new ReadableStream()),
        "wrong word": "wrong",
        true: true,
      }),
    ),
    ...each("lazy", { ...noValue, true: true, false: false, text: "a", 1: 1 }),
    ...each("detached", { ...noValue, true: true, false: false, text: "a", 1: 1 }),
    ...(["windowsHide", "windowsVerbatimArguments"] as const).flatMap((key) =>
      each(key, { ...noValue, true: true, text: "a" }),
    ),
    ...(["uid", "gid"] as const).flatMap((key) =>
      each(
        key,
        {
          ...noValue,
          nobody: 65534,
          "its own": key === "uid" ? process.getuid!() : process.getgid!(),
          negative: -1,
          fraction: 1.5,
          "too large": 2 ** 32,
          text: "0",
          NaN: NaN,
          true: true,
        },
        { asRoot: true },
      ),
    ),
    ...each("uid", { "nobody, and gid": 65534 }, { asRoot: true }, { gid: 65534 }),
    ...each("uid", { "nobody, and pipes": 65534 }, { asRoot: true }, { stdio: [...pipes, "pipe"] }),
    ...each("cgroup", { ...noValue, empty: "", missing: "/no/such/cgroup", "a file": files.input }),
    ...each("cgroup", { "no cgroup's descriptor": input, negative: -1, true: true, NUL: "/\0" }),
    ...each("onExit", { ...noValue, function: callback, text: "a", object: {} }),
    ...each("ipc", { ...noValue, function: callback, text: "a", object: {} }),
    ...each(
      "ipc",
      { "function, more stdio": callback },
      {},
      { stdio: [...pipes, "pipe", null, "pipe"] },
    ),
    ...each(
      "ipc",
      { "function, ipc in stdio": callback },
      {},
      { stdio: [...pipes, "ipc", "pipe"] },
    ),
    ...each("ipc", { "function, ipc twice": callback }, {}, { stdio: [...pipes, "ipc", "ipc"] }),
    ...each("onDisconnect", { ...noValue, text: "a", object: {} }),
    ...each("onDisconnect", { "function, no ipc": callback }),
    ...each("onDisconnect", { "function, with ipc": callback }, {}, { ipc: callback }),
    ...each("serialization", {
      ...noValue,
      json: "json",
      advanced: "advanced",
      wrong: "a",
      number: 1,
    }),
    ...each(
      "serialization",
      { "json, with ipc": "json", "wrong, with ipc": "a", "null, with ipc": null },
      {},
      { ipc: callback },
    ),
    ...each("signal", { ...noValue, live, aborted, object: {}, text: "a" }),
    ...each("signal", { "aborts after a while": made(() => AbortSignal.timeout(50)) }, sleep),
    ...each("timeout", {
      ...noValue,
      0: 0,
      10_000: 10_000,
      text: "a",
      negative: -1,
      NaN: NaN,
      Infinity,
    }),
    ...each("timeout", { 50: 50 }, sleep),
    ...each(
      "killSignal",
      {
        ...noValue,
        SIGKILL: "SIGKILL",
        9: 9,
        1: 1,
        SIGWRONG: "SIGWRONG",
        0: 0,
        100: 100,
        "-1": -1,
        true: true,
      },
      sleep,
      { timeout: 50 },
    ),
    ...each("maxBuffer", { ...noValue, 1_000: 1_000, text: "a", negative: -1, NaN: NaN, Infinity }),
    ...each("maxBuffer", { 10: 10 }, { script: "echo 12345678901234567890; exec sleep 5" }),
    ...each("terminal", { ...noValue, false: false, true: true, text: "a", number: 1 }),
    ...each("terminal", {
      "no settings": made(() => ({})),
      settings: made(() => ({ cols: 100, rows: 30, name: "xterm", data: callback })),
      "wrong name": { name: 1 },
      "a Terminal": made(() => new Bun.Terminal({})),
    }),
    ...each("terminal", { "more stdio": made(() => ({})) }, {}, { stdio: [...pipes, "pipe"] }),
    {
      key: "options",
      value: "of a class",
      options: () =>
        new (class {
          get cwd() {
            return "/usr";
          }
        })(),
    },
  ];
}
