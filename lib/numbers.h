/* Numbers as text, and directories whose entries are named by numbers, as in /proc. */
#ifndef LANDLOCK_NUMBERS_H
#define LANDLOCK_NUMBERS_H

#include "sys.h"

/* Room for any int32 that is not negative, and a NUL. */
#define NUMBER_MAX 12

/* The number a text is, below INT32_MAX as every descriptor and id is; -1: it is none. */
int32_t parse_number(const char *text);

/* Writes a number that is not negative in decimal; its length without the NUL. */
size_t write_number(char *text, int32_t number);

/* Calls visit for every entry of a directory that is named by a number; how many, or -errno. */
long each_number(int32_t directory_fd, void (*visit)(int32_t number, void *context), void *context);

#endif
