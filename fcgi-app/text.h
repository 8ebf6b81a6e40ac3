/*
 * JSON strings from values that may hold any bytes.
 *
 * What is not UTF-8 (RFC 3629) becomes U+FFFD, one for each maximal part of a character (Unicode 15, section 3.9,
 * "U+FFFD Substitution of Maximal Subparts"). What is ASCII is written as Flask's jsonify writes it: json-c alone
 * would leave DEL as it is.
 */
#ifndef TEXT_H
#define TEXT_H

#include <json-c/json.h>

/* Returns a new JSON string, the caller's to put; NULL if memory ran out. */
struct json_object *text_new(const char *bytes);

#endif
