#include <errno.h>
#include <string.h>

#include "answer.h"
#include "support.h"

static struct answer answer;

/* Checks header and body of the answer. */
static void assert_answer(const char *head, const char *body)
{
	ck_assert_uint_eq(answer.head, strlen(head));
	ck_assert_uint_eq(answer.length, strlen(head) + strlen(body));
	ck_assert_mem_eq(answer.text, head, strlen(head));
	ck_assert_mem_eq(answer.text + answer.head, body, strlen(body));
}

START_TEST(writes_json)
{
	struct json_object *body = json_object_new_string("a/b");

	ck_assert(answer_json(&answer, body));
	assert_answer("Status: 200 OK\r\nContent-Type: application/json\r\nContent-Length: 6\r\n\r\n", "\"a/b\"\n");
	json_object_put(body);
	answer_free(&answer);
	ck_assert_ptr_null(answer.text);
}
END_TEST

START_TEST(writes_what_is_allowed)
{
	ck_assert(answer_allow(&answer));
	assert_answer("Status: 200 OK\r\nAllow: GET, HEAD, OPTIONS\r\nContent-Length: 0\r\n\r\n", "");
	answer_free(&answer);
}
END_TEST

START_TEST(writes_problems)
{
	ck_assert(answer_problem(&answer, 404, "Not Found", false));
	assert_answer("Status: 404 Not Found\r\nContent-Type: application/problem+json\r\nContent-Length: 56\r\n\r\n",
		"{\"status\":404,\"title\":\"Not Found\",\"type\":\"about:blank\"}\n");
	ck_assert(answer_problem(&answer, 405, "No", true));
	assert_answer("Status: 405 No\r\nContent-Type: application/problem+json\r\nAllow: GET, HEAD, OPTIONS\r\n"
		      "Content-Length: 49\r\n\r\n",
		"{\"status\":405,\"title\":\"No\",\"type\":\"about:blank\"}\n");
	answer_free(&answer);
}
END_TEST

START_TEST(can_be_written_again_shorter_and_longer)
{
	struct json_object *body = json_object_new_string("0123456789");

	ck_assert(answer_json(&answer, body));
	ck_assert(answer_allow(&answer));
	assert_answer("Status: 200 OK\r\nAllow: GET, HEAD, OPTIONS\r\nContent-Length: 0\r\n\r\n", "");
	ck_assert(answer_json(&answer, body));
	assert_answer(
		"Status: 200 OK\r\nContent-Type: application/json\r\nContent-Length: 13\r\n\r\n", "\"0123456789\"\n");
	json_object_put(body);
	answer_free(&answer);
}
END_TEST

START_TEST(says_when_memory_runs_out)
{
	const enum fault faults[] = {FAULT_REALLOC, FAULT_NEW_OBJECT, FAULT_NEW_STRING, FAULT_TO_STRING};

	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
		fault_arm(faults[i], 0, 1, ENOMEM);
		ck_assert(!answer_problem(&answer, 404, "Not Found", false));
	}
	ck_assert(answer_problem(&answer, 404, "Not Found", false));
	answer_free(&answer);
}
END_TEST

START_TEST(refuses_a_title_that_does_not_fit)
{
	char title[600];

	memset(title, 'x', sizeof(title));
	title[sizeof(title) - 1] = '\0';
	ck_assert(!answer_problem(&answer, 500, title, false));
}
END_TEST

Suite *answer_suite(void)
{
	const TTest *const tests[] = {writes_json, writes_what_is_allowed, writes_problems,
		can_be_written_again_shorter_and_longer, says_when_memory_runs_out, refuses_a_title_that_does_not_fit};

	return SUITE_OF("answer", tests);
}
