/*
 * The health check: asks a responder for /health over FastCGI, as a web server would.
 */
#ifndef PROBE_H
#define PROBE_H

#include <stdbool.h>

enum { PROBE_LIMIT_MS = 2000 };

/* Asks on the socket at path; false, with a log line, unless the answer is 200 and healthy within PROBE_LIMIT_MS. */
bool probe_health(const char *path);

#endif
