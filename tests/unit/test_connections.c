#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "connections.h"
#include "look.h"
#include "record.h"
#include "support.h"

enum { NOW = 1000000 };

static struct connections *set;
static struct bytes request;
static int epoll, ours, peer;
static int served;
static bool served_last, keep;

/* Takes the request off the socket, as a server would, and counts it. */
static bool fake_serve(int fd, bool last)
{
	char taken[LOOK_MAX];

	ck_assert_int_gt(recv(fd, taken, sizeof(taken), 0), 0);
	served++;
	served_last = last;
	if (keep && !last)
		return true;
	ck_assert_int_eq(close(fd), 0);
	return false;
}

/* Makes a set with one connection in it. */
static void open_all(void)
{
	int pair[2];

	log_capture();
	request.length = 0;
	served = 0;
	keep = true;
	epoll = epoll_create1(0);
	set = connections_new(epoll, fake_serve);
	ck_assert(epoll >= 0 && set);
	socket_pair(pair);
	ours = pair[0];
	peer = pair[1];
	connections_add(set, ours, NOW);
	ck_assert_uint_eq(connections_count(set), 1);
}

/* Closes everything. */
static void close_all(void)
{
	connections_free(set);
	(void)close(epoll);
	(void)close(peer);
}

/* Handles what epoll reports at a time; returns how many events there were. */
static int handle(int64_t now)
{
	struct epoll_event events[8];
	int count = epoll_wait(epoll, events, 8, 0);

	for (int i = 0; i < count; i++)
		connections_handle(set, events[i].data.ptr, events[i].events, now);
	return count;
}

/* Sends part of the request. */
static void send_part(size_t from, size_t to)
{
	ck_assert_int_eq(send(peer, request.data + from, to - from, 0), to - from);
}

/* Checks that the connection has been cut, and what the log says. */
static void assert_cut(const char *counts)
{
	char byte;

	ck_assert_uint_eq(connections_count(set), 0);
	ck_assert_int_le(recv(peer, &byte, 1, MSG_DONTWAIT), 0);
	ck_assert_int_ne(errno, EAGAIN);
	ck_assert_int_eq(served, 0);
	ck_assert_ptr_nonnull(strstr(log_captured(), counts));
}

START_TEST(serves_whole_requests_one_after_another)
{
	bytes_request(&request, "GET", "/", FCGI_KEEP_CONN);
	for (int i = 1; i <= 3; i++) {
		send_part(0, request.length);
		ck_assert_int_eq(handle(NOW), 1);
		ck_assert_int_eq(served, i);
		ck_assert(!served_last);
	}
	ck_assert_int_eq(handle(NOW), 0);
	ck_assert_uint_eq(connections_count(set), 1);
}
END_TEST

START_TEST(forgets_a_connection_that_was_not_kept)
{
	keep = false;
	bytes_request(&request, "GET", "/", 0);
	send_part(0, request.length);
	ck_assert_int_eq(handle(NOW), 1);
	ck_assert_uint_eq(connections_count(set), 0);
	ck_assert_int_eq(connections_next_limit(set), INT64_MAX);
}
END_TEST

START_TEST(waits_for_the_rest_byte_by_byte)
{
	bytes_request(&request, "GET", "/", FCGI_KEEP_CONN);
	for (size_t i = 0; i + 1 < request.length; i++) {
		send_part(i, i + 1);
		ck_assert_int_eq(handle(NOW), 1);
		ck_assert_int_eq(handle(NOW), 0); /* does not spin on what is there */
		ck_assert_int_eq(served, 0);
	}
	send_part(request.length - 1, request.length);
	ck_assert_int_eq(handle(NOW), 1);
	ck_assert_int_eq(served, 1);
}
END_TEST

START_TEST(lets_a_request_that_is_followed_by_more_be_the_last)
{
	bytes_request(&request, "GET", "/", FCGI_KEEP_CONN);
	bytes_add(&request, "x", 1);
	send_part(0, request.length);
	ck_assert_int_eq(handle(NOW), 1);
	ck_assert_int_eq(served, 1);
	ck_assert(served_last);
	ck_assert_uint_eq(connections_count(set), 0);
}
END_TEST

START_TEST(still_serves_a_peer_that_has_shut_its_side)
{
	bytes_request(&request, "GET", "/", FCGI_KEEP_CONN);
	send_part(0, request.length);
	ck_assert_int_eq(shutdown(peer, SHUT_WR), 0);
	ck_assert_int_eq(handle(NOW), 1);
	ck_assert_int_eq(served, 1);
	ck_assert(served_last);
}
END_TEST

START_TEST(drops_silently_what_closes_between_requests)
{
	ck_assert_int_eq(shutdown(peer, SHUT_WR), 0);
	ck_assert_int_eq(handle(NOW), 1);
	ck_assert_uint_eq(connections_count(set), 0);
	ck_assert_str_eq(log_captured(), "");
}
END_TEST

START_TEST(ignores_an_event_without_bytes)
{
	struct epoll_event event = {0};

	send_part(0, 0);
	bytes_request(&request, "GET", "/", FCGI_KEEP_CONN);
	send_part(0, 1);
	ck_assert_int_eq(epoll_wait(epoll, &event, 1, 0), 1);
	char byte;
	ck_assert_int_eq(recv(ours, &byte, 1, 0), 1);
	connections_handle(set, event.data.ptr, EPOLLIN, NOW);
	ck_assert_uint_eq(connections_count(set), 1);
}
END_TEST

START_TEST(cuts_what_is_malformed)
{
	bytes_header(&request, FCGI_GET_VALUES, 0, 0, 0);
	send_part(0, request.length);
	ck_assert_int_eq(handle(NOW), 1);
	assert_cut("1 malformed, 0 too large, 0 closed half-way, 0 too slow");
}
END_TEST

START_TEST(cuts_what_is_closed_half_way)
{
	bytes_request(&request, "GET", "/", 0);
	send_part(0, 20);
	ck_assert_int_eq(shutdown(peer, SHUT_WR), 0);
	ck_assert_int_eq(handle(NOW), 1);
	assert_cut("0 malformed, 0 too large, 1 closed half-way, 0 too slow");
}
END_TEST

START_TEST(cuts_what_is_too_large)
{
	bytes_begin(&request, FCGI_RESPONDER, 0);
	bytes_header(&request, FCGI_PARAMS, 1, 20000, 0);
	send_part(0, LOOK_MAX - 1);
	ck_assert_int_eq(handle(NOW), 1);
	ck_assert_uint_eq(connections_count(set), 1);
	send_part(LOOK_MAX - 1, LOOK_MAX);
	ck_assert_int_eq(handle(NOW), 1);
	assert_cut("0 malformed, 1 too large, 0 closed half-way, 0 too slow");
}
END_TEST

START_TEST(cuts_what_never_asks)
{
	ck_assert_int_eq(connections_next_limit(set), NOW + CONNECTIONS_REQUEST_MS);
	connections_expire(set, NOW + CONNECTIONS_REQUEST_MS - 1);
	ck_assert_uint_eq(connections_count(set), 1);
	connections_expire(set, NOW + CONNECTIONS_REQUEST_MS);
	assert_cut("0 malformed, 0 too large, 0 closed half-way, 1 too slow");
}
END_TEST

START_TEST(a_trickle_does_not_put_off_the_limit)
{
	bytes_request(&request, "GET", "/", 0);
	for (int i = 0; i < 10; i++) {
		send_part((size_t)i, (size_t)i + 1);
		ck_assert_int_eq(handle(NOW + i * 999), 1);
	}
	ck_assert_int_eq(connections_next_limit(set), NOW + CONNECTIONS_REQUEST_MS);
	connections_expire(set, NOW + CONNECTIONS_REQUEST_MS);
	assert_cut("1 too slow");
}
END_TEST

START_TEST(idle_connections_have_a_longer_limit_that_a_byte_ends)
{
	bytes_request(&request, "GET", "/", FCGI_KEEP_CONN);
	send_part(0, request.length);
	ck_assert_int_eq(handle(NOW), 1);
	ck_assert_int_eq(connections_next_limit(set), NOW + CONNECTIONS_IDLE_MS);
	send_part(0, 1);
	ck_assert_int_eq(handle(NOW + 60000), 1);
	ck_assert_int_eq(connections_next_limit(set), NOW + 60000 + CONNECTIONS_REQUEST_MS);
	send_part(1, request.length);
	ck_assert_int_eq(handle(NOW + 60001), 1);
	ck_assert_int_eq(served, 2);
	connections_expire(set, NOW + 60001 + CONNECTIONS_IDLE_MS);
	ck_assert_uint_eq(connections_count(set), 0);
	ck_assert_str_eq(log_captured(), "");
}
END_TEST

START_TEST(limits_are_kept_in_order)
{
	int pair[2];

	bytes_request(&request, "GET", "/", FCGI_KEEP_CONN);
	send_part(0, request.length);
	ck_assert_int_eq(handle(NOW), 1); /* idle until NOW + 75 s */
	socket_pair(pair);
	connections_add(set, pair[0], NOW + 70000);
	ck_assert_int_eq(connections_next_limit(set), NOW + CONNECTIONS_IDLE_MS);
	connections_expire(set, NOW + CONNECTIONS_IDLE_MS);
	ck_assert_uint_eq(connections_count(set), 1);
	ck_assert_int_eq(connections_next_limit(set), NOW + 80000);
	(void)close(pair[1]);
}
END_TEST

START_TEST(counts_cuts_together_for_ten_seconds)
{
	for (int i = 0; i < 5; i++) {
		int pair[2];
		socket_pair(pair);
		connections_add(set, pair[0], NOW);
		ck_assert_int_eq(send(pair[1], "\0\0\0\0\0\0\0\0", 8, 0), 8);
		ck_assert_int_eq(handle(NOW + i), 1);
		(void)close(pair[1]);
	}
	ck_assert_ptr_nonnull(strstr(log_captured(), "cut connections: 1 malformed"));
	connections_expire(set, NOW + 10000); /* the one that has been open all along */
	ck_assert_ptr_nonnull(strstr(log_captured(), "4 malformed, 0 too large, 0 closed half-way, 1 too slow"));
}
END_TEST

START_TEST(drains_what_has_been_sent_and_refuses_the_rest)
{
	int whole[2], idle[2];

	(void)close(epoll);
	bytes_request(&request, "GET", "/", FCGI_KEEP_CONN);
	epoll = epoll_create1(0);
	connections_free(set);
	set = connections_new(epoll, fake_serve);
	socket_pair(whole);
	socket_pair(idle);
	connections_add(set, whole[0], NOW);
	connections_add(set, idle[0], NOW);
	ck_assert_int_eq(send(idle[1], request.data, request.length, 0), request.length);
	ck_assert_int_eq(handle(NOW), 1);
	ck_assert_int_eq(send(whole[1], request.data, request.length, 0), request.length);
	connections_drain(set);
	ck_assert_int_eq(send(idle[1], "x", 1, MSG_NOSIGNAL), -1);
	ck_assert_int_eq(errno, EPIPE);
	ck_assert_int_eq(handle(NOW), 2);
	ck_assert_int_eq(served, 2);
	ck_assert(served_last);
	ck_assert_uint_eq(connections_count(set), 0);
	(void)close(whole[1]);
	(void)close(idle[1]);
}
END_TEST

START_TEST(closes_what_it_cannot_take)
{
	const enum fault faults[] = {FAULT_CALLOC, FAULT_EPOLL_CTL};

	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
		int pair[2];
		char byte;
		socket_pair(pair);
		fault_arm(faults[i], 0, 1, ENOMEM);
		connections_add(set, pair[0], NOW);
		ck_assert_uint_eq(connections_count(set), 1);
		ck_assert_int_eq(recv(pair[1], &byte, 1, 0), 0);
		ck_assert_ptr_nonnull(strstr(log_captured(), "cannot take a connection: Cannot allocate memory"));
		(void)close(pair[1]);
	}
	fault_arm(FAULT_CALLOC, 0, 1, ENOMEM);
	ck_assert_ptr_null(connections_new(epoll, fake_serve));
	connections_free(NULL);
}
END_TEST

START_TEST(freeing_reports_the_last_cuts)
{
	int pair[2];

	bytes_request(&request, "GET", "/", FCGI_KEEP_CONN);
	send_part(0, request.length);
	ck_assert_int_eq(handle(NOW), 1); /* an idle connection, which is closed, too */
	for (int i = 0; i < 2; i++) {
		socket_pair(pair);
		connections_add(set, pair[0], NOW);
		ck_assert_int_eq(send(pair[1], "\0\0\0\0\0\0\0\0", 8, 0), 8);
		ck_assert_int_eq(handle(NOW), 1);
		(void)close(pair[1]);
	}
	(void)log_captured();
	connections_free(set);
	set = NULL;
	ck_assert_ptr_nonnull(strstr(log_captured(), "cut connections: 1 malformed"));
}
END_TEST

Suite *connections_suite(void)
{
	const TTest *const tests[] = {serves_whole_requests_one_after_another, forgets_a_connection_that_was_not_kept,
		waits_for_the_rest_byte_by_byte, lets_a_request_that_is_followed_by_more_be_the_last,
		still_serves_a_peer_that_has_shut_its_side, drops_silently_what_closes_between_requests,
		ignores_an_event_without_bytes, cuts_what_is_malformed, cuts_what_is_closed_half_way,
		cuts_what_is_too_large, cuts_what_never_asks, a_trickle_does_not_put_off_the_limit,
		idle_connections_have_a_longer_limit_that_a_byte_ends, limits_are_kept_in_order,
		counts_cuts_together_for_ten_seconds, drains_what_has_been_sent_and_refuses_the_rest,
		closes_what_it_cannot_take, freeing_reports_the_last_cuts};

	return SUITE_WITH("connections", tests, open_all, close_all);
}
