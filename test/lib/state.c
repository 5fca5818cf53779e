#include "stress.h"

#include <dirent.h>

static int count_files(void)
{
	DIR *directory = opendir("/proc/self/fd");
	int count = 0;

	CHECK(directory, "/proc/self/fd: %s", strerror(errno));
	while (readdir(directory))
		count++;
	closedir(directory);
	return count;
}

/* The text after `field` in a file of /proc, up to the end of its line. */
static void read_field(const char *path, const char *field, char *text, size_t size)
{
	char line[512];
	FILE *file = fopen(path, "re");

	CHECK(file, "%s: %s", path, strerror(errno));
	*text = 0;
	while (fgets(line, sizeof(line), file))
		if (strncmp(line, field, strlen(field)) == 0)
			snprintf(text, size, "%s", line + strlen(field));
	fclose(file);
}

void state_take(struct state *state)
{
	DIR *tasks = opendir("/proc/self/task");
	struct dirent *entry;
	char path[512], mask[64], size[64];
	size_t length = 0;

	memset(state, 0, sizeof(*state));
	CHECK(tasks, "/proc/self/task: %s", strerror(errno));
	while ((entry = readdir(tasks))) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "/proc/self/task/%s/status", entry->d_name);
		read_field(path, "SigBlk:", mask, sizeof(mask));
		length += (size_t)snprintf(state->masks + length, sizeof(state->masks) - length,
					   "%s %s", entry->d_name, mask);
	}
	closedir(tasks);
	dispositions_save(state->dispositions);
	state->files = count_files();
	read_field("/proc/self/statm", "", size, sizeof(size));
	state->pages = atoi(size);
}

int state_settle(struct state *state, const struct state *like, int own_may_stay)
{
	int stayed = 0;
	int64_t since = now_ms();

	for (state_take(state); strcmp(state->masks, like->masks) != 0; state_take(state)) {
		CHECK(now_ms() - since < FOREVER_MS, "masks were\n%sand are\n%s", like->masks,
		      state->masks);
		if (own_may_stay && now_ms() - since > HASTY_MS && raw_mask(0))
			stayed = 1;
		nap_ms(1);
	}
	return stayed;
}

int state_compare(const struct state *before, const struct state *after)
{
	int differing = 0;

	for (int signal = 1; signal <= SIGNALS; signal++)
		differing += memcmp(&before->dispositions[signal], &after->dispositions[signal],
				    sizeof(after->dispositions[signal])) != 0;
	CHECK(differing <= 1, "%d dispositions differ", differing);
	return differing;
}
