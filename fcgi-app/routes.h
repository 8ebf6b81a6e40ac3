/*
 * From path and method to an answer: the path decides first, then the method. A process has one set of routes; what
 * cannot change while it lives is rendered when they are opened.
 */
#ifndef ROUTES_H
#define ROUTES_H

#include <stdbool.h>
#include <stddef.h>

#include "options.h"

/* Makes the documents of all endpoints; false, with a log line, if that fails. */
bool routes_open(const struct options *options);

/*
 * Answers a request; a missing path or method is NULL. Returns a CGI response of *length bytes that stays valid until
 * the next call: never NULL, never empty.
 */
const char *routes_answer(const char *path, const char *method, size_t *length);

void routes_close(void);

#endif
