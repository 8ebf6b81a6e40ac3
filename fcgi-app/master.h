/*
 * The master: holds the listening socket, forks the workers and replaces those that die. It never serves. It waits for
 * signals only: SIGCHLD, and SIGTERM, SIGINT, SIGQUIT and SIGHUP, which all end it in good order within a second.
 */
#ifndef MASTER_H
#define MASTER_H

enum {
	MASTER_STOP_MS = 950, /* from the signal until workers that are left are killed */
	MASTER_BACKOFF_MS = 100, /* after a worker that died before it first waited; doubled for each in a row */
	MASTER_BACKOFF_MAX_MS = 3200
};

/* What a worker process runs; returns its exit status. ready: see worker.h, to be passed on. */
typedef int master_work(int listener, int ready);

/* Runs until told to end, and takes the listening socket out of service. Returns the exit status, 0 or 1. */
int master_run(int listener, int workers, master_work *work);

#endif
