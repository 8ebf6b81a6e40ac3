#include <errno.h>
#include <string.h>

#include "routes.h"
#include "support.h"

static const struct options options = {.environment = "", .user = "u", .hostname = "h"};

/* Checks which status a request gets. */
static void assert_status(const char *path, const char *method, const char *status)
{
	size_t length;
	const char *text = routes_answer(path, method, &length);

	ck_assert_uint_gt(length, strlen("Status: 200"));
	ck_assert_msg(memcmp(text, "Status: ", 8) == 0 && memcmp(text + 8, status, 3) == 0, "%s %s: %.*s, not %s",
		method ? method : "-", path ? path : "-", 11, text, status);
}

START_TEST(path_decides_before_method)
{
	const char *const paths[] = {"/health/", "/HEALTH", "", "//", "/info/x", "health", "/ "};
	const char *const methods[] = {"GET", "HEAD", "OPTIONS", "POST", "BREW", ""};

	ck_assert(routes_open(&options));
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
		for (size_t j = 0; j < sizeof(methods) / sizeof(methods[0]); j++)
			assert_status(paths[i], methods[j], "404");
	assert_status(NULL, "GET", "404");
	assert_status(NULL, NULL, "404");
	routes_close();
}
END_TEST

START_TEST(method_decides_then)
{
	const char *const paths[] = {"/", "/health", "/info"};
	const char *const good[] = {"GET", "HEAD", "OPTIONS"};
	const char *const bad[] = {"POST", "get", "GETS", "GE", "", "TRACE"};

	ck_assert(routes_open(&options));
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		for (size_t j = 0; j < sizeof(good) / sizeof(good[0]); j++)
			assert_status(paths[i], good[j], "200");
		for (size_t j = 0; j < sizeof(bad) / sizeof(bad[0]); j++)
			assert_status(paths[i], bad[j], "405");
		assert_status(paths[i], NULL, "405");
	}
	routes_close();
}
END_TEST

START_TEST(head_is_get_without_the_body)
{
	const char *const paths[] = {"/", "/health", "/info", "/nowhere"};

	ck_assert(routes_open(&options));
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		char head[1024];
		size_t head_length, get_length;
		const char *text = routes_answer(paths[i], "HEAD", &head_length);
		ck_assert_uint_lt(head_length, sizeof(head));
		memcpy(head, text, head_length);
		text = routes_answer(paths[i], "GET", &get_length);
		ck_assert_uint_gt(get_length, head_length);
		ck_assert_mem_eq(head, text, head_length);
		ck_assert_mem_eq(head + head_length - 4, "\r\n\r\n", 4);
	}
	routes_close();
}
END_TEST

START_TEST(what_cannot_change_is_rendered_once)
{
	size_t length;

	ck_assert(routes_open(&options));
	fault_arm(FAULT_TO_STRING, 0, 1, ENOMEM);
	assert_status("/health", "GET", "200");
	assert_status("/info", "GET", "200");
	ck_assert_ptr_eq(routes_answer("/info", "GET", &length), routes_answer("/info", "HEAD", &length));
	routes_close();
}
END_TEST

START_TEST(a_document_that_cannot_be_rendered_is_a_500)
{
	log_capture();
	ck_assert(routes_open(&options));
	fault_arm(FAULT_TO_STRING, 0, 1, ENOMEM);
	assert_status("/", "GET", "500");
	ck_assert_ptr_nonnull(strstr(log_captured(), "/: cannot render the document\n"));
	fault_arm(FAULT_CLOCK_GETTIME, 0, 1, EINVAL);
	assert_status("/", "HEAD", "500");
	assert_status("/", "GET", "200");
	routes_close();
}
END_TEST

START_TEST(opening_says_when_memory_runs_out)
{
	log_capture();
	for (int after = 0; after < 6; after++) {
		fault_arm(FAULT_TO_STRING, after, 1, ENOMEM);
		ck_assert(!routes_open(&options));
		ck_assert_ptr_nonnull(strstr(log_captured(), "cannot make the endpoints' documents\n"));
	}
	fault_arm(FAULT_CALLOC, 0, 1, ENOMEM);
	ck_assert(!routes_open(&options));
	fault_arm(FAULT_REALLOC, 0, 1, ENOMEM);
	ck_assert(!routes_open(&options));
	fault_arm(FAULT_NEW_OBJECT, 3, 1, ENOMEM);
	ck_assert(!routes_open(&options));
	ck_assert(routes_open(&options));
	assert_status("/", "GET", "200");
	routes_close();
	routes_close();
}
END_TEST

Suite *routes_suite(void)
{
	const TTest *const tests[] = {path_decides_before_method, method_decides_then, head_is_get_without_the_body,
		what_cannot_change_is_rendered_once, a_document_that_cannot_be_rendered_is_a_500,
		opening_says_when_memory_runs_out};

	return SUITE_OF("routes", tests);
}
