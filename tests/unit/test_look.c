#include <fastcgi.h>
#include <string.h>

#include "look.h"
#include "support.h"

static struct bytes request;

/* Looks at a copy of the first length bytes. */
static enum look look(size_t length, size_t *whole)
{
	static uint8_t copy[BYTES_MAX];

	memcpy(copy, request.data, length);
	return look_request(copy, length, whole);
}

/* Checks that the bytes are one whole request, and that no part of them is. */
static void assert_whole(void)
{
	size_t whole = 0;

	for (size_t length = 0; length < request.length; length++)
		ck_assert_int_eq(look(length, &whole), LOOK_PARTIAL);
	ck_assert_int_eq(look(request.length, &whole), LOOK_WHOLE);
	ck_assert_uint_eq(whole, request.length);
}

/* Checks that the bytes are broken, once all of them are there. */
static void assert_broken(const char *what)
{
	size_t whole;

	ck_assert_msg(look(request.length, &whole) == LOOK_BROKEN, "%s was not seen to be broken", what);
}

/* Starts a request whose parameters are these bytes, in one record. */
static void start_with_params(const void *params, size_t length)
{
	request.length = 0;
	bytes_begin(&request, FCGI_RESPONDER, 0);
	bytes_record(&request, FCGI_PARAMS, params, length);
	bytes_record(&request, FCGI_PARAMS, "", 0);
	bytes_record(&request, FCGI_STDIN, "", 0);
}

START_TEST(sees_a_whole_request)
{
	bytes_request(&request, "GET", "/health", FCGI_KEEP_CONN);
	assert_whole();
}
END_TEST

START_TEST(sees_where_a_request_ends)
{
	size_t whole;

	bytes_request(&request, "GET", "/", 0);
	size_t first = request.length;
	bytes_request(&request, "GET", "/info", 0);
	ck_assert_int_eq(look(request.length, &whole), LOOK_WHOLE);
	ck_assert_uint_eq(whole, first);
}
END_TEST

START_TEST(takes_a_request_without_parameters)
{
	bytes_begin(&request, FCGI_RESPONDER, 0);
	bytes_record(&request, FCGI_PARAMS, "", 0);
	bytes_record(&request, FCGI_STDIN, "", 0);
	assert_whole();
}
END_TEST

START_TEST(takes_a_body_and_padding_where_libfcgi_can)
{
	bytes_begin(&request, FCGI_RESPONDER, 0);
	bytes_header(&request, FCGI_PARAMS, 1, 0, 0);
	bytes_header(&request, FCGI_STDIN, 1, 1000, 255);
	bytes_header(&request, FCGI_STDIN, 1, 1, 7);
	bytes_header(&request, FCGI_STDIN, 1, 0, 0);
	assert_whole();
}
END_TEST

START_TEST(joins_parameters_of_several_records)
{
	static struct bytes params;
	char value[300];

	memset(value, 'v', sizeof(value) - 1);
	value[sizeof(value) - 1] = '\0';
	bytes_pair(&params, "NAME", value);
	bytes_pair(&params, "X", "");
	bytes_begin(&request, FCGI_RESPONDER, 0);
	for (size_t i = 0; i < params.length; i++)
		bytes_record(&request, FCGI_PARAMS, params.data + i, 1);
	bytes_record(&request, FCGI_PARAMS, "", 0);
	bytes_record(&request, FCGI_STDIN, "", 0);
	assert_whole();
}
END_TEST

START_TEST(takes_lengths_of_one_and_of_four_bytes)
{
	start_with_params("\x80\x00\x00\x01\x80\x00\x00\x02"
			  "abc",
		11);
	assert_whole();
	start_with_params("\x00\x00", 2);
	assert_whole();
}
END_TEST

START_TEST(refuses_lengths_that_do_not_fit)
{
	static const struct {
		const char *params;
		size_t length;
	} cases[] = {
		{"\x05", 1},
		{"\x01\x01"
		 "a",
			3},
		{"\x02\x00"
		 "a",
			3},
		{"\x00\x01", 2},
		{"\x80\x00\x00", 3},
		{"\x01\x80\x00\x00", 4},
		{"\xff\xff\xff\xff\xff\xff\xff\xff"
		 "a",
			9},
		{"\x80\x00\x00\x01\xff\xff\xff\xff"
		 "a",
			9},
		{"\xff\xff\xff\xff\x01"
		 "a",
			6},
		{"\x01\x00"
		 "a\x01",
			4},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		start_with_params(cases[i].params, cases[i].length);
		assert_broken("a length");
	}
}
END_TEST

START_TEST(refuses_nul_in_parameters)
{
	start_with_params("\x0b\x09SCRIPT_NAME/health\0x", 22);
	assert_broken("a NUL in a value");
	start_with_params("\x03\x01"
			  "a\0bv",
		6);
	assert_broken("a NUL in a name");
}
END_TEST

START_TEST(refuses_other_versions)
{
	const uint8_t versions[] = {0, 2, 255};

	for (size_t i = 0; i < sizeof(versions); i++) {
		request.length = 0;
		bytes_request(&request, "GET", "/", 0);
		request.data[0] = versions[i];
		assert_broken("a version");
	}
}
END_TEST

START_TEST(refuses_other_roles)
{
	const uint8_t roles[] = {0, FCGI_AUTHORIZER, FCGI_FILTER, 4, 255};

	for (size_t i = 0; i < sizeof(roles); i++) {
		request.length = 0;
		bytes_begin(&request, roles[i], 0);
		assert_broken("a role");
	}
	request.length = 0;
	bytes_begin(&request, FCGI_RESPONDER, 0);
	request.data[8] = 1; /* the role's high byte */
	assert_broken("a role of two bytes");
}
END_TEST

/* Each: what comes first, of which id, how long, how padded. */
START_TEST(refuses_a_wrong_beginning)
{
	static const struct {
		uint8_t type;
		uint16_t id, length;
		uint8_t padding;
	} cases[] = {
		{FCGI_BEGIN_REQUEST, 0, 8, 0},
		{FCGI_BEGIN_REQUEST, 1, 7, 0},
		{FCGI_BEGIN_REQUEST, 1, 9, 0},
		{FCGI_BEGIN_REQUEST, 1, 0, 0},
		{FCGI_BEGIN_REQUEST, 1, 8, 1},
		{FCGI_PARAMS, 1, 0, 0},
		{FCGI_STDIN, 1, 0, 0},
		{FCGI_ABORT_REQUEST, 1, 0, 0},
		{FCGI_GET_VALUES, 0, 0, 0},
		{FCGI_UNKNOWN_TYPE, 0, 8, 0},
		{0, 1, 8, 0},
		{255, 1, 8, 0},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		request.length = 0;
		bytes_header(&request, cases[i].type, cases[i].id, cases[i].length, cases[i].padding);
		assert_broken("a beginning");
	}
}
END_TEST

/* After BEGIN_REQUEST, and after the end of PARAMS: everything that is not what is due. */
START_TEST(refuses_records_out_of_order)
{
	for (int ended = 0; ended < 2; ended++) {
		for (int type = 0; type < 256; type++) {
			if (type == (ended ? FCGI_STDIN : FCGI_PARAMS))
				continue;
			request.length = 0;
			bytes_begin(&request, FCGI_RESPONDER, 0);
			if (ended)
				bytes_header(&request, FCGI_PARAMS, 1, 0, 0);
			bytes_header(&request, (uint8_t)type, 1, 8, 0);
			assert_broken("a record out of order");
		}
	}
}
END_TEST

START_TEST(refuses_another_id)
{
	for (int type = FCGI_PARAMS; type <= FCGI_STDIN; type++) {
		for (uint16_t id = 0; id < 3; id += 2) {
			request.length = 0;
			bytes_begin(&request, FCGI_RESPONDER, 0);
			if (type == FCGI_STDIN)
				bytes_header(&request, FCGI_PARAMS, 1, 0, 0);
			bytes_header(&request, (uint8_t)type, id, 0, 0);
			assert_broken("another request's record");
		}
	}
}
END_TEST

START_TEST(refuses_padding_after_empty_records)
{
	bytes_begin(&request, FCGI_RESPONDER, 0);
	bytes_header(&request, FCGI_PARAMS, 1, 0, 1);
	assert_broken("padding after PARAMS");
	request.length = 0;
	bytes_begin(&request, FCGI_RESPONDER, 0);
	bytes_header(&request, FCGI_PARAMS, 1, 0, 0);
	bytes_header(&request, FCGI_STDIN, 1, 0, 8);
	assert_broken("padding after STDIN");
}
END_TEST

START_TEST(takes_a_request_of_the_largest_size)
{
	size_t whole;

	bytes_begin(&request, FCGI_RESPONDER, 0);
	bytes_header(&request, FCGI_PARAMS, 1, 0, 0);
	bytes_header(&request, FCGI_STDIN, 1, (uint16_t)(LOOK_MAX - request.length - 16), 0);
	bytes_header(&request, FCGI_STDIN, 1, 0, 0);
	ck_assert_uint_eq(request.length, LOOK_MAX);
	ck_assert_int_eq(look(LOOK_MAX, &whole), LOOK_WHOLE);
	ck_assert_int_eq(look(LOOK_MAX - 1, &whole), LOOK_PARTIAL);
}
END_TEST

/* Empties what the tests build, also where Check does not fork. */
static void empty(void)
{
	request.length = 0;
}

Suite *look_suite(void)
{
	const TTest *const tests[] = {sees_a_whole_request, sees_where_a_request_ends,
		takes_a_request_without_parameters, takes_a_body_and_padding_where_libfcgi_can,
		joins_parameters_of_several_records, takes_lengths_of_one_and_of_four_bytes,
		refuses_lengths_that_do_not_fit, refuses_nul_in_parameters, refuses_other_versions, refuses_other_roles,
		refuses_a_wrong_beginning, refuses_records_out_of_order, refuses_another_id,
		refuses_padding_after_empty_records, takes_a_request_of_the_largest_size};

	return SUITE_WITH("look", tests, empty, NULL);
}
