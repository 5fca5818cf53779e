/* Runs a target once for each file, as libFuzzer does, with any compiler. */
#include "input.h"

int main(int argc, char **argv)
{
	static uint8_t data[1 << 16];

	for (int i = 1; i < argc; i++) {
		FILE *file = fopen(argv[i], "rb");

		must(file);
		size_t size = fread(data, 1, sizeof(data), file);

		fclose(file);
		/* A copy of exactly its size, so that sanitizers see an overread. */
		uint8_t *exact = malloc(size + !size);

		must(exact);
		for (size_t at = 0; at < size; at++)
			exact[at] = data[at];
		LLVMFuzzerTestOneInput(exact, size);
		free(exact);
	}
	printf("%d\n", argc - 1);
	return 0;
}
