/* The fuzzer's input, consumed in order; after its end there are zeros. */
#ifndef FUZZ_INPUT_H
#define FUZZ_INPUT_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

struct input {
	const uint8_t *at;
	const uint8_t *end;
};

static inline uint8_t take(struct input *in)
{
	return in->at < in->end ? *in->at++ : 0;
}

static inline uint32_t take_u32(struct input *in)
{
	uint32_t low = take(in) | (uint32_t)take(in) << 8;

	return low | (uint32_t)take(in) << 16 | (uint32_t)take(in) << 24;
}

/* A text of up to `most` bytes, after its length; needs room for one more byte and a NUL. */
static inline size_t take_text(struct input *in, char *text, size_t most)
{
	size_t length = 0;

	for (size_t left = (size_t)take(in) % (most + 1); left > 0; left--)
		text[length++] = (char)take(in);
	text[length] = 0;
	return length;
}

/* Like assert(3), but also works without sanitizers and with NDEBUG. */
#define must(holds)                                                                      \
	do {                                                                             \
		if (!(holds)) {                                                          \
			fprintf(stderr, "%s:%d: broken: %s\n", __FILE__, __LINE__, #holds); \
			abort();                                                         \
		}                                                                        \
	} while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
