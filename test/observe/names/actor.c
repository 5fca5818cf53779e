/*
 * Performs the operations that it reads, one a line, and prints what the kernel says of each. The
 * trace reader must come to the same result.
 *
 * Input line: the operation, a descriptor or -1, a descriptor number to keep the result open on,
 * and two paths in hexadecimal.
 * Output line: errno, then in hexadecimal the previous current directory, what the descriptor was
 * open on before, and what was opened.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PATH_BYTES = 4200 };

static void from_hex(const char *hex, char *bytes)
{
	unsigned int byte;

	while (sscanf(hex, "%2x", &byte) == 1) {
		*bytes++ = (char)byte;
		hex += 2;
	}
	*bytes = '\0';
}

static void say_link(const char *path)
{
	static char target[PATH_BYTES];
	ssize_t length = readlink(path, target, sizeof(target));

	printf(" ");
	for (ssize_t i = 0; i < length; i++)
		printf("%02x", (unsigned char)target[i]);
	if (length <= 0)
		printf("-");
}

static void say_fd(int fd)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	say_link(path);
}

/* The observation follows that of an operation. openat(2) would reveal the current directory. */
static void mark(void)
{
#ifdef SYS_open
	syscall(SYS_open, "/dev/null/done", O_RDONLY);
#else
	openat(AT_FDCWD, "/dev/null/done", O_RDONLY);
#endif
}

static int with_socket(int bound, const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	int result, saved;

	strncpy(address.sun_path, path, sizeof(address.sun_path));
	result = (bound ? bind : connect)(fd, (struct sockaddr *)&address, sizeof(address));
	saved = errno;
	close(fd);
	errno = saved;
	return result;
}

static int act(const char *what, int fd, int slot, const char *a, const char *b)
{
	int at = fd < 0 ? AT_FDCWD : fd;

	if (!strcmp(what, "openat"))
		return openat(at, a, O_RDONLY | O_NONBLOCK);
	if (!strcmp(what, "creatat"))
		return openat(at, a, O_WRONLY | O_CREAT | O_NONBLOCK, 0600);
	if (!strcmp(what, "mkdirat"))
		return mkdirat(at, a, 0700);
	if (!strcmp(what, "unlinkat"))
		return unlinkat(at, a, 0);
	if (!strcmp(what, "rmdirat"))
		return unlinkat(at, a, AT_REMOVEDIR);
	if (!strcmp(what, "renameat"))
		return renameat(at, a, at, b);
	if (!strcmp(what, "linkat"))
		return linkat(at, a, at, b, 0);
	if (!strcmp(what, "symlinkat"))
		return symlinkat(a, at, b);
	if (!strcmp(what, "mknodat"))
		return mknodat(at, a, S_IFIFO | 0600, 0);
	if (!strcmp(what, "truncate"))
		return truncate(a, 0);
	if (!strcmp(what, "bind"))
		return with_socket(1, a);
	if (!strcmp(what, "connect"))
		return with_socket(0, a);
	if (!strcmp(what, "chdir"))
		return chdir(a);
	if (!strcmp(what, "fchdir"))
		return fchdir(fd);
	if (!strcmp(what, "dup2"))
		return dup2(fd, slot);
#ifdef SYS_open
	/* Only some CPUs have these calls, which take no starting descriptor. */
	if (!strcmp(what, "open"))
		return (int)syscall(SYS_open, a, O_RDONLY | O_NONBLOCK);
	if (!strcmp(what, "mkdir"))
		return (int)syscall(SYS_mkdir, a, 0700);
	if (!strcmp(what, "unlink"))
		return (int)syscall(SYS_unlink, a);
	if (!strcmp(what, "rmdir"))
		return (int)syscall(SYS_rmdir, a);
	if (!strcmp(what, "rename"))
		return (int)syscall(SYS_rename, a, b);
	if (!strcmp(what, "link"))
		return (int)syscall(SYS_link, a, b);
	if (!strcmp(what, "symlink"))
		return (int)syscall(SYS_symlink, a, b);
#endif
	errno = ENOSYS;
	return -1;
}

int main(void)
{
	static char line[6 * PATH_BYTES], hex_a[2 * PATH_BYTES], hex_b[2 * PATH_BYTES];
	static char a[PATH_BYTES], b[PATH_BYTES];
	char what[32];
	int fd, slot, result, failed;
	pid_t child;

	setvbuf(stdout, NULL, _IOLBF, 1 << 16);
	while (fgets(line, sizeof(line), stdin)) {
		if (sscanf(line, "%31s %d %d %8399s %8399s", what, &fd, &slot, hex_a, hex_b) != 5)
			return 2;
		if (!strcmp(what, "fork")) {
			/* The child continues. */
			child = fork();
			if (child > 0) {
				waitpid(child, &result, 0);
				_exit(0);
			}
			printf("= - - - 0\n");
			mark();
			continue;
		}
		from_hex(hex_a, a);
		from_hex(hex_b, b);
		printf("=");
		say_link("/proc/self/cwd");
		say_fd(fd);
		result = act(what, fd, slot, a, b);
		failed = result < 0 ? errno : 0;
		if (result >= 0 && (strstr(what, "open") || strstr(what, "creat"))) {
			say_fd(result);
			if (slot >= 0)
				dup2(result, slot);
			close(result);
		} else {
			printf(" -");
		}
		printf(" %d\n", failed);
		mark();
	}
	return 0;
}
