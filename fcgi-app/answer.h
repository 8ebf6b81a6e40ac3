/*
 * An answer as the web server gets it on FastCGI's STDOUT: a CGI response (RFC 3875, section 6), header and body in one
 * text, so that it goes out in one write.
 */
#ifndef ANSWER_H
#define ANSWER_H

#include <json-c/json.h>
#include <stdbool.h>
#include <stddef.h>

#define ANSWER_ALLOW "GET, HEAD, OPTIONS"

/* Start with all zero; free with answer_free. The text is kept and reused when the answer is written again. */
struct answer {
	char *text;
	size_t head; /* bytes: the header alone, which answers HEAD */
	size_t length; /* bytes: header and body */
	size_t room; /* bytes allocated */
};

/* Each writes the whole answer anew; false if memory ran out. */
bool answer_json(struct answer *answer, struct json_object *body);
bool answer_allow(struct answer *answer);
/* A problem document (RFC 9457); allow: say which methods are allowed, as a 405 must (RFC 9110, 15.5.6). */
bool answer_problem(struct answer *answer, int status, const char *title, bool allow);

void answer_free(struct answer *answer);

#endif
