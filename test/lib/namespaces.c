#include "stress.h"

#include <fcntl.h>
#include <sched.h>

#include <sys/mount.h>

static void write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		skipped("%s: %s", path, strerror(errno));
	close(fd);
}

void enter_namespaces(int flags)
{
	char map[32];
	uid_t uid = geteuid();
	gid_t gid = getegid();

	if (unshare(flags) == 0)
		return;
	if (unshare(flags | CLONE_NEWUSER) < 0)
		skipped("neither root nor a user namespace: unshare: %s", strerror(errno));
	die_with_parent();
	write_file("/proc/self/setgroups", "deny");
	snprintf(map, sizeof(map), "0 %u 1", gid);
	write_file("/proc/self/gid_map", map);
	snprintf(map, sizeof(map), "0 %u 1", uid);
	write_file("/proc/self/uid_map", map);
}

void hide_proc(void)
{
	enter_namespaces(CLONE_NEWNS);
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("none", "/proc", "tmpfs", 0, NULL) < 0)
		skipped("mount over /proc: %s", strerror(errno));
	CHECK(access("/proc/self", F_OK) < 0 && errno == ENOENT, "/proc is still there");
}

void mount_proc(void)
{
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("proc", "/proc", "proc", 0, NULL) < 0)
		skipped("mount of a new /proc: %s", strerror(errno));
}
