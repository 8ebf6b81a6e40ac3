#include "worker.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clock.h"
#include "log.h"

enum { EVENTS = 64 };

struct loop {
	const struct worker *worker;
	int epoll;
	int signals;
	struct connections *connections;
	bool listening; /* epoll watches the listener */
	int64_t resume; /* when to listen again after a pause; INT64_MAX: not pausing */
	int64_t drain_limit; /* when to give up draining; INT64_MAX: not draining */
};

/* Watches a descriptor that is not a connection; mark, an address in the loop, tells which. */
static bool watch(struct loop *loop, int fd, void *mark, uint32_t events)
{
	struct epoll_event event = {.events = events, .data.ptr = mark};

	return epoll_ctl(loop->epoll, EPOLL_CTL_ADD, fd, &event) == 0;
}

/* Listens. A new connection wakes one worker, not all. */
static bool listen_on(struct loop *loop)
{
	loop->listening = watch(loop, loop->worker->listener, &loop->listening, EPOLLIN | EPOLLEXCLUSIVE);
	loop->resume = INT64_MAX;
	return loop->listening;
}

/* Stops listening. */
static void listen_off(struct loop *loop)
{
	if (loop->listening)
		(void)epoll_ctl(loop->epoll, EPOLL_CTL_DEL, loop->worker->listener, NULL);
	loop->listening = false;
	loop->resume = INT64_MAX;
}

/* Opens what the loop needs; false, with a log line, if that fails. */
static bool loop_open(struct loop *loop)
{
	sigset_t term;

	(void)sigemptyset(&term);
	(void)sigaddset(&term, SIGTERM);
	(void)signal(SIGALRM, SIG_DFL); /* it is to kill, whatever whoever started this has left */
	loop->epoll = epoll_create1(EPOLL_CLOEXEC);
	loop->signals = signalfd(-1, &term, SFD_NONBLOCK | SFD_CLOEXEC);
	loop->connections = connections_new(loop->epoll, loop->worker->serve);
	if (loop->epoll >= 0 && loop->signals >= 0 && loop->connections &&
		watch(loop, loop->signals, &loop->signals, EPOLLIN) && listen_on(loop))
		return true;
	log_line("worker cannot start: %s", strerror(errno));
	return false;
}

/* Closes what loop_open opened, as far as it came. */
static void loop_close(struct loop *loop)
{
	connections_free(loop->connections);
	if (loop->signals >= 0)
		(void)close(loop->signals);
	if (loop->epoll >= 0)
		(void)close(loop->epoll);
}

/* Tells the master that the worker is about to wait for the first time. */
static bool announce(int ready)
{
	bool told = write(ready, "", 1) == 1;

	if (close(ready) != 0 || !told)
		log_line("worker cannot report to its master: %s", strerror(errno));
	return told;
}

/* Accepts one connection; errno tells why not. */
static bool accept_one(struct loop *loop, int64_t now)
{
	int fd = accept4(loop->worker->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

	if (fd < 0)
		return false;
	connections_add(loop->connections, fd, now);
	return true;
}

/* Takes all that wait in the listener's queue, then nothing more from anybody. */
static void drain(struct loop *loop, int64_t now)
{
	if (loop->drain_limit != INT64_MAX)
		return;
	listen_off(loop);
	while (accept_one(loop, now))
		;
	connections_drain(loop->connections);
	loop->drain_limit = now + WORKER_DRAIN_MS;
}

/* Accepts one connection, so that the others are left to the other workers. */
static void accept_next(struct loop *loop, int64_t now)
{
	if (accept_one(loop, now))
		return;
	switch (errno) {
	case EAGAIN: /* another worker was faster */
	case EINTR:
	case ECONNABORTED:
		return;
	default: /* no descriptor or memory: wait it out, a level-triggered epoll would spin on it */
		log_line("cannot accept: %s; pausing", strerror(errno));
		listen_off(loop);
		loop->resume = now + WORKER_PAUSE_MS;
	}
}

/* Handles one event. */
static void handle(struct loop *loop, const struct epoll_event *event, int64_t now)
{
	bool shut = event->data.ptr == &loop->listening && event->events & EPOLLHUP;

	if (event->data.ptr == &loop->signals || shut)
		drain(loop, now);
	else if (event->data.ptr != &loop->listening)
		connections_handle(loop->connections, event->data.ptr, event->events, now);
	else if (loop->listening)
		accept_next(loop, now);
}

/* Does what is due by the clock. */
static void handle_time(struct loop *loop, int64_t now)
{
	connections_expire(loop->connections, now);
	if (loop->resume <= now && !listen_on(loop))
		loop->resume = now + WORKER_PAUSE_MS;
}

/* Returns how long to wait for events, in epoll_wait's form. */
static int patience(const struct loop *loop, int64_t now)
{
	int64_t next = connections_next_limit(loop->connections);

	if (loop->resume < next)
		next = loop->resume;
	if (loop->drain_limit < next)
		next = loop->drain_limit;
	return next == INT64_MAX ? -1 : clock_until(now, next);
}

/* Waits, and handles what came: one pass. */
static bool pass(struct loop *loop)
{
	struct epoll_event events[EVENTS];
	int count = epoll_wait(loop->epoll, events, EVENTS, patience(loop, clock_ms()));

	if (count < 0 && errno != EINTR) {
		log_line("worker cannot wait: %s", strerror(errno));
		return false;
	}
	(void)alarm(loop->worker->stuck_s);
	int64_t now = clock_ms();
	for (int i = 0; i < count; i++)
		handle(loop, &events[i], now);
	handle_time(loop, now);
	(void)alarm(0);
	return true;
}

/* Tells whether the loop has drained, or may no longer take the time to. */
static bool is_over(const struct loop *loop)
{
	if (loop->drain_limit == INT64_MAX)
		return false;
	return connections_count(loop->connections) == 0 || clock_ms() >= loop->drain_limit;
}

/* Runs the loop of one worker. */
int worker_run(const struct worker *worker)
{
	struct loop loop = {.worker = worker, .resume = INT64_MAX, .drain_limit = INT64_MAX};
	bool well = loop_open(&loop) && announce(worker->ready);

	while (well && !is_over(&loop))
		well = pass(&loop);
	if (well && connections_count(loop.connections) > 0) {
		log_line("worker gives up %zu connections", connections_count(loop.connections));
		well = false;
	}
	loop_close(&loop);
	return well ? EXIT_SUCCESS : EXIT_FAILURE;
}
