#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "options.h"
#include "support.h"

static struct options options;

/* Clears the environment of every setting. */
static void clear(void)
{
	const char *const names[] = {"SOCKET", "WORKERS", "RUN_AS", "ENVIRONMENT", "USER", "HOSTNAME"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		ck_assert_int_eq(unsetenv(names[i]), 0);
	log_capture();
}

/* Reads a command line of at most four words after the program's name. */
static enum options_mode read_words(const char *one, const char *two, const char *three, const char *four)
{
	const char *words[] = {"fcgi-app", one, two, three, four, NULL};
	int count = 1;

	while (words[count])
		count++;
	return options_read(&options, count, (char **)(uintptr_t)words);
}

/* Checks that something is refused with one line that holds text. */
static void assert_refused(enum options_mode mode, const char *text)
{
	const char *line = log_captured();

	ck_assert_int_eq(mode, OPTIONS_BAD);
	ck_assert_msg(strstr(line, text) != NULL, "'%s' does not say '%s'", line, text);
	ck_assert_ptr_eq(strchr(line, '\n'), line + strlen(line) - 1);
}

START_TEST(defaults_are_those_of_the_contract)
{
	ck_assert_int_eq(read_words(NULL, NULL, NULL, NULL), OPTIONS_SERVE);
	ck_assert_str_eq(options.socket, DEFAULT_SOCKET);
	ck_assert_str_eq(options.environment, "development");
	ck_assert_str_eq(options.user, "unknown");
	ck_assert_str_eq(options.hostname, "unknown");
	ck_assert_ptr_null(options.run_as);
}
END_TEST

START_TEST(workers_follow_the_affinity_mask)
{
	cpu_set_t one;

	CPU_ZERO(&one);
	for (int cpu = 0; CPU_COUNT(&one) == 0; cpu++) {
		CPU_SET(cpu, &one);
		if (sched_setaffinity(0, sizeof(one), &one) != 0)
			CPU_ZERO(&one);
	}
	ck_assert_int_eq(read_words(NULL, NULL, NULL, NULL), OPTIONS_SERVE);
	ck_assert_int_eq(options.workers, 1);
	fault_arm(FAULT_SCHED_GETAFFINITY, 0, 1, EINVAL);
	ck_assert_int_eq(read_words(NULL, NULL, NULL, NULL), OPTIONS_SERVE);
	ck_assert_int_eq(options.workers, 1);
}
END_TEST

START_TEST(environment_is_read)
{
	ck_assert_int_eq(setenv("SOCKET", "/x", 1) | setenv("WORKERS", "64", 1) | setenv("RUN_AS", "me", 1) |
			setenv("ENVIRONMENT", "", 1) | setenv("USER", "a b", 1) | setenv("HOSTNAME", "\xff", 1),
		0);
	ck_assert_int_eq(read_words(NULL, NULL, NULL, NULL), OPTIONS_SERVE);
	ck_assert_str_eq(options.socket, "/x");
	ck_assert_int_eq(options.workers, 64);
	ck_assert_str_eq(options.run_as, "me");
	ck_assert_str_eq(options.environment, "");
	ck_assert_str_eq(options.user, "a b");
	ck_assert_str_eq(options.hostname, "\xff");
}
END_TEST

START_TEST(command_line_wins)
{
	ck_assert_int_eq(setenv("SOCKET", "/x", 1) | setenv("WORKERS", "3", 1) | setenv("RUN_AS", "me", 1), 0);
	ck_assert_int_eq(read_words("--socket", "/y", "--workers=1", "--user=you"), OPTIONS_SERVE);
	ck_assert_str_eq(options.socket, "/y");
	ck_assert_int_eq(options.workers, 1);
	ck_assert_str_eq(options.run_as, "you");
}
END_TEST

START_TEST(bad_settings_that_are_not_needed_do_no_harm)
{
	ck_assert_int_eq(setenv("WORKERS", "0", 1), 0);
	ck_assert_int_eq(read_words("--help", NULL, NULL, NULL), OPTIONS_HELP);
	ck_assert_int_eq(read_words("--healthcheck", NULL, NULL, NULL), OPTIONS_HEALTHCHECK);
	ck_assert_int_eq(read_words("--workers", "2", NULL, NULL), OPTIONS_SERVE);
	ck_assert_int_eq(options.workers, 2);
	ck_assert_int_eq(setenv("SOCKET", "", 1), 0);
	ck_assert_int_eq(read_words("--version", NULL, NULL, NULL), OPTIONS_VERSION);
	assert_refused(read_words("--healthcheck", NULL, NULL, NULL), "a path has 1 to 107 bytes, not 0");
}
END_TEST

START_TEST(modes_are_chosen)
{
	ck_assert_int_eq(read_words("--healthcheck", NULL, NULL, NULL), OPTIONS_HEALTHCHECK);
	ck_assert_int_eq(read_words("--healthcheck", "--socket", "/z", NULL), OPTIONS_HEALTHCHECK);
	ck_assert_str_eq(options.socket, "/z");
	ck_assert_int_eq(read_words("--help", "--nonsense", NULL, NULL), OPTIONS_HELP);
	ck_assert_int_eq(read_words("--workers", "2", "--version", "--help"), OPTIONS_VERSION);
	ck_assert_ptr_nonnull(strstr(options_help(), "--healthcheck"));
	ck_assert_ptr_eq(strstr(options_version(), "fcgi-app "), options_version());
}
END_TEST

START_TEST(bad_workers_are_refused)
{
	const char *const bad[] = {
		"0", "65", "-1", "+2", " 2", "2 ", "2x", "x", "", "1e1", "0x2", "99999999999999999999"};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_refused(read_words("--workers", bad[i], NULL, NULL), "is not a number from 1 to 64");
		ck_assert_int_eq(setenv("WORKERS", bad[i], 1), 0);
		assert_refused(read_words(NULL, NULL, NULL, NULL), "is not a number from 1 to 64");
		ck_assert_int_eq(unsetenv("WORKERS"), 0);
	}
}
END_TEST

START_TEST(a_socket_path_has_1_to_107_bytes)
{
	char path[109];

	memset(path, 'p', sizeof(path));
	path[108] = '\0';
	assert_refused(read_words("--socket", path, NULL, NULL), "a path has 1 to 107 bytes, not 108");
	assert_refused(read_words("--socket", "", NULL, NULL), "a path has 1 to 107 bytes, not 0");
	ck_assert_int_eq(setenv("SOCKET", path, 1), 0);
	assert_refused(read_words(NULL, NULL, NULL, NULL), "not 108");
	path[107] = '\0';
	ck_assert_int_eq(setenv("SOCKET", path, 1), 0);
	ck_assert_int_eq(read_words("--socket", path, NULL, NULL), OPTIONS_SERVE);
}
END_TEST

START_TEST(a_user_has_a_name)
{
	assert_refused(read_words("--user", "", NULL, NULL), "user: the name is empty");
	ck_assert_int_eq(setenv("RUN_AS", "", 1), 0);
	assert_refused(read_words(NULL, NULL, NULL, NULL), "user: the name is empty");
}
END_TEST

START_TEST(told_values_have_at_most_4_KiB)
{
	const char *const names[] = {"ENVIRONMENT", "USER", "HOSTNAME"};
	char value[4098];

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		memset(value, '\xff', sizeof(value));
		value[4097] = '\0';
		ck_assert_int_eq(setenv(names[i], value, 1), 0);
		assert_refused(read_words(NULL, NULL, NULL, NULL), "at most 4096 bytes, not 4097");
		value[4096] = '\0';
		ck_assert_int_eq(setenv(names[i], value, 1), 0);
		ck_assert_int_eq(read_words(NULL, NULL, NULL, NULL), OPTIONS_SERVE);
	}
}
END_TEST

START_TEST(unknown_words_are_refused_by_name)
{
	assert_refused(read_words("--nonsense", NULL, NULL, NULL), "--nonsense: is not an option");
	assert_refused(read_words("--workers", "2", "-x", NULL), "-x: is not an option");
	assert_refused(read_words("--help=me", NULL, NULL, NULL), "--help=me: is not an option, or takes no value");
	assert_refused(read_words("--socket", NULL, NULL, NULL), "--socket: needs a value");
	assert_refused(read_words("--healthcheck", "more", NULL, NULL), "'more': no operand is taken");
	assert_refused(read_words("--", "--help", NULL, NULL), "'--help': no operand is taken");
	assert_refused(read_words("more", "--nonsense", NULL, NULL), "'more': no operand is taken");
}
END_TEST

Suite *options_suite(void)
{
	const TTest *const tests[] = {defaults_are_those_of_the_contract, workers_follow_the_affinity_mask,
		environment_is_read, command_line_wins, bad_settings_that_are_not_needed_do_no_harm, modes_are_chosen,
		bad_workers_are_refused, a_socket_path_has_1_to_107_bytes, a_user_has_a_name,
		told_values_have_at_most_4_KiB, unknown_words_are_refused_by_name};

	return SUITE_WITH("options", tests, clear, NULL);
}
