#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"
#include "listener.h"
#include "master.h"
#include "support.h"

static struct listener listener;
static pid_t master;
static int starts[2]; /* each worker writes its process id here */

/* Opens what a master is given. */
static void open_all(void)
{
	ck_assert(listener_open(&listener, temporary_path("socket")));
	ck_assert_int_eq(pipe2(starts, O_CLOEXEC), 0);
	log_capture();
}

/* Closes what is left. */
static void close_all(void)
{
	if (master > 0 && kill(master, SIGKILL) == 0)
		(void)wait_child(master);
	master = 0;
	(void)close(starts[0]);
	(void)close(starts[1]);
	listener_close(&listener);
	(void)rmdir(temporary_directory());
}

/* Starts a master in a process of its own. */
static void start(int workers, master_work *work)
{
	master = fork();
	ck_assert_int_ge(master, 0);
	if (master == 0)
		exit(master_run(listener.fd, workers, work));
}

/* Returns the process id of the next worker that has started, or 0 if there is none within ms. */
static pid_t next_worker(int ms)
{
	struct pollfd readable = {.fd = starts[0], .events = POLLIN};
	pid_t pid;

	if (poll(&readable, 1, ms) != 1)
		return 0;
	ck_assert_int_eq(read(starts[0], &pid, sizeof(pid)), sizeof(pid));
	return pid;
}

/* Tells the test that a worker has started. */
static void report(void)
{
	pid_t pid = getpid();

	ck_assert_int_eq(write(starts[1], &pid, sizeof(pid)), sizeof(pid));
}

/* Ends a master and returns its status. */
static int end(int signal)
{
	ck_assert_int_eq(kill(master, signal), 0);
	int status = wait_child(master);
	master = 0;
	return status;
}

/* A worker that waits, and ends on SIGTERM. */
static int wait_for_sigterm(int fd, int ready)
{
	sigset_t term;

	(void)fd;
	(void)sigemptyset(&term);
	(void)sigaddset(&term, SIGTERM);
	ck_assert_int_eq(write(ready, "", 1), 1);
	report();
	(void)sigwaitinfo(&term, NULL);
	return EXIT_SUCCESS;
}

/* A worker that waits and ends on SIGKILL only: SIGTERM is blocked, as the master left it. */
static int wait_for_ever(int fd, int ready)
{
	(void)fd;
	ck_assert_int_eq(write(ready, "", 1), 1);
	report();
	return pause();
}

/* A worker that fails before it waits. */
static int fail_at_once(int fd, int ready)
{
	(void)fd;
	(void)ready;
	report();
	return 3;
}

START_TEST(starts_as_many_as_told_and_ends_them)
{
	const int signals[] = {SIGTERM, SIGINT, SIGQUIT, SIGHUP};

	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
		start(3, wait_for_sigterm);
		pid_t last = 0;
		for (int j = 0; j < 3; j++)
			ck_assert_int_gt(last = next_worker(2000), 0);
		ck_assert_int_eq(next_worker(50), 0);
		int64_t before = clock_ms();
		ck_assert_int_eq(end(signals[i]), 0);
		ck_assert_int_lt(clock_ms() - before, 1000);
		ck_assert_int_eq(kill(last, 0), -1);
		close_all();
		open_all();
	}
}
END_TEST

START_TEST(replaces_a_worker_that_dies_at_once)
{
	start(1, wait_for_sigterm);
	for (int i = 0; i < 20; i++) {
		pid_t pid = next_worker(2000);
		ck_assert_int_gt(pid, 0);
		sleep_ms(5);
		ck_assert_int_eq(kill(pid, SIGKILL), 0);
	}
	ck_assert_int_gt(next_worker(50), 0);
	ck_assert_ptr_nonnull(strstr(log_captured(), "ended by signal 9 (Killed)\n"));
	ck_assert_int_eq(end(SIGTERM), 0);
}
END_TEST

START_TEST(puts_off_a_worker_that_died_before_it_waited)
{
	int count = 0;

	start(1, fail_at_once);
	int64_t before = clock_ms();
	while (clock_ms() - before < 1600 && next_worker(1600) > 0)
		count++;
	/* at 0, 100, 300, 700 and 1500 ms */
	ck_assert_int_ge(count, 4);
	ck_assert_int_le(count, 6);
	ck_assert_ptr_nonnull(strstr(log_captured(), "ended with status 3, before it served\n"));
	ck_assert_int_eq(end(SIGTERM), 0);
}
END_TEST

START_TEST(kills_workers_that_do_not_end)
{
	start(2, wait_for_ever);
	pid_t one = next_worker(2000);
	ck_assert_int_gt(one, 0);
	ck_assert_int_gt(next_worker(2000), 0);
	int64_t before = clock_ms();
	ck_assert_int_eq(end(SIGTERM), 256 * EXIT_FAILURE);
	ck_assert_int_ge(clock_ms() - before, MASTER_STOP_MS - 1);
	ck_assert_int_lt(clock_ms() - before, MASTER_STOP_MS + 200);
	ck_assert_ptr_nonnull(strstr(log_captured(), "killing 2 workers that did not end\n"));
}
END_TEST

START_TEST(takes_its_workers_along_when_it_is_killed)
{
	ck_assert_int_eq(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
	start(1, wait_for_sigterm);
	pid_t pid = next_worker(2000);
	ck_assert_int_gt(pid, 0);
	ck_assert_int_ne(end(SIGKILL), 0);
	ck_assert_int_eq(wait_child(pid), 0);
}
END_TEST

START_TEST(tries_again_when_it_cannot_fork)
{
	const enum fault faults[] = {FAULT_FORK, FAULT_PIPE2};

	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
		fault_arm(faults[i], faults[i] == FAULT_FORK ? 1 : 0, 2, EAGAIN);
		int64_t before = clock_ms();
		start(1, wait_for_sigterm);
		fault_arm(faults[i], 0, 0, 0);
		ck_assert_int_gt(next_worker(3000), 0);
		ck_assert_int_ge(clock_ms() - before, 2 * MASTER_BACKOFF_MS - 2);
		ck_assert_int_eq(end(SIGTERM), 0);
		ck_assert_ptr_nonnull(strstr(log_captured(), "cannot start a worker: "));
		close_all();
		open_all();
	}
}
END_TEST

START_TEST(a_worker_that_cannot_be_bound_to_it_ends)
{
	fault_arm(FAULT_PRCTL, 0, 1, EPERM);
	start(1, wait_for_sigterm);
	fault_arm(FAULT_PRCTL, 0, 0, 0);
	ck_assert_int_eq(next_worker(300), 0); /* each new one inherits the fault */
	ck_assert_int_eq(end(SIGTERM), 0);
	ck_assert_ptr_nonnull(strstr(log_captured(), "ended with status 1, before it served\n"));
}
END_TEST

/* A worker that accepts what lies in the queue when it starts, and ends. */
static int answer_queue(int fd, int ready)
{
	int client = accept(fd, NULL, NULL);

	if (client < 0)
		return fail_at_once(fd, ready);
	report();
	return write(client, "x", 1) == 1 ? EXIT_SUCCESS : EXIT_FAILURE;
}

START_TEST(what_lies_in_the_queue_is_answered_although_no_worker_is_left)
{
	char byte;

	start(1, answer_queue);
	for (int i = 0; i < 4; i++) /* the next one is put off by 800 ms */
		ck_assert_int_gt(next_worker(2000), 0);
	sleep_ms(100); /* it has told before it is gone */
	int client = listener_connect(listener.path);
	ck_assert_int_ge(client, 0);
	ck_assert_int_eq(end(SIGTERM), 0);
	ck_assert_int_eq(recv(client, &byte, 1, 0), 1);
	(void)close(client);
}
END_TEST

START_TEST(says_why_it_cannot_run)
{
	fault_arm(FAULT_SIGPROCMASK, 0, 1, EINVAL);
	ck_assert_int_eq(master_run(listener.fd, 1, wait_for_sigterm), EXIT_FAILURE);
	ck_assert_ptr_nonnull(strstr(log_captured(), "cannot set up signals: Invalid argument\n"));
}
END_TEST

Suite *master_suite(void)
{
	const TTest *const tests[] = {starts_as_many_as_told_and_ends_them, replaces_a_worker_that_dies_at_once,
		puts_off_a_worker_that_died_before_it_waited, kills_workers_that_do_not_end,
		takes_its_workers_along_when_it_is_killed, tries_again_when_it_cannot_fork,
		a_worker_that_cannot_be_bound_to_it_ends, what_lies_in_the_queue_is_answered_although_no_worker_is_left,
		says_why_it_cannot_run};

	return SUITE_WITH("master", tests, open_all, close_all);
}
