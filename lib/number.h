/* Numbers as text: the launcher's arguments, and the names of threads in /proc. */
#ifndef LANDLOCK_NUMBER_H
#define LANDLOCK_NUMBER_H

#include <stdint.h>

/* The number a text is, below INT32_MAX as every descriptor and id is; -1 if it is none. */
static inline int32_t parse_number(const char *text)
{
	int64_t value = *text ? 0 : -1;

	for (; *text >= '0' && *text <= '9' && value < INT32_MAX; text++)
		value = value * 10 + (*text - '0');
	return *text == 0 && value < INT32_MAX ? (int32_t)value : -1;
}

#endif
