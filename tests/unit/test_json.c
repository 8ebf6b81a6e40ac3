#include <errno.h>

#include "json.h"
#include "support.h"

START_TEST(adds_in_order_and_leaves_slashes)
{
	struct json_object *object = json_object_new_object();

	ck_assert(json_add(object, "a", json_object_new_string("x/y")));
	ck_assert(json_add(object, "b", json_object_new_int(2)));
	ck_assert_ptr_eq(json_done(object, true), object);
	ck_assert_str_eq(json_object_to_json_string_ext(object, JSON_AS_FLASK), "{\"a\":\"x/y\",\"b\":2}");
	json_object_put(object);
}
END_TEST

START_TEST(says_when_object_or_value_is_missing)
{
	struct json_object *object = json_object_new_object();

	ck_assert(!json_add(NULL, "a", json_object_new_int(1)));
	ck_assert(!json_add(object, "a", NULL));
	ck_assert(!json_add(NULL, "a", NULL));
	ck_assert_ptr_null(json_done(object, false));
	ck_assert_ptr_null(json_done(NULL, false));
}
END_TEST

Suite *json_suite(void)
{
	const TTest *const tests[] = {adds_in_order_and_leaves_slashes, says_when_object_or_value_is_missing};

	return SUITE_OF("json", tests);
}
