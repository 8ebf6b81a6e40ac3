#include <limits.h>

#include "clock.h"
#include "support.h"

START_TEST(never_goes_back)
{
	int64_t before = clock_ms();

	sleep_ms(20);
	int64_t passed = clock_ms() - before;
	ck_assert_int_ge(passed, 19);
	ck_assert_int_lt(passed, 2000);
}
END_TEST

START_TEST(until_is_what_is_left)
{
	ck_assert_int_eq(clock_until(100, 350), 250);
	ck_assert_int_eq(clock_until(100, 100), 0);
	ck_assert_int_eq(clock_until(350, 100), 0);
	ck_assert_int_eq(clock_until(0, INT64_MAX), INT_MAX);
}
END_TEST

Suite *clock_suite(void)
{
	const TTest *const tests[] = {never_goes_back, until_is_what_is_left};

	return SUITE_OF("clock", tests);
}
