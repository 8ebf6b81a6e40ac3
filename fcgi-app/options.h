/*
 * The settings of the responder: command line (GNU long options) over environment over default.
 *
 *   --socket PATH   SOCKET        at most 107 bytes, the limit of a Unix socket's address
 *   --workers N     WORKERS       1 to 64; by default one for each CPU of the affinity mask, 16 at most
 *   --user NAME     RUN_AS        whom to become when started as root
 *                   ENVIRONMENT, USER, HOSTNAME   what the endpoints tell; 4096 bytes each at most; empty is a value
 */
#ifndef OPTIONS_H
#define OPTIONS_H

enum { OPTIONS_WORKERS_MAX = 64, OPTIONS_VALUE_MAX = 4096 };

enum options_mode {
	OPTIONS_SERVE,
	OPTIONS_HEALTHCHECK,
	OPTIONS_HELP,
	OPTIONS_VERSION,
	OPTIONS_BAD /* said why, in one log line */
};

/* All strings belong to the command line, the environment or the program: none is to be freed. */
struct options {
	const char *socket;
	int workers;
	const char *run_as; /* NULL: nobody else */
	const char *environment;
	const char *user;
	const char *hostname;
};

/* Reads the command line, and the environment as far as the mode needs it: the rest of options is 0 or NULL. */
enum options_mode options_read(struct options *options, int argc, char *argv[]);

/* The text of --help and of --version. */
const char *options_help(void);
const char *options_version(void);

#endif
