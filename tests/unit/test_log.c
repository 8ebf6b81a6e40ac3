#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "log.h"
#include "support.h"

/* Checks that exactly one line with this text has been logged. */
static void assert_logged(const char *text)
{
	char expected[8192];

	ck_assert_int_lt(
		snprintf(expected, sizeof(expected), "fcgi-app[%d]: %s\n", (int)getpid(), text), sizeof(expected));
	ck_assert_str_eq(log_captured(), expected);
}

START_TEST(names_program_and_process)
{
	log_capture();
	log_line("%d of %s", 3, "four");
	assert_logged("3 of four");
}
END_TEST

START_TEST(lets_no_value_forge_a_line)
{
	log_capture();
	log_line("'%s'", "a\nfcgi-app[1]: b\r\x1b[31m\x7f");
	assert_logged("'a\\x0afcgi-app[1]: b\\x0d\\x1b[31m\\x7f'");
}
END_TEST

START_TEST(cuts_what_is_too_long)
{
	char value[5000];

	memset(value, '\n', sizeof(value));
	value[sizeof(value) - 1] = '\0';
	log_capture();
	log_line("%s", value);
	const char *line = log_captured();
	ck_assert_uint_gt(strlen(line), 4 * 1000);
	ck_assert_uint_lt(strlen(line), 4 * 1100);
	ck_assert_ptr_eq(strchr(line, '\n'), line + strlen(line) - 1);
}
END_TEST

START_TEST(goes_on_when_it_cannot_be_written)
{
	log_capture();
	fault_arm(FAULT_WRITE, 0, 1, EPIPE);
	log_line("lost");
	log_line("kept");
	assert_logged("kept");
}
END_TEST

START_TEST(does_not_wait_for_somebody_to_read_it)
{
	int ends[2];

	ck_assert_int_eq(pipe2(ends, O_NONBLOCK), 0);
	while (write(ends[1], "x", 1) == 1)
		;
	ck_assert_int_eq(fcntl(ends[1], F_SETFL, 0), 0);
	ck_assert_int_eq(dup2(ends[1], STDERR_FILENO), STDERR_FILENO);
	log_line("lost, as nobody reads the pipe");
}
END_TEST

Suite *log_suite(void)
{
	const TTest *const tests[] = {names_program_and_process, lets_no_value_forge_a_line, cuts_what_is_too_long,
		goes_on_when_it_cannot_be_written, does_not_wait_for_somebody_to_read_it};

	return SUITE_OF("log", tests);
}
