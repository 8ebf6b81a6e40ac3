#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clock.h"
#include "exchange.h"
#include "record.h"
#include "routes.h"
#include "support.h"

static struct bytes request;
static int ours, peer;

/* Opens what serving needs, and a connection. */
static void open_all(void)
{
	static const struct options options = {.environment = "test", .user = "u", .hostname = "h"};
	int pair[2];

	ck_assert(exchange_open() && routes_open(&options));
	socket_pair(pair);
	ours = pair[0];
	peer = pair[1];
	request.length = 0;
}

/* Closes what is still open. */
static void close_all(void)
{
	routes_close();
	(void)close(peer);
}

/* Sends the request and serves it; returns whether the connection is kept. */
static bool serve(bool last)
{
	ck_assert_int_eq(send(peer, request.data, request.length, 0), request.length);
	return exchange_serve(ours, last);
}

/* Returns the text of the answer that lies in the peer's buffer. */
static const char *received(void)
{
	static char reply[200000], text[200000];
	ssize_t length = recv(peer, reply, sizeof(reply), 0);

	ck_assert_int_gt(length, 0);
	ck_assert(reply_text(reply, (size_t)length, text, sizeof(text)));
	return text;
}

/* Checks that the peer sees the end of the connection now, and that our side is closed. */
static void assert_closed(void)
{
	char byte;

	ck_assert_int_eq(recv(peer, &byte, 1, 0), 0);
	ck_assert_int_eq(fcntl(ours, F_GETFD), -1);
}

START_TEST(answers_and_keeps_if_the_peer_wants)
{
	for (int i = 0; i < 3; i++) {
		request.length = 0;
		bytes_request(&request, "GET", "/health", FCGI_KEEP_CONN);
		ck_assert(serve(false));
		ck_assert_str_eq(received(),
			"Status: 200 OK\r\nContent-Type: application/json\r\n"
			"Content-Length: 21\r\n\r\n{\"status\":\"healthy\"}\n");
	}
	(void)close(ours);
}
END_TEST

START_TEST(answers_and_closes_if_the_peer_wants)
{
	bytes_request(&request, "GET", "/nowhere", 0);
	ck_assert(!serve(false));
	ck_assert_ptr_nonnull(strstr(received(), "Status: 404 Not Found\r\n"));
	assert_closed();
}
END_TEST

START_TEST(closes_after_the_last)
{
	bytes_request(&request, "GET", "/health", FCGI_KEEP_CONN);
	ck_assert(!serve(true));
	ck_assert_ptr_nonnull(strstr(received(), "healthy"));
	assert_closed();
}
END_TEST

START_TEST(ends_as_the_protocol_says)
{
	const uint8_t end[] = {1, FCGI_STDOUT, 0, 1, 0, 0, 0, 0, 1, FCGI_END_REQUEST, 0, 1, 0, 8, 0, 0, 0, 0, 0, 0,
		FCGI_REQUEST_COMPLETE, 0, 0, 0};
	char reply[1000];

	bytes_request(&request, "HEAD", "/health", 0);
	ck_assert(!serve(false));
	ssize_t length = recv(peer, reply, sizeof(reply), 0);
	ck_assert_int_gt(length, (ssize_t)sizeof(end));
	ck_assert_mem_eq(reply + length - sizeof(end), end, sizeof(end));
}
END_TEST

START_TEST(skips_a_body)
{
	char body[8192];

	memset(body, 'b', sizeof(body));
	bytes_begin(&request, FCGI_RESPONDER, FCGI_KEEP_CONN);
	bytes_record(&request, FCGI_PARAMS, "\x0b\x07SCRIPT_NAME/health\x0e\x03REQUEST_METHODGET", 39);
	bytes_record(&request, FCGI_PARAMS, "", 0);
	bytes_record(&request, FCGI_STDIN, body, sizeof(body));
	bytes_record(&request, FCGI_STDIN, "", 0);
	ck_assert(serve(false));
	ck_assert_ptr_nonnull(strstr(received(), "healthy"));
	request.length = 0;
	bytes_request(&request, "GET", "/info", FCGI_KEEP_CONN);
	ck_assert(serve(false));
	ck_assert_ptr_nonnull(strstr(received(), "c_version"));
	(void)close(ours);
}
END_TEST

START_TEST(ignores_other_parameters)
{
	bytes_begin(&request, FCGI_RESPONDER, 0);
	bytes_record(&request, FCGI_PARAMS,
		"\x01\x01"
		"ab\x00\x00\x0e\x07REQUEST_METHODOPTIONS\x0b\x01SCRIPT_NAME/",
		43);
	bytes_record(&request, FCGI_PARAMS, "", 0);
	bytes_record(&request, FCGI_STDIN, "", 0);
	ck_assert(!serve(false));
	ck_assert_ptr_nonnull(strstr(received(), "Allow: GET, HEAD, OPTIONS\r\n"));
}
END_TEST

/* The look keeps these from libfcgi; if it ever lets one through, nothing may wait or break. */
START_TEST(never_waits_for_what_is_not_there)
{
	int64_t before = clock_ms();

	bytes_request(&request, "GET", "/", FCGI_KEEP_CONN);
	request.length -= FCGI_HEADER_LEN; /* no end of STDIN */
	ck_assert(!serve(false));
	ck_assert_int_eq(fcntl(ours, F_GETFD), -1);
	ck_assert_int_lt(clock_ms() - before, 100);
}
END_TEST

START_TEST(never_waits_for_a_request_cut_in_its_parameters)
{
	int64_t before = clock_ms();

	bytes_request(&request, "GET", "/", FCGI_KEEP_CONN);
	request.length = 30;
	ck_assert(!serve(false));
	ck_assert_int_eq(fcntl(ours, F_GETFD), -1);
	ck_assert_int_lt(clock_ms() - before, 100);
}
END_TEST

START_TEST(never_waits_for_a_peer_that_does_not_read)
{
	int64_t before = clock_ms();
	bool kept = true;

	for (int i = 0; kept && i < 10000; i++) {
		request.length = 0;
		bytes_request(&request, "GET", "/health", FCGI_KEEP_CONN);
		kept = serve(false);
	}
	ck_assert(!kept);
	ck_assert_int_eq(fcntl(ours, F_GETFD), -1);
	ck_assert_int_lt(clock_ms() - before, 5000);
}
END_TEST

START_TEST(closes_when_the_peer_is_gone)
{
	(void)signal(SIGPIPE, SIG_IGN);
	bytes_request(&request, "GET", "/health", FCGI_KEEP_CONN);
	ck_assert_int_eq(send(peer, request.data, request.length, 0), request.length);
	(void)close(peer);
	ck_assert(!exchange_serve(ours, false));
	ck_assert_int_eq(fcntl(ours, F_GETFD), -1);
}
END_TEST

/* The largest document there can be: two values of 4 KiB, each byte of which takes six. */
START_TEST(the_largest_answer_arrives_whole)
{
	static char value[4097];
	const struct options options = {.environment = value, .user = value, .hostname = value};

	memset(value, 1, sizeof(value) - 1);
	routes_close();
	ck_assert(routes_open(&options));
	bytes_request(&request, "GET", "/info", FCGI_KEEP_CONN);
	ck_assert(serve(false));
	const char *text = received();
	const char *body = strstr(text, "\r\n\r\n");
	ck_assert_ptr_nonnull(body);
	ck_assert_uint_gt(strlen(body), 2 * 6 * 4096);
	char line[64];
	ck_assert_int_gt(snprintf(line, sizeof(line), "Content-Length: %zu\r\n", strlen(body) - 4), 0);
	ck_assert_ptr_nonnull(strstr(text, line));
	(void)close(ours);
}
END_TEST

START_TEST(leaves_signals_alone_and_says_when_libfcgi_fails)
{
	struct sigaction action;

	(void)signal(SIGTERM, SIG_IGN);
	log_capture();
	fault_arm(FAULT_FCGX_INIT, 0, 1, 42);
	ck_assert(!exchange_open());
	ck_assert_ptr_nonnull(strstr(log_captured(), "cannot prepare libfcgi: error 42\n"));
	ck_assert(exchange_open());
	ck_assert_int_eq(sigaction(SIGTERM, NULL, &action), 0);
	ck_assert_ptr_eq((void *)action.sa_handler, (void *)SIG_IGN);
	ck_assert_int_eq(sigaction(SIGUSR1, NULL, &action), 0);
	ck_assert_ptr_eq((void *)action.sa_handler, (void *)SIG_DFL);
	(void)close(ours);
}
END_TEST

Suite *exchange_suite(void)
{
	const TTest *const tests[] = {answers_and_keeps_if_the_peer_wants, answers_and_closes_if_the_peer_wants,
		closes_after_the_last, ends_as_the_protocol_says, skips_a_body, ignores_other_parameters,
		never_waits_for_what_is_not_there, never_waits_for_a_request_cut_in_its_parameters,
		never_waits_for_a_peer_that_does_not_read, closes_when_the_peer_is_gone,
		the_largest_answer_arrives_whole, leaves_signals_alone_and_says_when_libfcgi_fails};

	return SUITE_WITH("exchange", tests, open_all, close_all);
}
