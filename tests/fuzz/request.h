/*
 * A request read by the book (FastCGI 1.0, sections 3.3, 3.4, 5.1 to 5.3, and what look.h refuses
 * on top of that), in another way than look.c does it: what the responder is held against.
 */
#ifndef REQUEST_H
#define REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "look.h"

struct request {
	size_t size; /* bytes of all its records */
	uint16_t id;
	bool keep_connection;
	uint8_t joined[LOOK_MAX]; /* parameters, then the body */
	size_t params_length;
	size_t length;
};

/* Reads the request at the front of at most LOOK_MAX bytes; false unless a whole one lies there. */
bool request_read(struct request *request, const uint8_t *bytes, size_t length);

/* Tells whether FCGX_GetParam(name) must give value; neither holds a '='. */
bool request_has(const struct request *request, const char *name, const char *value);

#endif
