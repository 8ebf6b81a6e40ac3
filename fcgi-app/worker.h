/*
 * A worker: one process, one epoll loop, many connections, no waiting for any of them. It ends on SIGTERM, or when the
 * listening socket has been shut down: it answers what has been sent by then, and exits.
 */
#ifndef WORKER_H
#define WORKER_H

#include "connections.h"

enum {
	WORKER_STUCK_S = 10, /* a pass of the loop that takes longer ends the worker, by SIGALRM */
	WORKER_DRAIN_MS = 800, /* at most from SIGTERM to exit */
	WORKER_PAUSE_MS = 100 /* no accept after one that found no descriptor or memory left */
};

struct worker {
	int listener; /* non-blocking, shared by all workers */
	int ready; /* gets one byte, and is closed, before the worker waits for the first time */
	unsigned stuck_s;
	connections_serve *serve;
};

/*
 * Runs until told to end; SIGTERM must be blocked. Returns the exit status: 0, or 1 if it could not start or was not
 * done in time, with a log line.
 */
int worker_run(const struct worker *worker);

#endif
