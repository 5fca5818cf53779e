/**
 * The errnos that each system call of the library can return, from the ERRORS sections of manual
 * pages. Gaps are filled from the kernel: signals interrupt getdents64(2) in `iterate_dir()`, and
 * /proc returns ESRCH for a thread that is gone. A container's filter can return EPERM or ENOSYS
 * for any call.
 */
import { constants } from "node:os";
import { join } from "node:path";
import { NR } from "../../src/kernel/uapi.ts";

const open = "EACCES EINTR ELOOP EMFILE ENAMETOOLONG ENFILE ENOENT ENOMEM ENOTDIR";

/** Errno names by the name of the system call. */
const table: Readonly<Record<string, string>> = {
  clock_gettime: "EFAULT EINVAL",
  clone: "EAGAIN EINVAL ENOMEM ENOSPC",
  close: "EBADF EDQUOT EINTR EIO ENOSPC",
  close_range: "EINVAL EMFILE ENOMEM",
  eventfd2: "EINVAL EMFILE ENFILE ENODEV ENOMEM",
  execve:
    "E2BIG EACCES EAGAIN EFAULT EINVAL EIO EISDIR ELOOP EMFILE ENAMETOOLONG ENFILE ENOENT ENOEXEC ENOMEM ENOTDIR ETXTBSY",
  fcntl: "EBADF EINVAL",
  fstatfs: "EBADF EFAULT EINTR EIO ENOMEM EOVERFLOW",
  futex: "EAGAIN EFAULT EINTR EINVAL ENOMEM ETIMEDOUT",
  getdents64: "EBADF EFAULT EINTR EINVAL ENOENT ENOMEM ENOTDIR",
  kcmp: "EBADF EFAULT EINVAL ESRCH",
  landlock_add_rule: "EAFNOSUPPORT EBADF EBADFD EFAULT EINVAL ENOMEM ENOMSG EOPNOTSUPP",
  landlock_create_ruleset: "E2BIG EFAULT EINVAL EMFILE ENFILE ENOMEM ENOMSG EOPNOTSUPP",
  landlock_restrict_self: "E2BIG EBADF EBADFD EINVAL ENOMEM EOPNOTSUPP",
  lseek: "EBADF EINVAL EOVERFLOW ESPIPE",
  madvise: "EAGAIN EINVAL EIO ENOMEM",
  memfd_create: "EACCES EFAULT EINVAL EMFILE ENFILE ENOMEM",
  mmap: "EACCES EAGAIN EINVAL ENFILE ENODEV ENOMEM",
  munmap: "EINVAL ENOMEM",
  openat: open,
  pipe2: "EFAULT EINVAL EMFILE ENFILE",
  prctl: "EFAULT EINVAL",
  prlimit64: "EFAULT EINVAL ESRCH",
  read: "EAGAIN EBADF EFAULT EINTR EINVAL EIO EISDIR ENOMEM ESRCH",
  readlinkat: "EACCES EBADF EFAULT EINVAL EIO ELOOP ENAMETOOLONG ENOENT ENOMEM ENOTDIR",
  rt_sigaction: "EFAULT EINVAL",
  rt_sigprocmask: "EFAULT EINVAL",
  rt_sigsuspend: "EFAULT EINTR",
  rt_tgsigqueueinfo: "EAGAIN EINVAL ESRCH",
  statfs: "EACCES EFAULT EINTR EIO ELOOP ENAMETOOLONG ENOENT ENOMEM ENOTDIR EOVERFLOW",
  statx: "EACCES EBADF EFAULT EINVAL ELOOP ENAMETOOLONG ENOENT ENOMEM ENOTDIR",
  tgkill: "EAGAIN EINVAL ESRCH",
  wait4: "ECHILD EINTR EINVAL ESRCH",
  write: "EAGAIN EBADF EFAULT EINTR EINVAL EIO ENOSPC EPIPE",
};

/** Errnos that a filter may return for any call. */
const filtered = ["EPERM", "ENOSYS"];

/** Errnos without a constant in Bun, from asm-generic/errno.h. */
const others: Readonly<Record<string, number>> = { EBADFD: 77 };

const header = { x64: "x86_64", arm64: "aarch64" }[process.arch as "x64" | "arm64"];
const arch = await Bun.file(join(import.meta.dir, `../../lib/arch/${header}.h`)).text();
const numbers = new Map<string, number>([
  ...[...arch.matchAll(/\bNR_(\w+) = (\d+)/g)].map(([, name, nr]) => [name!, +nr!] as const),
  ...Object.entries(NR),
]);

/** The number of a system call on this CPU. */
export function numberOf(syscall: string): number {
  const number = numbers.get(syscall);
  if (number === undefined) throw new Error(`${syscall} has no number here`);
  return number;
}

/** An errno as a positive number. */
export function errnoOf(name: string): number {
  const errno = others[name] ?? constants.errno[name as keyof typeof constants.errno];
  if (errno === undefined) throw new Error(`${name} is no errno`);
  return errno;
}

/** The names of all errnos to inject into a system call. */
export function errnosOf(syscall: string): readonly string[] {
  const own = table[syscall];
  if (own === undefined) throw new Error(`${syscall} has no errnos in the table`);
  return [...own.split(" "), ...filtered];
}

/** Every system call of the table. */
export const syscalls = Object.keys(table);
