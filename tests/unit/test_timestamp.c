#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "support.h"
#include "timestamp.h"

/* Checks how a moment is written in a time zone, given as POSIX's TZ, in which east is negative. */
static void assert_written(const char *zone, time_t seconds, long nanoseconds, const char *expected)
{
	const struct timespec moment = {.tv_sec = seconds, .tv_nsec = nanoseconds};
	char text[TIMESTAMP_SIZE];

	ck_assert_int_eq(setenv("TZ", zone, 1), 0);
	tzset();
	ck_assert(timestamp_write(text, &moment));
	ck_assert_str_eq(text, expected);
}

START_TEST(writes_microseconds_always)
{
	assert_written("UTC", 1000000000, 0, "2001-09-09T01:46:40.000000+00:00");
	assert_written("UTC", 1000000000, 1999, "2001-09-09T01:46:40.000001+00:00");
	assert_written("UTC", 1000000000, 999999999, "2001-09-09T01:46:40.999999+00:00");
}
END_TEST

START_TEST(knows_years_before_1970_and_after_2038)
{
	assert_written("UTC", -1, 500000000, "1969-12-31T23:59:59.500000+00:00");
	assert_written("UTC", -2208988800, 0, "1900-01-01T00:00:00.000000+00:00");
	assert_written("UTC", 2147483648, 0, "2038-01-19T03:14:08.000000+00:00");
	assert_written("UTC", 253402300799, 999999000, "9999-12-31T23:59:59.999999+00:00");
	assert_written("UTC", -62167219200, 0, "0000-01-01T00:00:00.000000+00:00");
}
END_TEST

START_TEST(writes_offsets_east_west_and_odd)
{
	assert_written("EAS-01", 0, 0, "1970-01-01T01:00:00.000000+01:00");
	assert_written("NEP-05:45", 0, 0, "1970-01-01T05:45:00.000000+05:45");
	assert_written("WES+03:30", 0, 0, "1969-12-31T20:30:00.000000-03:30");
	assert_written("ZET+00:30", 0, 0, "1969-12-31T23:30:00.000000-00:30");
	assert_written("LMT-00:19:32", 0, 0, "1970-01-01T00:19:32.000000+00:19:32");
	assert_written("KIR-14", 1798761599, 0, "2027-01-01T13:59:59.000000+14:00");
	assert_written("CET-1CEST,M3.5.0,M10.5.0/3", 1782864000, 0, "2026-07-01T02:00:00.000000+02:00");
}
END_TEST

START_TEST(refuses_what_has_no_four_digit_year)
{
	const time_t outside[] = {253402300800, -62167219201, INT64_MAX, INT64_MIN};
	char text[TIMESTAMP_SIZE];

	ck_assert_int_eq(setenv("TZ", "UTC", 1), 0);
	for (size_t i = 0; i < sizeof(outside) / sizeof(outside[0]); i++)
		ck_assert(!timestamp_write(text, &(struct timespec){.tv_sec = outside[i]}));
}
END_TEST

START_TEST(now_is_now)
{
	char before[TIMESTAMP_SIZE], now[TIMESTAMP_SIZE], after[TIMESTAMP_SIZE];
	struct timespec moment;

	ck_assert_int_eq(clock_gettime(CLOCK_REALTIME, &moment), 0);
	ck_assert(timestamp_write(before, &moment) && timestamp_now(now));
	ck_assert_int_eq(clock_gettime(CLOCK_REALTIME, &moment), 0);
	ck_assert(timestamp_write(after, &moment));
	ck_assert_str_le(before, now);
	ck_assert_str_le(now, after);
}
END_TEST

START_TEST(now_says_when_there_is_no_clock)
{
	char text[TIMESTAMP_SIZE];

	fault_arm(FAULT_CLOCK_GETTIME, 0, 1, EINVAL);
	ck_assert(!timestamp_now(text));
}
END_TEST

Suite *timestamp_suite(void)
{
	const TTest *const tests[] = {writes_microseconds_always, knows_years_before_1970_and_after_2038,
		writes_offsets_east_west_and_odd, refuses_what_has_no_four_digit_year, now_is_now,
		now_says_when_there_is_no_clock};

	return SUITE_OF("timestamp", tests);
}
