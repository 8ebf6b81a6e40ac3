#include "json.h"

/* Adds a value to an object, or puts it. */
bool json_add(struct json_object *object, const char *key, struct json_object *value)
{
	const unsigned constant = JSON_C_OBJECT_ADD_KEY_IS_NEW | JSON_C_OBJECT_ADD_CONSTANT_KEY;

	if (object && value && json_object_object_add_ex(object, key, value, constant) == 0)
		return true;
	json_object_put(value);
	return false;
}

/* Returns the finished object, or NULL. */
struct json_object *json_done(struct json_object *object, bool well)
{
	if (well)
		return object;
	json_object_put(object);
	return NULL;
}
