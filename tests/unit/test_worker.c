#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"
#include "exchange.h"
#include "listener.h"
#include "look.h"
#include "record.h"
#include "routes.h"
#include "support.h"
#include "worker.h"

static struct listener listener;
static struct bytes request;
static pid_t worker;
static int ready[2];

/* Opens what a worker is given. */
static void open_all(void)
{
	static const struct options options = {.environment = "test", .user = "u", .hostname = "h"};
	sigset_t term;

	(void)signal(SIGPIPE, SIG_IGN);
	(void)sigemptyset(&term);
	(void)sigaddset(&term, SIGTERM);
	ck_assert_int_eq(sigprocmask(SIG_BLOCK, &term, NULL), 0);
	ck_assert(exchange_open() && routes_open(&options));
	ck_assert(listener_open(&listener, temporary_path("socket")));
	ck_assert_int_eq(pipe2(ready, O_CLOEXEC), 0);
	request.length = 0;
	bytes_request(&request, "GET", "/health", FCGI_KEEP_CONN);
	log_capture();
}

/* Closes what is left. */
static void close_all(void)
{
	if (worker > 0 && kill(worker, SIGTERM) == 0)
		(void)wait_child(worker);
	worker = 0;
	(void)close(ready[0]);
	(void)close(ready[1]);
	listener_close(&listener);
	routes_close();
	(void)rmdir(temporary_directory());
}

/* Starts a worker and waits until it says that it is about to wait. */
static void start(unsigned stuck_s, connections_serve *serve)
{
	const struct worker settings = {listener.fd, ready[1], stuck_s, serve};
	char byte;

	worker = fork();
	ck_assert_int_ge(worker, 0);
	if (worker == 0)
		exit(worker_run(&settings));
	ck_assert_int_eq(read(ready[0], &byte, 1), 1);
}

/* Connects to the worker. */
static int join(void)
{
	int fd = listener_connect(listener.path);

	ck_assert_int_ge(fd, 0);
	return fd;
}

/* Sends the request. */
static void ask(int fd)
{
	ck_assert_int_eq(send(fd, request.data, request.length, 0), request.length);
}

/* Checks that an answer comes. */
static void assert_answered(int fd)
{
	char reply[1000], text[1000];
	size_t length = 0;

	do {
		struct pollfd readable = {.fd = fd, .events = POLLIN};
		ck_assert_int_eq(poll(&readable, 1, 3000), 1);
		ssize_t more = recv(fd, reply + length, sizeof(reply) - length, 0);
		ck_assert_int_gt(more, 0);
		length += (size_t)more;
	} while (!reply_text(reply, length, text, sizeof(text)));
	ck_assert_ptr_nonnull(strstr(text, "healthy"));
}

START_TEST(serves_many_connections_at_once)
{
	int fds[100];

	start(WORKER_STUCK_S, exchange_serve);
	for (int i = 0; i < 100; i++)
		fds[i] = join();
	for (int round = 0; round < 2; round++) {
		for (int i = 0; i < 100; i++)
			ask(fds[i]);
		for (int i = 0; i < 100; i++)
			assert_answered(fds[i]);
	}
	for (int i = 0; i < 100; i++)
		(void)close(fds[i]);
}
END_TEST

START_TEST(sigterm_ends_it_after_all_that_was_sent)
{
	int fds[50], idle;

	start(WORKER_STUCK_S, exchange_serve);
	idle = join();
	ask(idle);
	assert_answered(idle);
	ck_assert_int_eq(kill(worker, SIGSTOP), 0);
	for (int i = 0; i < 50; i++) { /* these lie in the queue, not accepted yet */
		fds[i] = join();
		ask(fds[i]);
	}
	ask(idle);
	ck_assert_int_eq(kill(worker, SIGTERM) | kill(worker, SIGCONT), 0);
	assert_answered(idle);
	for (int i = 0; i < 50; i++)
		assert_answered(fds[i]);
	ck_assert_int_eq(wait_child(worker), 0);
	worker = 0;
	for (int i = 0; i < 50; i++)
		(void)close(fds[i]);
	(void)close(idle);
}
END_TEST

START_TEST(a_listener_that_is_shut_ends_it_in_the_same_way)
{
	start(WORKER_STUCK_S, exchange_serve);
	ck_assert_int_eq(kill(worker, SIGSTOP), 0);
	int fd = join();
	ask(fd);
	ck_assert_int_eq(shutdown(listener.fd, SHUT_RDWR), 0);
	ck_assert_int_eq(listener_connect(listener.path), -1);
	ck_assert_int_eq(kill(worker, SIGCONT), 0);
	assert_answered(fd);
	ck_assert_int_eq(wait_child(worker), 0);
	worker = 0;
	(void)close(fd);
}
END_TEST

/* Never ends. */
static bool hang(int fd, bool last)
{
	(void)fd;
	(void)last;
	return pause() == 0;
}

START_TEST(a_pass_that_hangs_ends_it_by_alarm)
{
	int64_t before = clock_ms();

	start(1, hang);
	int fd = join();
	ask(fd);
	int status = wait_child(worker);
	worker = 0;
	ck_assert(WIFSIGNALED(status));
	ck_assert_int_eq(WTERMSIG(status), SIGALRM);
	ck_assert_int_ge(clock_ms() - before, 900);
	(void)close(fd);
}
END_TEST

START_TEST(waiting_is_not_hanging)
{
	start(1, exchange_serve);
	int fd = join();
	ask(fd);
	assert_answered(fd);
	sleep_ms(1500);
	ask(fd);
	assert_answered(fd);
	(void)close(fd);
}
END_TEST

/* Keeps the connection open without ever reading from it. */
static bool keep(int fd, bool last)
{
	(void)fd;
	(void)last;
	return true;
}

START_TEST(gives_up_what_does_not_drain)
{
	start(WORKER_STUCK_S, keep);
	int fd = join();
	ask(fd);
	sleep_ms(50);
	int64_t before = clock_ms();
	ck_assert_int_eq(kill(worker, SIGTERM), 0);
	ck_assert_int_eq(wait_child(worker), 256 * EXIT_FAILURE);
	worker = 0;
	ck_assert_int_ge(clock_ms() - before, WORKER_DRAIN_MS - 1);
	ck_assert_int_lt(clock_ms() - before, 1000);
	ck_assert_ptr_nonnull(strstr(log_captured(), "worker gives up 1 connections\n"));
	(void)close(fd);
}
END_TEST

/* With as many descriptors as there are, and one more client: it is served once another has gone. */
START_TEST(waits_out_a_lack_of_descriptors)
{
	struct rlimit before;
	int fds[20];

	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &before), 0);
	int free_fd = dup(0);
	(void)close(free_fd);
	const struct rlimit few = {(rlim_t)free_fd + 2 + 10, before.rlim_max}; /* epoll, signalfd, ten clients */
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &few), 0);
	start(WORKER_STUCK_S, exchange_serve);
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &before), 0);
	for (int i = 0; i < 20; i++) {
		fds[i] = join();
		ask(fds[i]);
	}
	assert_answered(fds[0]);
	struct pollfd last = {.fd = fds[19], .events = POLLIN};
	ck_assert_int_eq(poll(&last, 1, 500), 0);
	ck_assert_ptr_nonnull(strstr(log_captured(), "cannot accept: Too many open files; pausing\n"));
	for (int i = 0; i < 10; i++)
		(void)close(fds[i]);
	for (int i = 10; i < 20; i++)
		assert_answered(fds[i]);
	for (int i = 10; i < 20; i++)
		(void)close(fds[i]);
}
END_TEST

START_TEST(goes_on_after_a_client_that_was_faster_away)
{
	const int errors[] = {EAGAIN, EINTR, ECONNABORTED};

	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
		fault_arm(FAULT_ACCEPT4, 0, 1, errors[i]);
		start(WORKER_STUCK_S, exchange_serve);
		int fd = join();
		ask(fd);
		assert_answered(fd);
		(void)close(fd);
		ck_assert_int_eq(kill(worker, SIGTERM), 0);
		ck_assert_int_eq(wait_child(worker), 0);
		worker = 0;
	}
	ck_assert_str_eq(log_captured(), "");
}
END_TEST

/* Runs a worker here that must not come to its first wait; returns its exit status. */
static int run_badly(void)
{
	int spare[2];

	ck_assert_int_eq(pipe2(spare, O_CLOEXEC), 0);
	int status = worker_run(&(struct worker){listener.fd, spare[1], 1, exchange_serve});
	(void)close(spare[0]);
	(void)close(spare[1]);
	return status;
}

START_TEST(says_why_it_cannot_start)
{
	fault_arm(FAULT_EPOLL_CREATE1, 0, 1, EMFILE);
	ck_assert_int_eq(run_badly(), EXIT_FAILURE);
	ck_assert_ptr_nonnull(strstr(log_captured(), "worker cannot start: "));
	fault_arm(FAULT_CALLOC, 0, 1, ENOMEM);
	ck_assert_int_eq(run_badly(), EXIT_FAILURE);
	for (int after = 0; after < 2; after++) {
		fault_arm(FAULT_EPOLL_CTL, after, 1, ENOSPC);
		ck_assert_int_eq(run_badly(), EXIT_FAILURE);
		ck_assert_ptr_nonnull(strstr(log_captured(), "worker cannot start: No space left on device\n"));
	}
	fault_arm(FAULT_WRITE, 0, 1, EPIPE);
	ck_assert_int_eq(run_badly(), EXIT_FAILURE);
	ck_assert_ptr_nonnull(strstr(log_captured(), "worker cannot report to its master: Broken pipe\n"));
	fault_arm(FAULT_EPOLL_WAIT, 0, 1, EBADF);
	ck_assert_int_eq(run_badly(), EXIT_FAILURE);
	ck_assert_ptr_nonnull(strstr(log_captured(), "worker cannot wait: Bad file descriptor\n"));
}
END_TEST

START_TEST(pauses_again_when_it_cannot_listen_yet)
{
	fault_arm(FAULT_ACCEPT4, 0, 1, EMFILE);
	fault_arm(FAULT_EPOLL_CTL, 3, 1, ENOMEM); /* signals, listener, its removal; then its return */
	start(WORKER_STUCK_S, exchange_serve);
	int fd = join();
	ask(fd);
	assert_answered(fd);
	(void)close(fd);
}
END_TEST

Suite *worker_suite(void)
{
	const TTest *const tests[] = {serves_many_connections_at_once, sigterm_ends_it_after_all_that_was_sent,
		a_listener_that_is_shut_ends_it_in_the_same_way, a_pass_that_hangs_ends_it_by_alarm,
		waiting_is_not_hanging, gives_up_what_does_not_drain, goes_on_after_a_client_that_was_faster_away,
		says_why_it_cannot_start, pauses_again_when_it_cannot_listen_yet};

	const TTest *const of_limits[] = {waits_out_a_lack_of_descriptors};
	Suite *suite = SUITE_WITH("worker", tests, open_all, close_all);

	if (!leave_out_if(under_valgrind(), 1, "valgrind keeps some descriptors to itself"))
		suite_add_tcase(suite, CASE_WITH("limits", of_limits, open_all, close_all));
	return suite;
}
