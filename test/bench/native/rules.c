/* rules FOLDER COUNT: one rule for each file 0, 1, 2...; µs to the last rule, and enforced. */
#include "landlock.h"

int main(int argc, char **argv)
{
	int count = argc == 3 ? atoi(argv[2]) : 0;
	char **paths = calloc((size_t)count + 1, sizeof(*paths));

	for (int i = 0; i < count; i++)
		CHECK(asprintf(&paths[i], "%s/%d", argv[1], i) > 0, "asprintf");

	double begun = now_us();
	int ruleset = create_ruleset();

	for (int i = 0; i < count; i++)
		add_path(ruleset, paths[i], RIGHTS_READ_FILES);

	double built = now_us();

	CHECK(restrict_self(ruleset, 0) == 0, "landlock_restrict_self");
	printf("[%.3f, %.3f]\n", built - begun, now_us() - begun);
	return 0;
}
