/* fcgi-app: three JSON endpoints over FastCGI. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "exchange.h"
#include "listener.h"
#include "log.h"
#include "master.h"
#include "options.h"
#include "privileges.h"
#include "probe.h"
#include "routes.h"
#include "worker.h"

enum { EXIT_SETTINGS = 2 };

/* What each worker process runs. */
static int work(int listener, int ready)
{
	const struct worker worker = {
		.listener = listener, .ready = ready, .stuck_s = WORKER_STUCK_S, .serve = exchange_serve};

	return worker_run(&worker);
}

/* Serves until told to end; returns the exit status. */
static int serve(const struct options *options)
{
	struct listener listener;

	if (!privileges_become(options->run_as) || !listener_open(&listener, options->socket))
		return EXIT_SETTINGS;
	int status = EXIT_FAILURE;
	if (privileges_limit() && exchange_open() && routes_open(options)) {
		log_line("serving on %s, workers: %d", options->socket, options->workers);
		status = master_run(listener.fd, options->workers, work);
	}
	routes_close();
	listener_close(&listener);
	return status;
}

/* Writes a text to standard output; returns the exit status. */
static int print(const char *text)
{
	if (fputs(text, stdout) != EOF && fflush(stdout) == 0)
		return EXIT_SUCCESS;
	log_line("cannot write to standard output");
	return EXIT_FAILURE;
}

/* Reads the settings and does what they ask for. */
int main(int argc, char *argv[])
{
	struct options options;

	tzset();
	switch (options_read(&options, argc, argv)) {
	case OPTIONS_SERVE:
		return serve(&options);
	case OPTIONS_HEALTHCHECK:
		return probe_health(options.socket) ? EXIT_SUCCESS : EXIT_FAILURE;
	case OPTIONS_HELP:
		return print(options_help());
	case OPTIONS_VERSION:
		return print(options_version());
	case OPTIONS_BAD:
		break;
	}
	return EXIT_SETTINGS;
}
