/* launch PATH... -- COMMAND...: grants only reading below each path. The minimal cost. */
#include "landlock.h"

int main(int argc, char **argv)
{
	int at = 1;
	int ruleset = create_ruleset();

	for (; at < argc && strcmp(argv[at], "--") != 0; at++)
		add_path(ruleset, argv[at], RIGHTS_READ);
	CHECK(restrict_self(ruleset, 0) == 0, "landlock_restrict_self");
	close(ruleset);
	execv(argv[at + 1], argv + at + 1);
	CHECK(0, argv[at + 1]);
	return 1;
}
