/*
 * What the service tells: one handler for each endpoint, and the table of them. To add an endpoint, write its handler
 * and its line in the table.
 */
#ifndef ENDPOINTS_H
#define ENDPOINTS_H

#include <json-c/json.h>
#include <stdbool.h>

#include "options.h"

struct endpoint {
	const char *path;
	/* Makes the document, once, at start; NULL if memory ran out. */
	struct json_object *(*make)(const struct options *options);
	/* Renews what changes from request to request; NULL if nothing does: then it is rendered only once. */
	bool (*renew)(struct json_object *document);
};

extern const struct endpoint endpoints[];
extern const unsigned endpoints_count;

#endif
