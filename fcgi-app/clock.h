/* Monotonic time, in milliseconds: for limits and pauses, unmoved when somebody sets the clock. */
#ifndef CLOCK_H
#define CLOCK_H

#include <stdint.h>

int64_t clock_ms(void);

/* Milliseconds from now until then, in the form poll(2) and epoll_wait(2) take: never negative. */
int clock_until(int64_t now, int64_t then);

#endif
