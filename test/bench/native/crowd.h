/* Threads that do nothing, for a process to have as many as a measurement asks for. */
#ifndef BENCH_CROWD_H
#define BENCH_CROWD_H

/* Starts idle threads until the process has `total` of them; returns how many there are. */
int crowd_grow(int total);

#endif
