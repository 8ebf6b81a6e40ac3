#include "master.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"
#include "log.h"
#include "options.h"

/* A place for one worker. */
struct place {
	pid_t pid; /* 0: empty */
	int ready; /* the worker writes a byte into it before it first waits */
	int64_t start; /* when to fill an empty place */
	int backoff_ms;
};

struct master {
	int listener;
	int count;
	master_work *work;
	sigset_t signals;
	struct place places[OPTIONS_WORKERS_MAX];
};

/* Blocks the signals that the master waits for; workers inherit that. */
static bool block_signals(struct master *master)
{
	static const int waited_for[] = {SIGCHLD, SIGTERM, SIGINT, SIGQUIT, SIGHUP};

	(void)sigemptyset(&master->signals);
	for (size_t i = 0; i < sizeof(waited_for) / sizeof(waited_for[0]); i++)
		(void)sigaddset(&master->signals, waited_for[i]);
	/*
	 * Whoever started this may have left SIGCHLD ignored: children would vanish then. A write to a peer that is gone
	 * is an error to be handled, not a reason to die.
	 */
	return sigprocmask(SIG_BLOCK, &master->signals, NULL) == 0 && signal(SIGCHLD, SIG_DFL) != SIG_ERR &&
		signal(SIGPIPE, SIG_IGN) != SIG_ERR && signal(SIGUSR1, SIG_IGN) != SIG_ERR;
}

/* Empties a place and puts off its next worker. */
static void vacate(struct place *place, bool waited)
{
	(void)close(place->ready);
	place->pid = 0;
	if (waited)
		place->backoff_ms = 0;
	else if (place->backoff_ms == 0)
		place->backoff_ms = MASTER_BACKOFF_MS;
	else if (place->backoff_ms < MASTER_BACKOFF_MAX_MS)
		place->backoff_ms *= 2;
	place->start = clock_ms() + place->backoff_ms;
}

/* Becomes a worker; never returns. */
static void become_worker(struct master *master, pid_t parent, int ready)
{
	/* A master that is killed takes its workers along, also one that died before this line. */
	if (prctl(PR_SET_PDEATHSIG, SIGTERM) != 0 || getppid() != parent)
		exit(EXIT_FAILURE);
	for (int i = 0; i < master->count; i++)
		if (master->places[i].pid != 0)
			(void)close(master->places[i].ready);
	exit(master->work(master->listener, ready));
}

/* Forks a worker into a place. */
static void fill(struct master *master, struct place *place)
{
	int ready[2];
	pid_t parent = getpid();

	if (pipe2(ready, O_CLOEXEC) != 0) {
		log_line("cannot start a worker: %s", strerror(errno));
		place->start = clock_ms() + MASTER_BACKOFF_MS;
		return;
	}
	place->ready = ready[0];
	pid_t pid = fork();
	if (pid == 0) {
		(void)close(ready[0]);
		become_worker(master, parent, ready[1]);
	}
	(void)close(ready[1]);
	if (pid < 0) {
		log_line("cannot start a worker: %s", strerror(errno));
		vacate(place, false);
		return;
	}
	place->pid = pid;
}

/* Fills the places whose time has come; returns the milliseconds until the next will, or -1 if none is empty. */
static int fill_places(struct master *master)
{
	int wait_ms = -1;

	for (int i = 0; i < master->count; i++) {
		struct place *place = &master->places[i];
		if (place->pid == 0 && place->start <= clock_ms())
			fill(master, place);
		if (place->pid != 0)
			continue;
		int until = clock_until(clock_ms(), place->start);
		if (wait_ms < 0 || until < wait_ms)
			wait_ms = until;
	}
	return wait_ms;
}

/* Says how a worker ended. */
static void log_end(pid_t pid, int status, bool waited)
{
	const char *when = waited ? "" : ", before it served";

	if (WIFSIGNALED(status))
		log_line("worker %d ended by signal %d (%s)%s", (int)pid, WTERMSIG(status), strsignal(WTERMSIG(status)),
			when);
	else
		log_line("worker %d ended with status %d%s", (int)pid, WEXITSTATUS(status), when);
}

/* Empties the places of the workers that have ended. */
static void reap(struct master *master)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		for (int i = 0; i < master->count; i++) {
			struct place *place = &master->places[i];
			char byte;
			if (place->pid != pid)
				continue;
			bool waited = read(place->ready, &byte, 1) == 1;
			log_end(pid, status, waited);
			vacate(place, waited);
		}
	}
}

/* Waits for a signal; returns it, or 0 after wait_ms (-1: no limit). */
static int wait_signal(const struct master *master, int wait_ms)
{
	struct timespec limit = {.tv_sec = wait_ms / 1000, .tv_nsec = wait_ms % 1000 * 1000000L};
	int signal = wait_ms < 0 ? sigwaitinfo(&master->signals, NULL) : sigtimedwait(&master->signals, NULL, &limit);

	return signal > 0 ? signal : 0;
}

/* Signals all workers; returns how many there are. */
static int signal_workers(const struct master *master, int signal)
{
	int count = 0;

	for (int i = 0; i < master->count; i++)
		if (master->places[i].pid != 0 && kill(master->places[i].pid, signal) == 0)
			count++;
	return count;
}

/* Lets the workers finish, and kills those that have not after a while; returns how many had to be. */
static int stop(struct master *master)
{
	int64_t limit = clock_ms() + MASTER_STOP_MS;

	/* Somebody has to answer what lies in the queue. */
	if (signal_workers(master, 0) == 0)
		fill(master, &master->places[0]);
	/* From here on nobody can connect; who has connected is still accepted, by a worker that drains. */
	(void)shutdown(master->listener, SHUT_RDWR);
	int left = signal_workers(master, SIGTERM);
	while (left > 0 && clock_ms() < limit) {
		(void)wait_signal(master, clock_until(clock_ms(), limit));
		reap(master);
		left = signal_workers(master, 0);
	}
	if (left > 0)
		log_line("killing %d workers that did not end", left);
	return signal_workers(master, SIGKILL);
}

/* Keeps the workers running until a signal ends it. */
int master_run(int listener, int workers, master_work *work)
{
	struct master master = {.listener = listener, .count = workers, .work = work};
	int signal = SIGCHLD;

	if (!block_signals(&master)) {
		log_line("cannot set up signals: %s", strerror(errno));
		return EXIT_FAILURE;
	}
	while (signal == SIGCHLD || signal == 0) {
		signal = wait_signal(&master, fill_places(&master));
		reap(&master);
	}
	log_line("ending on %s", strsignal(signal));
	return stop(&master) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
