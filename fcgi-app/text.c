#include "text.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "json.h"

enum { DEL = 0x7f };

/* What a lead byte promises: how many bytes follow it, and the range of the first of them (RFC 3629, section 4). */
struct lead {
	uint8_t from, to;
	uint8_t following;
	uint8_t low, high;
};

static const struct lead leads[] = {
	{0x00, 0x7f, 0, 0, 0},
	{0xc2, 0xdf, 1, 0x80, 0xbf},
	{0xe0, 0xe0, 2, 0xa0, 0xbf},
	{0xe1, 0xec, 2, 0x80, 0xbf},
	{0xed, 0xed, 2, 0x80, 0x9f},
	{0xee, 0xef, 2, 0x80, 0xbf},
	{0xf0, 0xf0, 3, 0x90, 0xbf},
	{0xf1, 0xf3, 3, 0x80, 0xbf},
	{0xf4, 0xf4, 3, 0x80, 0x8f},
};

/* Measures the character, or the maximal part of one, at bytes; *valid tells which it is. */
static size_t measure(const uint8_t *bytes, bool *valid)
{
	const struct lead *lead = leads;
	const struct lead *end = leads + sizeof(leads) / sizeof(leads[0]);

	while (lead < end && !(bytes[0] >= lead->from && bytes[0] <= lead->to))
		lead++;
	*valid = false;
	if (lead == end)
		return 1;
	for (size_t i = 1; i <= lead->following; i++) {
		uint8_t low = i == 1 ? lead->low : 0x80;
		uint8_t high = i == 1 ? lead->high : 0xbf;
		if (bytes[i] < low || bytes[i] > high) /* the final NUL, too, is below */
			return i;
	}
	*valid = true;
	return (size_t)lead->following + 1;
}

/* Returns bytes as valid UTF-8, to be freed by the caller; NULL if memory ran out. */
static char *clean(const char *bytes)
{
	static const char replacement[] = "\xef\xbf\xbd";
	char *text = malloc(strlen(bytes) * (sizeof(replacement) - 1) + 1);
	char *end = text;

	while (text && *bytes) {
		bool valid;
		size_t length = measure((const uint8_t *)bytes, &valid);
		const char *from = valid ? bytes : replacement;
		size_t bytes_out = valid ? length : sizeof(replacement) - 1;
		memcpy(end, from, bytes_out);
		end += bytes_out;
		bytes += length;
	}
	if (text)
		*end = '\0';
	return text;
}

/* Returns a JSON string's text with DEL escaped, to be freed by the caller; NULL if memory ran out. */
static char *escape(struct json_object *string)
{
	static const char escaped[] = "\\u007f";
	const char *json = json_object_to_json_string_ext(string, JSON_AS_FLASK);
	char *text = json ? malloc(strlen(json) * (sizeof(escaped) - 1) + 1) : NULL;
	char *end = text;

	for (; text && *json; json++) {
		if (*json == DEL)
			end = mempcpy(end, escaped, sizeof(escaped) - 1);
		else
			*end++ = *json;
	}
	if (text)
		*end = '\0';
	return text;
}

/* Makes a JSON string of any bytes, its text written once. */
struct json_object *text_new(const char *bytes)
{
	char *valid = clean(bytes);
	struct json_object *string = valid ? json_object_new_string(valid) : NULL;
	char *written = string ? escape(string) : NULL;

	free(valid);
	if (!written) {
		json_object_put(string);
		return NULL;
	}
	json_object_set_serializer(string, json_object_userdata_to_json_string, written, json_object_free_userdata);
	return string;
}
