/**
 * Numbers of the kernel's interface, under the kernel's names.
 *
 * Source: `include/uapi/linux/landlock.h`, `landlock_add_rule(2)`, `open(2)`, `prctl(2)`,
 * `ioctl_tty(2)`.
 */

export const LANDLOCK_CREATE_RULESET_VERSION = 1 << 0;
export const LANDLOCK_CREATE_RULESET_ERRATA = 1 << 1;
export const LANDLOCK_ADD_RULE_QUIET = 1 << 0;
export const LANDLOCK_RULE_PATH_BENEATH = 1;
export const LANDLOCK_RULE_NET_PORT = 2;

export const O_PATH = 0o10000000;
export const O_CLOEXEC = 0o2000000;
export const RESOLVE_NO_MAGICLINKS = 0x02;
export const RESOLVE_NO_SYMLINKS = 0x04;
/** arm64 has its own value (`arch/arm64/include/uapi/asm/fcntl.h`). */
export const O_DIRECTORY = process.arch === "arm64" ? 0o40000 : 0o200000;
/** arm64 has its own value, as for `O_DIRECTORY`. */
export const O_NOFOLLOW = process.arch === "arm64" ? 0o100000 : 0o400000;
/** Opening a pipe doesn't wait for its other end. */
export const O_NONBLOCK = 0o4000;
export const O_NOCTTY = 0o400;
export const S_IFMT = 0o170000;
export const S_IFREG = 0o100000;
export const S_IFDIR = 0o040000;
export const S_IFLNK = 0o120000;
export const S_ISVTX = 0o1000;
export const S_IWGRP = 0o020;
export const S_IROTH = 0o004;
export const S_IWOTH = 0o002;
export const S_IXOTH = 0o001;
export const AT_FDCWD = -100;
/** The longest path in bytes, including its NUL. */
export const PATH_MAX = 4096;
export const AT_EMPTY_PATH = 0x1000;
export const AT_EACCESS = 0x200;
export const X_OK = 1;
export const F_SETFD = 2;
export const F_DUPFD_CLOEXEC = 1030;
export const F_ADD_SEALS = 1033;
export const F_GET_SEALS = 1034;
export const F_SEAL_SEAL = 0x1;
export const F_SEAL_SHRINK = 0x2;
export const F_SEAL_GROW = 0x4;
export const F_SEAL_WRITE = 0x8;
/** The kernel sets this seal if `vm.memfd_noexec` forbids executing the file. */
export const F_SEAL_EXEC = 0x20;
export const FD_CLOEXEC = 1;
export const CLOSE_RANGE_CLOEXEC = 1 << 2;
export const AT_SYMLINK_NOFOLLOW = 0x100;
export const AT_REMOVEDIR = 0x200;
export const STATX_TYPE = 0x1;
export const STATX_MODE = 0x2;
export const STATX_UID = 0x8;
export const STATX_GID = 0x10;
export const STATX_NLINK = 0x4;
export const STATX_INO = 0x100;
export const STATX_BTIME = 0x800;
export const STATX_ATTR_MOUNT_ROOT = 0x2000;

export const PR_GET_DUMPABLE = 3;
export const PR_SET_NO_NEW_PRIVS = 38;
export const PR_GET_NO_NEW_PRIVS = 39;
export const RLIMIT_NOFILE = 7;
export const TIOCGWINSZ = 0x5413;
/** Combine it with `O_CLOEXEC`, which has the value of `EFD_CLOEXEC` (`eventfd(2)`). */
export const EFD_NONBLOCK = 0o4000;
export const PROC_SUPER_MAGIC = 0x9fa0;
export const SIGCHLD = 17;
export const MFD_CLOEXEC = 0x1;
export const MFD_ALLOW_SEALING = 0x2;
export const MFD_EXEC = 0x10;

/** System call numbers. Those from 424 on are the same on every CPU. */
export const NR = {
  landlock_create_ruleset: 444,
  landlock_add_rule: 445,
  landlock_restrict_self: 446,
  close_range: 436,
  openat2: 437,
  faccessat2: 439,
  ...(process.arch === "arm64"
    ? {
        eventfd2: 19,
        faccessat: 48,
        fcntl: 25,
        getxattr: 8,
        ioctl: 29,
        mkdirat: 34,
        unlinkat: 35,
        prctl: 167,
        prlimit64: 261,
        memfd_create: 279,
        pipe2: 59,
        read: 63,
        readlinkat: 78,
        rt_sigaction: 134,
        statfs: 43,
        statx: 291,
        write: 64,
      }
    : {
        eventfd2: 290,
        faccessat: 269,
        fcntl: 72,
        getxattr: 191,
        ioctl: 16,
        mkdirat: 258,
        unlinkat: 263,
        prctl: 157,
        prlimit64: 302,
        memfd_create: 319,
        pipe2: 293,
        read: 0,
        readlinkat: 267,
        rt_sigaction: 13,
        statfs: 137,
        statx: 332,
        write: 1,
      }),
} as const;
