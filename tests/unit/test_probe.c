#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "clock.h"
#include "exchange.h"
#include "listener.h"
#include "probe.h"
#include "record.h"
#include "routes.h"
#include "support.h"

static struct listener listener;
static pid_t server;

/* Listens, and captures the log. */
static void open_all(void)
{
	log_capture();
	ck_assert(listener_open(&listener, temporary_path("socket")));
}

/* Ends the server and removes the socket. */
static void close_all(void)
{
	if (server > 0 && kill(server, SIGKILL) == 0)
		(void)wait_child(server);
	server = 0;
	listener_close(&listener);
	(void)rmdir(temporary_directory());
}

/* Accepts one connection, waits for the request, replies and closes, in a process of its own. */
static void serve_once(const struct bytes *reply)
{
	server = fork();
	ck_assert_int_ge(server, 0);
	if (server != 0)
		return;
	int fd;
	while ((fd = accept(listener.fd, NULL, NULL)) < 0)
		sleep_ms(1);
	sleep_ms(20);
	if (reply && send(fd, reply->data, reply->length, MSG_NOSIGNAL) < 0)
		_exit(1);
	if (!reply)
		sleep_ms(10000);
	char request[1000];
	(void)recv(fd, request, sizeof(request), 0);
	_exit(0);
}

/* Checks that a reply with this text is unhealthy, and what the log says. */
static void assert_unhealthy(const struct bytes *reply, const char *text)
{
	serve_once(reply);
	ck_assert(!probe_health(listener.path));
	ck_assert_ptr_nonnull(strstr(log_captured(), text));
}

/* Makes a reply of one STDOUT record. */
static const struct bytes *reply_of(const char *text)
{
	static struct bytes reply;

	reply.length = 0;
	bytes_record(&reply, FCGI_STDOUT, text, strlen(text));
	return &reply;
}

START_TEST(a_real_answer_is_healthy)
{
	const struct options options = {.environment = "", .user = "", .hostname = ""};

	ck_assert(exchange_open() && routes_open(&options));
	server = fork();
	if (server == 0) {
		int fd;
		while ((fd = accept4(listener.fd, NULL, NULL, SOCK_NONBLOCK)) < 0)
			sleep_ms(1);
		sleep_ms(50);
		_exit(exchange_serve(fd, false));
	}
	ck_assert(probe_health(listener.path));
	ck_assert_int_eq(wait_child(server), 0);
	ck_assert_str_eq(log_captured(), "");
	server = 0;
	routes_close();
}
END_TEST

START_TEST(other_answers_are_not)
{
	static const char *const texts[] = {
		"",
		"Status: 200 OK\r\n\r\n",
		"Status: 503 No\r\nContent-Length: 21\r\n\r\n{\"status\":\"healthy\"}\n",
		"Status: 200 OK\r\nContent-Length: 23\r\n\r\n{\"status\":\"unhealthy\"}\n",
		"Status: 200 OK\r\nContent-Length: 22\r\n\r\n{\"status\":\"healthy\"}\n\n",
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		assert_unhealthy(reply_of(texts[i]), "not the answer of a healthy responder\n");
}
END_TEST

START_TEST(broken_replies_are_not)
{
	static struct bytes reply;

	assert_unhealthy(&reply, "not the answer of a healthy responder\n"); /* nothing at all */
	bytes_add(&reply, "\2\6\0\1\0\0\0\0", 8);
	assert_unhealthy(&reply, "not the answer of a healthy responder\n"); /* another version */
	reply.length = 0;
	bytes_header(&reply, FCGI_END_REQUEST, 1, 8, 0);
	assert_unhealthy(&reply, "not the answer of a healthy responder\n"); /* no STDOUT */
	reply.length = 0;
	bytes_header(&reply, FCGI_STDOUT, 1, 100, 0);
	reply.length -= 50;
	assert_unhealthy(&reply, "not the answer of a healthy responder\n"); /* cut off */
	reply.length = 0;
	bytes_header(&reply, FCGI_STDOUT, 1, 8000, 0);
	assert_unhealthy(&reply, "not the answer of a healthy responder\n"); /* too long */
}
END_TEST

START_TEST(silence_is_unhealthy_after_two_seconds)
{
	int64_t before = clock_ms();

	assert_unhealthy(NULL, "Connection timed out\n");
	ck_assert_int_ge(clock_ms() - before, PROBE_LIMIT_MS);
	ck_assert_int_lt(clock_ms() - before, PROBE_LIMIT_MS + 1000);
}
END_TEST

START_TEST(nobody_there_is_unhealthy)
{
	(void)close(listener.fd);
	ck_assert(!probe_health(listener.path));
	ck_assert_ptr_nonnull(strstr(log_captured(), "Connection refused\n"));
	ck_assert(!probe_health(temporary_path("missing")));
	ck_assert_ptr_nonnull(strstr(log_captured(), "No such file or directory\n"));
}
END_TEST

/* Does nothing: a signal that comes is enough. */
static void on_alarm(int number)
{
	(void)number;
}

START_TEST(errors_while_reading_are_unhealthy)
{
	const struct itimerval soon = {.it_value = {.tv_usec = 50000}};

	server = fork();
	if (server == 0) { /* closes with the request unread: that resets the connection */
		int fd;
		while ((fd = accept(listener.fd, NULL, NULL)) < 0)
			sleep_ms(1);
		sleep_ms(20);
		_exit(close(fd));
	}
	ck_assert(!probe_health(listener.path));
	ck_assert_ptr_nonnull(strstr(log_captured(), "Connection reset by peer\n"));
	ck_assert_int_eq(wait_child(server), 0);
	ck_assert_ptr_ne((void *)signal(SIGALRM, on_alarm), (void *)SIG_ERR);
	ck_assert_int_eq(setitimer(ITIMER_REAL, &soon, NULL), 0);
	assert_unhealthy(NULL, "Interrupted system call\n");
}
END_TEST

Suite *probe_suite(void)
{
	const TTest *const tests[] = {a_real_answer_is_healthy, other_answers_are_not, broken_replies_are_not,
		silence_is_unhealthy_after_two_seconds, nobody_there_is_unhealthy, errors_while_reading_are_unhealthy};

	return SUITE_WITH("probe", tests, open_all, close_all);
}
