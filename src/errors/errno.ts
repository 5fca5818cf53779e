/**
 * The errnos that this library compares with: `errno(3)`, the same on both CPUs. All values called
 * errno are positive. Only the result of a system call represents a failure as -errno: compare it
 * with `-ENOENT`.
 */
export const EPERM = 1;
export const ENOENT = 2;
export const EINTR = 4;
export const E2BIG = 7;
export const ENOEXEC = 8;
export const EBADF = 9;
export const EAGAIN = 11;
export const ENOMEM = 12;
export const EACCES = 13;
export const EEXIST = 17;
export const ENOTDIR = 20;
export const EINVAL = 22;
export const ENFILE = 23;
export const EMFILE = 24;
export const EFBIG = 27;
export const ENOSYS = 38;
export const ELOOP = 40;
export const ENODATA = 61;
export const EBADFD = 77;
export const EILSEQ = 84;
export const EOPNOTSUPP = 95;
export const EAFNOSUPPORT = 97;
export const ESTALE = 116;
