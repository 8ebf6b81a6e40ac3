#include "config.h"

#include "options.h"

#include <errno.h>
#include <getopt.h>
#include <sched.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#include "log.h"

enum { DEFAULT_WORKERS_MAX = 16, SOCKET_MAX = sizeof(((struct sockaddr_un *)0)->sun_path) - 1 };

static const struct option long_options[] = {
	{"socket", required_argument, NULL, 's'},
	{"workers", required_argument, NULL, 'w'},
	{"user", required_argument, NULL, 'u'},
	{"healthcheck", no_argument, NULL, 'c'},
	{"help", no_argument, NULL, 'h'},
	{"version", no_argument, NULL, 'v'},
	{NULL, 0, NULL, 0},
};

/* Returns the text of --help. */
const char *options_help(void)
{
	return "Usage: fcgi-app [OPTION]...\n"
	       "Serve three JSON endpoints over FastCGI on a Unix socket, in the foreground.\n"
	       "\n"
	       "  --socket PATH    socket to listen on (SOCKET; default " DEFAULT_SOCKET ")\n"
	       "  --workers N      worker processes, 1 to 64 (WORKERS; default one for each CPU, 16 at most)\n"
	       "  --user NAME      whom to become when started as root (RUN_AS)\n"
	       "  --healthcheck    ask the responder on the socket for /health; exit 0 if healthy, else 1\n"
	       "  --help           print this help and exit\n"
	       "  --version        print the version and exit\n"
	       "\n"
	       "Each option has the environment variable named in brackets. ENVIRONMENT, USER and HOSTNAME\n"
	       "are what the endpoints tell. SIGTERM, SIGINT and SIGQUIT end it within a second, after all\n"
	       "that was accepted has been answered. Exit status: 0 ended as told, 1 failed, 2 bad settings.\n";
}

/* Returns the text of --version. */
const char *options_version(void)
{
	return PACKAGE_STRING "\n";
}

/* Returns the CPUs that this process may run on, within the default's limit. */
static int default_workers(void)
{
	cpu_set_t cpus;
	int count = sched_getaffinity(0, sizeof(cpus), &cpus) == 0 ? CPU_COUNT(&cpus) : 1;

	return count > DEFAULT_WORKERS_MAX ? DEFAULT_WORKERS_MAX : count;
}

/* Reads the number of workers. */
static bool set_workers(struct options *options, const char *value)
{
	char *end;

	errno = 0;
	long number = strtol(value, &end, 10);
	if (errno || end == value || *end || strspn(value, "0123456789") != strlen(value) || number < 1 ||
		number > OPTIONS_WORKERS_MAX) {
		log_line("workers: '%.64s' is not a number from 1 to %d", value, OPTIONS_WORKERS_MAX);
		return false;
	}
	options->workers = (int)number;
	return true;
}

/* Takes the socket's path. */
static bool set_socket(struct options *options, const char *value)
{
	if (!*value || strlen(value) > SOCKET_MAX) {
		log_line("socket: a path has 1 to %d bytes, not %zu", SOCKET_MAX, strlen(value));
		return false;
	}
	options->socket = value;
	return true;
}

/* Takes the name of whom to become. */
static bool set_run_as(struct options *options, const char *value)
{
	if (!*value) {
		log_line("user: the name is empty");
		return false;
	}
	options->run_as = value;
	return true;
}

/* Takes a value that the endpoints tell, or its default if the environment has none. */
static bool set_told(const char **told, const char *name, const char *absent)
{
	const char *value = getenv(name);

	if (value && strlen(value) > OPTIONS_VALUE_MAX) {
		log_line("%s: at most %d bytes, not %zu", name, OPTIONS_VALUE_MAX, strlen(value));
		return false;
	}
	*told = value ? value : absent;
	return true;
}

/* Takes a setting from the environment, unless the command line has said it. */
static bool take_environment(
	struct options *options, const char *name, bool said, bool (*set)(struct options *, const char *))
{
	const char *value = said ? NULL : getenv(name);

	return !value || set(options, value);
}

/* Fills in the socket, which every mode needs. */
static bool fill_socket(struct options *options)
{
	if (!take_environment(options, "SOCKET", options->socket != NULL, set_socket))
		return false;
	if (!options->socket)
		options->socket = DEFAULT_SOCKET;
	return true;
}

/* Fills in what serving needs. */
static bool fill_serving(struct options *options)
{
	if (!take_environment(options, "WORKERS", options->workers > 0, set_workers) ||
		!take_environment(options, "RUN_AS", options->run_as != NULL, set_run_as))
		return false;
	if (options->workers == 0)
		options->workers = default_workers();
	return set_told(&options->environment, "ENVIRONMENT", "development") &&
		set_told(&options->user, "USER", "unknown") && set_told(&options->hostname, "HOSTNAME", "unknown");
}

/* Takes one option of the command line, as getopt_long returned it. */
static enum options_mode take_option(struct options *options, int option, const char *word)
{
	switch (option) {
	case 's':
		return set_socket(options, optarg) ? OPTIONS_SERVE : OPTIONS_BAD;
	case 'w':
		return set_workers(options, optarg) ? OPTIONS_SERVE : OPTIONS_BAD;
	case 'u':
		return set_run_as(options, optarg) ? OPTIONS_SERVE : OPTIONS_BAD;
	case 'c':
		return OPTIONS_HEALTHCHECK;
	case 'h':
		return OPTIONS_HELP;
	case 'v':
		return OPTIONS_VERSION;
	default:
		log_line("%.64s: %s; see --help", word,
			option == ':' ? "needs a value" : "is not an option, or takes no value");
		return OPTIONS_BAD;
	}
}

/* Reads the command line; --help and --version win at once. */
static enum options_mode read_command_line(struct options *options, int argc, char *argv[])
{
	enum options_mode mode = OPTIONS_SERVE;

	optind = 0; /* glibc: start afresh, also when called again */
	opterr = 0;
	for (;;) {
		int at = optind ? optind : 1;
		int option = getopt_long(argc, argv, "+:", long_options, NULL);
		if (option == -1)
			break;
		enum options_mode taken = take_option(options, option, argv[at]);
		if (taken == OPTIONS_HELP || taken == OPTIONS_VERSION || taken == OPTIONS_BAD)
			return taken;
		if (taken == OPTIONS_HEALTHCHECK)
			mode = taken;
	}
	if (optind < argc) {
		log_line("'%.64s': no operand is taken; see --help", argv[optind]);
		return OPTIONS_BAD;
	}
	return mode;
}

/* Reads the command line, then what it leaves open from the environment. */
enum options_mode options_read(struct options *options, int argc, char *argv[])
{
	*options = (struct options){0};
	enum options_mode mode = read_command_line(options, argc, argv);

	if ((mode == OPTIONS_SERVE || mode == OPTIONS_HEALTHCHECK) && !fill_socket(options))
		return OPTIONS_BAD;
	if (mode == OPTIONS_SERVE && !fill_serving(options))
		return OPTIONS_BAD;
	return mode;
}
