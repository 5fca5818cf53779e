/* What belongs to this process alone: a forked child finds zeros. */
#ifndef LANDLOCK_OWN_H
#define LANDLOCK_OWN_H

#include "sys.h"

struct own {
	uint32_t lock;   /* of one caller at a time; 0: free */
	int32_t task_fd; /* /proc/self/task, kept open */
	int32_t keeps;   /* 0: task_fd is nothing */
};

/*
 * The memory for it, always the same; mapped by the first call. If the kernel cannot clear it in
 * children, it is plain memory instead.
 */
struct own *own_memory(void);

/* Whether forked children find zeros there, whatever their pid namespace calls them. */
int own_is_cleared_by_fork(const struct own *own);

#endif
