/* Descriptors: a call needs none of an earlier one, and leaves none behind. */
#include "stress.h"

void case_descriptors(void)
{
	struct allthreads_report report;
	struct crowd *crowd = crowd_start(6, 0, 0);
	int rulesets[] = { -1, ruleset_denying(FILE_BIT(0), WITH_PROC),
			   ruleset_denying(FILE_BIT(1), WITH_PROC) };
	struct state before, after;

	state_take(&before);
	for (size_t i = 0; i < sizeof(rulesets) / sizeof(rulesets[0]); i++) {
		int64_t result = library.restrict_all(rulesets[i], 0, PATIENT_MS, &report);

		state_take(&after);
		CHECK(after.files == before.files, "call %zu left %d descriptors open", i,
		      after.files - before.files);
		if (rulesets[i] < 0)
			expect_unchanged(result, &report, -EBADF);
		else
			expect_success(result, &report, 7);
	}
	crowd_check(crowd, FILE_BIT(0) | FILE_BIT(1), 1);
	check_this_thread(FILE_BIT(0) | FILE_BIT(1), 1);
	crowd_end(crowd);
}
