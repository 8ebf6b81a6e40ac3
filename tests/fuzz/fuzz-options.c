/*
 * Fuzzes options_read. The input is words that end with a NUL. The first ones are for the variables
 * below: "=value" sets one, anything else leaves it unset. The others are the command line, from
 * the program's name on.
 */
#undef NDEBUG
#include <assert.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "options.h"

enum { WORDS_MAX = 64, SOCKET_MAX = 107 };

static const char *const names[] = {"ENVIRONMENT", "USER", "HOSTNAME", "WORKERS", "SOCKET", "RUN_AS"};

enum { NAMES = sizeof(names) / sizeof(names[0]) };

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

/* Takes a word off the front of the bytes; the caller frees it. NULL if nothing is left. */
static char *take_word(const uint8_t **bytes, size_t *length)
{
	if (*length == 0)
		return NULL;
	char *word = strndup((const char *)*bytes, *length);
	assert(word);
	size_t taken = strlen(word) + (strlen(word) < *length);
	*bytes += taken;
	*length -= taken;
	return word;
}

/* Fills an environment with the words for the variables. */
static void take_environment(char *variables[NAMES + 1], const uint8_t **bytes, size_t *length)
{
	size_t count = 0;

	for (size_t i = 0; i < NAMES; i++) {
		char *word = take_word(bytes, length);
		if (word && *word == '=') {
			int size = asprintf(&variables[count++], "%s%s", names[i], word);
			assert(size > 0);
		}
		free(word);
	}
	variables[count] = NULL;
}

/* Fills a command line with words; returns their number. */
static int take_arguments(char *arguments[WORDS_MAX + 1], const uint8_t **bytes, size_t *length)
{
	int count = 0;

	while (count < WORDS_MAX && (arguments[count] = take_word(bytes, length)))
		count++;
	arguments[count] = NULL;
	return count;
}

/* Frees the words of a list. */
static void free_words(char *words[])
{
	for (size_t i = 0; words[i]; i++)
		free(words[i]);
}

/* Checks a value that the endpoints tell. */
static void check_told(const char *told, const char *name, const char *absent)
{
	const char *value = getenv(name);

	assert(told && strlen(told) <= OPTIONS_VALUE_MAX);
	assert(strcmp(told, value ? value : absent) == 0);
}

/* Checks the socket, which every mode needs. */
static void check_socket(const struct options *options)
{
	assert(options->socket && *options->socket && strlen(options->socket) <= SOCKET_MAX);
}

/* Checks what serving needs. */
static void check_serving(const struct options *options)
{
	check_socket(options);
	assert(options->workers >= 1 && options->workers <= OPTIONS_WORKERS_MAX);
	assert(!options->run_as || *options->run_as);
	check_told(options->environment, "ENVIRONMENT", "development");
	check_told(options->user, "USER", "unknown");
	check_told(options->hostname, "HOSTNAME", "unknown");
}

/* Reads environment and command line; returns the mode if it is one, with settings that fit it. */
static enum options_mode read_options(struct options *options, int argc, char *argv[])
{
	enum options_mode mode = options_read(options, argc, argv);

	switch (mode) {
	case OPTIONS_SERVE:
		check_serving(options);
		return mode;
	case OPTIONS_HEALTHCHECK:
		check_socket(options);
		return mode;
	case OPTIONS_HELP:
	case OPTIONS_VERSION:
	case OPTIONS_BAD:
		return mode;
	}
	abort();
}

/* Checks that reading twice comes to the same. */
static void check_twice(int argc, char *argv[])
{
	struct options first, second;
	enum options_mode mode = read_options(&first, argc, argv);

	assert(read_options(&second, argc, argv) == mode);
	if (mode != OPTIONS_SERVE && mode != OPTIONS_HEALTHCHECK)
		return;
	assert(first.workers == second.workers);
	assert(first.socket == second.socket);
	assert(first.run_as == second.run_as);
}

/* Reads the options of one input. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	char *variables[NAMES + 1];
	char *argv[WORDS_MAX + 1];
	char **before = environ;

	take_environment(variables, &bytes, &length);
	int argc = take_arguments(argv, &bytes, &length);
	environ = variables; /* setenv would keep every value for good */
	check_twice(argc, argv);
	environ = before;
	free_words(argv);
	free_words(variables);
	return 0;
}
