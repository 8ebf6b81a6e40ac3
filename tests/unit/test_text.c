#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "json.h"
#include "support.h"
#include "text.h"

/* Checks how bytes come out as JSON. */
static void assert_json(const char *bytes, const char *json)
{
	struct json_object *string = text_new(bytes);

	ck_assert_ptr_nonnull(string);
	ck_assert_str_eq(json_object_to_json_string_ext(string, JSON_AS_FLASK), json);
	json_object_put(string);
}

/* Checks how bytes come out as a string. */
static void assert_string(const char *bytes, const char *expected)
{
	struct json_object *string = text_new(bytes);

	ck_assert_ptr_nonnull(string);
	ck_assert_str_eq(json_object_get_string(string), expected);
	json_object_put(string);
}

START_TEST(writes_ascii_as_flask_does)
{
	assert_json("", "\"\"");
	assert_json("plain", "\"plain\"");
	assert_json("say \"hi\" \\ a/b", "\"say \\\"hi\\\" \\\\ a/b\"");
	assert_json("\b\f\n\r\t", "\"\\b\\f\\n\\r\\t\"");
	assert_json("\x01\x1f\x7f", "\"\\u0001\\u001f\\u007f\"");
	assert_json("<script>&'", "\"<script>&'\"");
}
END_TEST

START_TEST(keeps_valid_utf8)
{
	const char *const valid[] = {"\xc2\x80", "\xdf\xbf", "\xe0\xa0\x80", "\xed\x9f\xbf", "\xee\x80\x80",
		"\xef\xbf\xbf", "\xf0\x90\x80\x80", "\xf3\xbf\xbf\xbf", "\xf4\x8f\xbf\xbf", "gr\xc3\xbc\xc3\x9f"};

	for (size_t i = 0; i < sizeof(valid) / sizeof(valid[0]); i++)
		assert_string(valid[i], valid[i]);
}
END_TEST

#define FFFD "\xef\xbf\xbd"

/* Unicode 15, table 3-8 and its neighbours: one U+FFFD for each maximal part. */
START_TEST(replaces_what_is_not_utf8)
{
	static const char *const cases[][2] = {
		{"\x80", FFFD}, /* lone continuation */
		{"\xc0\xaf", FFFD FFFD}, /* overlong */
		{"\xe0\x80\xaf", FFFD FFFD FFFD}, /* overlong, 3 bytes */
		{"\xf0\x80\x80\xaf", FFFD FFFD FFFD FFFD}, /* overlong, 4 bytes */
		{"\xed\xa0\x80", FFFD FFFD FFFD}, /* surrogate */
		{"\xf4\x90\x80\x80", FFFD FFFD FFFD FFFD}, /* above U+10FFFF */
		{"\xf5\xff\xfe", FFFD FFFD FFFD}, /* never in UTF-8 */
		{"a\xf1\x80\x80"
		 "b",
			"a" FFFD "b"}, /* cut off: one maximal part */
		{"\xe2\x82", FFFD}, /* cut off by the end */
		{"\xf0\x9f\x98", FFFD}, /* likewise, 4 bytes */
		{"\xf0\x9f\xc3\xa9", FFFD "\xc3\xa9"}, /* cut off by a good one */
		{"\xe1\x80\xe2\xf0\x91\x92\xf1\xbf"
		 "A",
			FFFD FFFD FFFD FFFD "A"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_string(cases[i][0], cases[i][1]);
}
END_TEST

START_TEST(takes_4_KiB_of_the_worst)
{
	char bytes[4097] = {0};

	memset(bytes, 0xff, sizeof(bytes) - 1);
	struct json_object *string = text_new(bytes);
	ck_assert_ptr_nonnull(string);
	ck_assert_int_eq(json_object_get_string_len(string), 3 * 4096);
	json_object_put(string);
	memset(bytes, 0x7f, sizeof(bytes) - 1);
	string = text_new(bytes);
	ck_assert_uint_eq(strlen(json_object_to_json_string_ext(string, JSON_AS_FLASK)), 2 + 6 * 4096);
	json_object_put(string);
}
END_TEST

START_TEST(says_when_memory_runs_out)
{
	for (int after = 0; after < 2; after++) {
		fault_arm(FAULT_MALLOC, after, 1, ENOMEM);
		ck_assert_ptr_null(text_new("x"));
	}
	fault_arm(FAULT_NEW_STRING, 0, 1, ENOMEM);
	ck_assert_ptr_null(text_new("x"));
	assert_json("x", "\"x\"");
}
END_TEST

Suite *text_suite(void)
{
	const TTest *const tests[] = {writes_ascii_as_flask_does, keeps_valid_utf8, replaces_what_is_not_utf8,
		takes_4_KiB_of_the_worst, says_when_memory_runs_out};

	return SUITE_OF("text", tests);
}
