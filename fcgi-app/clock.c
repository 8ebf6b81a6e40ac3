#include "clock.h"

#include <limits.h>
#include <time.h>

/* Returns the milliseconds since an arbitrary moment in the past. */
int64_t clock_ms(void)
{
	struct timespec now;

	/* CLOCK_MONOTONIC is always there on Linux, and the address is ours: this cannot fail. */
	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Returns how long to wait at now for then. */
int clock_until(int64_t now, int64_t then)
{
	if (then <= now)
		return 0;
	return then - now > INT_MAX ? INT_MAX : (int)(then - now);
}
