#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "endpoints.h"
#include "json.h"
#include "support.h"

static const struct options options = {
	.environment = "te\"st", .user = "gr\xfc\xdf", .hostname = "box", .workers = 1, .socket = "/s"};

/* Finds an endpoint by its path. */
static const struct endpoint *endpoint_of(const char *path)
{
	for (unsigned i = 0; i < endpoints_count; i++)
		if (strcmp(endpoints[i].path, path) == 0)
			return &endpoints[i];
	ck_abort_msg("no endpoint %s", path);
}

/* Returns a document's text. */
static const char *text_of(struct json_object *document)
{
	return json_object_to_json_string_ext(document, JSON_AS_FLASK);
}

START_TEST(greeting_has_what_the_contract_says)
{
	struct json_object *greeting = endpoint_of("/")->make(&options);
	const char *before = "{\"environment\":\"te\\\"st\",\"message\":\"Hello from secure Docker app!\","
			     "\"security_note\":\"This app runs with non-root user in container\","
			     "\"server_time\":\"";

	ck_assert_ptr_nonnull(greeting);
	ck_assert_mem_eq(text_of(greeting), before, strlen(before));
	ck_assert_uint_eq(strlen(text_of(greeting)), strlen(before) + strlen("2026-11-24T01:02:03.000004+00:00\"}"));
	json_object_put(greeting);
}
END_TEST

START_TEST(greeting_changes_its_time_and_nothing_else)
{
	struct json_object *greeting = endpoint_of("/")->make(&options);
	char first[512];
	size_t same = strstr(text_of(greeting), "server_time") - text_of(greeting);

	ck_assert_uint_lt(strlen(text_of(greeting)), sizeof(first));
	strcpy(first, text_of(greeting));
	sleep_ms(2);
	ck_assert(endpoint_of("/")->renew(greeting));
	ck_assert_str_lt(first, text_of(greeting));
	ck_assert_mem_eq(first, text_of(greeting), same);
	json_object_put(greeting);
}
END_TEST

START_TEST(greeting_says_when_there_is_no_clock)
{
	struct json_object *greeting = endpoint_of("/")->make(&options);

	fault_arm(FAULT_CLOCK_GETTIME, 0, 2, EINVAL);
	ck_assert(!endpoint_of("/")->renew(greeting));
	ck_assert_ptr_null(endpoint_of("/")->make(&options));
	json_object_put(greeting);
}
END_TEST

START_TEST(health_is_healthy)
{
	struct json_object *health = endpoint_of("/health")->make(&options);

	ck_assert_str_eq(text_of(health), "{\"status\":\"healthy\"}");
	ck_assert_ptr_null(endpoint_of("/health")->renew);
	json_object_put(health);
}
END_TEST

START_TEST(info_tells_who_and_where)
{
	struct json_object *info = endpoint_of("/info")->make(&options);
	struct json_object *value;

	ck_assert(json_object_object_get_ex(info, "container_id", &value));
	ck_assert_str_eq(json_object_get_string(value), "box");
	ck_assert(json_object_object_get_ex(info, "user", &value));
	ck_assert_str_eq(json_object_get_string(value), "gr\xef\xbf\xbd\xef\xbf\xbd");
	ck_assert(json_object_object_get_ex(info, "uid", &value));
	ck_assert(json_object_is_type(value, json_type_int));
	ck_assert_int_eq(json_object_get_int64(value), geteuid());
	ck_assert(json_object_object_get_ex(info, "c_version", &value));
	ck_assert_ptr_eq(strstr(json_object_get_string(value), "C17 (glibc 2."), json_object_get_string(value));
	json_object_put(info);
}
END_TEST

START_TEST(keys_are_sorted)
{
	for (unsigned i = 0; i < endpoints_count; i++) {
		struct json_object *document = endpoints[i].make(&options);
		const char *last = "";
		json_object_object_foreach(document, key, value) {
			ck_assert_ptr_nonnull(value);
			ck_assert_str_lt(last, key);
			last = key;
		}
		json_object_put(document);
	}
}
END_TEST

START_TEST(every_endpoint_says_when_memory_runs_out)
{
	for (unsigned i = 0; i < endpoints_count; i++) {
		fault_arm(FAULT_NEW_OBJECT, 0, 1, ENOMEM);
		ck_assert_ptr_null(endpoints[i].make(&options));
		for (int after = 0; after < 2; after++) {
			fault_arm(FAULT_NEW_STRING, after, 1, ENOMEM);
			struct json_object *document = endpoints[i].make(&options);
			ck_assert(!document || after > 0);
			json_object_put(document);
			fault_arm(FAULT_NEW_STRING, 0, 0, 0);
		}
	}
}
END_TEST

Suite *endpoints_suite(void)
{
	const TTest *const tests[] = {greeting_has_what_the_contract_says, greeting_changes_its_time_and_nothing_else,
		greeting_says_when_there_is_no_clock, health_is_healthy, info_tells_who_and_where, keys_are_sorted,
		every_endpoint_says_when_memory_runs_out};

	return SUITE_OF("endpoints", tests);
}
