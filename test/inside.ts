/** What the body of `inSubprocess()` gets: the library, and small probes of what is allowed. */
import { FFIType, ptr, read } from "bun:ffi";
import {
  chmodSync,
  closeSync,
  constants,
  copyFileSync,
  linkSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { getSystemErrorName } from "node:util";
import { nativePath } from "../src/kernel/image.ts";
import { openLibc } from "./libc.ts";

export * from "../src/index.ts";

/** `"ok"`, an errno such as `"EACCES"`, or an error's code or name. */
export type Outcome = string;

function reasonOf(error: unknown): Outcome {
  const { code, name } = error as { code?: string; name?: string };
  return code ?? name ?? String(error);
}

/** Runs `body` and returns its outcome. */
export function outcome(action: () => unknown): Outcome {
  try {
    action();
    return "ok";
  } catch (error) {
    return reasonOf(error);
  }
}

/** Awaits `body` and returns its outcome. */
export async function outcomeOf(action: () => Promise<unknown>): Promise<Outcome> {
  try {
    await action();
    return "ok";
  } catch (error) {
    return reasonOf(error);
  }
}

/** Runs `body` and returns the fields of its error, or `undefined` if it throws none. */
export function thrown(action: () => unknown): Record<string, unknown> | undefined {
  try {
    action();
    return undefined;
  } catch (error) {
    const { name, message } = error as Error;
    return { name, message, ...(error as object) };
  }
}

/**
 * One field of every thread's `/proc/self/task/TID/status`, e.g. `threadField("NoNewPrivs")`.
 * Leaves out threads that end meanwhile.
 */
export function threadField(field: string): string[] {
  return readdirSync("/proc/self/task").flatMap((tid) => {
    try {
      const status = readFileSync(`/proc/self/task/${tid}/status`, "utf8");
      return status.match(new RegExp(`^${field}:\\s*(.*)$`, "m"))![1]!;
    } catch (error) {
      const { code } = error as { code?: string };
      if (code === "ENOENT" || code === "ESRCH") return [];
      throw error;
    }
  });
}

const { i32, u32, i64, u64, cstring, ptr: pointer } = FFIType;
const functions = {
  mkfifo: { args: [cstring, u32], returns: i32 },
  mknod: { args: [cstring, u32, u64], returns: i32 },
  open: { args: [cstring, i32, u32], returns: i32 },
  close: { args: [i32], returns: i32 },
  mkdir: { args: [cstring, u32], returns: i32 },
  symlink: { args: [cstring, cstring], returns: i32 },
  link: { args: [cstring, cstring], returns: i32 },
  unlink: { args: [cstring], returns: i32 },
  rmdir: { args: [cstring], returns: i32 },
  // Calls renameat2(2), for which musl before 1.2.5 has no function.
  syscall: { args: [i32, i32, cstring, i32, cstring, u32], returns: i32 },
  truncate: { args: [cstring, u64], returns: i32 },
  mount: { args: [cstring, cstring, cstring, u64, pointer], returns: i32 },
  posix_spawn: { args: [pointer, cstring, pointer, pointer, pointer, pointer], returns: i32 },
  ioctl: { args: [i32, u64, pointer], returns: i32 },
  pipe: { args: [pointer], returns: i32 },
  socket: { args: [i32, i32, i32], returns: i32 },
  bind: { args: [i32, pointer, u32], returns: i32 },
  listen: { args: [i32, i32], returns: i32 },
  connect: { args: [i32, pointer, u32], returns: i32 },
  accept4: { args: [i32, pointer, pointer, i32], returns: i32 },
  recv: { args: [i32, pointer, u64, i32], returns: i32 },
  memfd_create: { args: [cstring, u32], returns: i32 },
  flock: { args: [i32, i32], returns: i32 },
  kill: { args: [i32, i32], returns: i32 },
  sendto: { args: [i32, cstring, u64, i32, pointer, u32], returns: i32 },
  getsockname: { args: [i32, pointer, pointer], returns: i32 },
  prctl: { args: [i32, u64, pointer, u64, u64], returns: i32 },
  shmget: { args: [i32, u64, i32], returns: i32 },
  shmat: { args: [i32, pointer, i32], returns: FFIType.i64_fast },
  shmctl: { args: [i32, i32, pointer], returns: i32 },
  semget: { args: [i32, i32, i32], returns: i32 },
  semctl: { args: [i32, i32, i32], returns: i32 },
  semop: { args: [i32, pointer, u64], returns: i32 },
  msgget: { args: [i32, i32], returns: i32 },
  msgctl: { args: [i32, i32, pointer], returns: i32 },
  msgsnd: { args: [i32, pointer, u64, i32], returns: i32 },
  msgrcv: { args: [i32, pointer, u64, i64, i32], returns: i32 },
  prlimit: { args: [i32, i32, pointer, pointer], returns: i32 },
  setpriority: { args: [i32, i32, i32], returns: i32 },
  fanotify_init: { args: [u32, u32], returns: i32 },
  fanotify_mark: { args: [i32, u32, u64, i32, cstring], returns: i32 },
  setrlimit: { args: [i32, pointer], returns: i32 },
  __errno_location: { args: [], returns: pointer },
} as const;

/** Loads libc now, because a sandboxed probe may not be able to read its file. */
const libc = openLibc(functions);
type Libc = typeof libc;

/**
 * Calls a C function that Bun lacks: returns its result, or throws its errno as the error's `code`.
 */
export function call<Name extends keyof Omit<Libc, "__errno_location">>(
  name: Name,
  ...args: Parameters<Libc[Name]>
): number {
  const result = (libc[name] as (...args: unknown[]) => number)(...args);
  if (result !== -1) return result;
  const errno = read.i32(libc.__errno_location()!, 0);
  throw Object.assign(new Error(name), { code: getSystemErrorName(-errno) });
}

const { syscall } = openLibc({
  syscall: { args: [i64, i64, i64, i64, i64, i64], returns: FFIType.i64_fast },
});

/**
 * Makes a system call that libc has no function for. Returns its result, or throws its errno as the
 * error's `code`.
 *
 * @param numbers Its number on x64 and on arm64
 * @param args Numbers, strings, and memory
 */
export function systemCall(
  numbers: { readonly x64: number; readonly arm64: number },
  ...args: readonly (number | string | Uint8Array)[]
): number {
  const memory = args.map((arg) => (typeof arg === "string" ? Buffer.from(`${arg}\0`) : arg));
  const words = memory.map((arg) => (typeof arg === "number" ? arg : ptr(arg)));
  const [a = 0, b = 0, c = 0, d = 0, e = 0] = words;
  const result = syscall(numbers[process.arch as "x64" | "arm64"], a, b, c, d, e) as number;
  if (result !== -1) return result;
  const errno = read.i32(libc.__errno_location()!, 0);
  throw Object.assign(new Error("syscall"), { code: getSystemErrorName(-errno) });
}

/** Makes system calls `first` to `last` fail in this thread and its children, as containers do. */
export function failSyscalls(first: number, last: number, errno: number): void {
  const RET_ERRNO = 0x0005_0000;
  const RET_ALLOW = 0x7fff_0000;
  // struct sock_filter: a 16-bit operation, jump offsets if true and if false, a 32-bit operand.
  const step = (code: number, jt: number, jf: number, k: number) => [
    code | (jt << 16) | (jf << 24),
    k,
  ];
  const filter = new Uint32Array([
    ...step(0x20, 0, 0, 0),
    ...step(0x35, 0, 2, first),
    ...step(0x25, 1, 0, last),
    ...step(0x06, 0, 0, RET_ERRNO | errno),
    ...step(0x06, 0, 0, RET_ALLOW),
  ]);
  const program = new BigUint64Array([BigInt(filter.length / 2), BigInt(ptr(filter))]);
  const [PR_SET_SECCOMP, PR_SET_NO_NEW_PRIVS] = [22, 38];
  call("prctl", PR_SET_NO_NEW_PRIVS, 1n, null, 0n, 0n);
  call("prctl", PR_SET_SECCOMP, 2n, program, 0n, 0n);
}

/** `struct sockaddr_in` or `sockaddr_in6` of the loopback address. */
export function loopback(port: number, family: 4 | 6 = 4): Uint8Array {
  const address = new Uint8Array(family === 4 ? 16 : 28);
  const view = new DataView(address.buffer);
  view.setUint16(0, family === 4 ? 2 : 10, true);
  view.setUint16(2, port);
  if (family === 4) view.setUint32(4, 0x7f000001);
  else address[23] = 1;
  return address;
}

/** `struct sockaddr_un` of a path, or of an abstract name, which starts with NUL. */
export function unixAddress(name: string): Uint8Array {
  return new Uint8Array([
    1,
    0,
    ...new TextEncoder().encode(name),
    ...(name[0] === "\0" ? [] : [0]),
  ]);
}

/** Creates the tree for `tryPaths()`, replacing an existing one. */
export function makeTree(dir: string): void {
  rmSync(dir, { recursive: true, force: true });
  mkdirSync(`${dir}/other`, { recursive: true });
  mkdirSync(`${dir}/empty`);
  // A static program: executing it needs rights on this file only.
  copyFileSync(nativePath(), `${dir}/file`);
  chmodSync(`${dir}/file`, 0o755);
  for (const name of ["old", "moved", "doomed"]) writeFileSync(`${dir}/${name}`, "text");
}

/** Tries every kind of access to paths once, in a tree of `makeTree()`. */
export function tryPaths(dir: string) {
  const file = `${dir}/file`;
  return {
    execute: outcome(() => Bun.spawnSync([file], { stdio: ["inherit", "inherit", "inherit"] })),
    read: outcome(() => readFileSync(file)),
    list: outcome(() => readdirSync(dir)),
    write: outcome(() => closeSync(openSync(file, constants.O_WRONLY))),
    truncate: outcome(() => truncateSync(file, 3)),
    // Not writeFileSync(): it truncates afterwards, and Bun hides a failure of that.
    overwrite: outcome(() => closeSync(openSync(file, constants.O_WRONLY | constants.O_TRUNC))),
    create: outcome(() => writeFileSync(`${dir}/created`, "text", { flag: "wx" })),
    mkdir: outcome(() => mkdirSync(`${dir}/directory`)),
    mkfifo: outcome(() => call("mkfifo", `${dir}/fifo`, 0o600)),
    socket: outcome(() => call("mknod", `${dir}/socket`, constants.S_IFSOCK | 0o600, 0n)),
    symlink: outcome(() => symlinkSync("file", `${dir}/symlink`)),
    // The null device and a loop device; only root can create them.
    character: outcome(() => call("mknod", `${dir}/null`, constants.S_IFCHR | 0o600, 0x103n)),
    block: outcome(() => call("mknod", `${dir}/loop`, constants.S_IFBLK | 0o600, 0x700n)),
    link: outcome(() => linkSync(file, `${dir}/linked`)),
    linkAcross: outcome(() => linkSync(file, `${dir}/other/linked`)),
    rename: outcome(() => renameSync(`${dir}/old`, `${dir}/new`)),
    renameAcross: outcome(() => renameSync(`${dir}/moved`, `${dir}/other/moved`)),
    unlink: outcome(() => unlinkSync(`${dir}/doomed`)),
    rmdir: outcome(() => rmdirSync(`${dir}/empty`)),
  };
}

/** The operations that `tryPaths()` tries. */
export type PathOperation = keyof ReturnType<typeof tryPaths>;
