#include "numbers.h"

/* struct linux_dirent64 (getdents(2)): u64 inode, s64 offset, u16 length, u8 type, name. */
#define DIRENT_LENGTH 16
#define DIRENT_NAME 19

static uint16_t dirent_length(const char *entry)
{
	return (uint16_t)((uint8_t)entry[DIRENT_LENGTH] | (uint8_t)entry[DIRENT_LENGTH + 1] << 8);
}

int32_t parse_number(const char *text)
{
	int64_t value = *text ? 0 : -1;

	for (; *text >= '0' && *text <= '9' && value < INT32_MAX; text++)
		value = value * 10 + (*text - '0');
	return *text == 0 && value < INT32_MAX ? (int32_t)value : -1;
}

size_t write_number(char *text, int32_t number)
{
	char digits[NUMBER_MAX];
	size_t length = 0, count = 0;

	do
		digits[count++] = (char)('0' + number % 10);
	while ((number /= 10) > 0);
	while (count > 0)
		text[length++] = digits[--count];
	text[length] = 0;
	return length;
}

long each_number(int32_t directory_fd, void (*visit)(int32_t number, void *context), void *context)
{
	/* 32 bytes an entry: one read for up to 500 of them, and a stack that fits any thread. */
	char buffer[16384] __attribute__((aligned(8)));
	long found = 0;

	long at = sys3(NR_lseek, directory_fd, 0, 0);

	if (at < 0)
		return at;
	for (;;) {
		long length = sys3(NR_getdents64, directory_fd, buffer, sizeof(buffer));

		if (length <= 0)
			return length < 0 ? length : found;
		for (char *entry = buffer; entry < buffer + length; entry += dirent_length(entry)) {
			int32_t number = parse_number(entry + DIRENT_NAME);

			if (number >= 0) {
				visit(number, context);
				found++;
			}
		}
	}
}
