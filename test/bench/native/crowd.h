/* Idle threads, to reach the number of threads that a measurement needs. */
#ifndef BENCH_CROWD_H
#define BENCH_CROWD_H

/* Starts idle threads until the process has `total`; returns how many there are. */
int crowd_grow(int total);

#endif
