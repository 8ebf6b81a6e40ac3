/*
 * JSON objects as Flask's jsonify writes them: compact, no escaped slashes. Keys come out in the order in which they
 * were added: add them sorted.
 */
#ifndef JSON_H
#define JSON_H

#include <json-c/json.h>
#include <stdbool.h>

#define JSON_AS_FLASK (JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE)

/*
 * Adds a value to an object; key is a constant. The value belongs to the object then, and is put if it cannot be added.
 * False if memory ran out, also for making the object or the value, either of which may be NULL.
 */
bool json_add(struct json_object *object, const char *key, struct json_object *value);

/* Returns the object if every json_add to it went well; else puts it and returns NULL. */
struct json_object *json_done(struct json_object *object, bool well);

#endif
