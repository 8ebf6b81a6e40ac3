#include "request.h"

#include <fastcgi.h>
#include <string.h>

/* Bytes that are still to be read. */
struct input {
	const uint8_t *at;
	size_t left;
};

struct record {
	uint16_t id;
	const uint8_t *content;
	size_t length;
};

struct pair {
	const uint8_t *name, *value;
	size_t name_length, value_length;
};

/* Takes bytes; NULL if there are fewer. */
static const uint8_t *take(struct input *input, size_t length)
{
	const uint8_t *taken = input->at;

	if (length > input->left)
		return NULL;
	input->at += length;
	input->left -= length;
	return taken;
}

/* Takes a whole record of one type; false if something else lies there. */
static bool take_record(struct input *input, uint8_t type, struct record *record)
{
	const uint8_t *bytes = take(input, FCGI_HEADER_LEN);
	FCGI_Header header;

	if (!bytes)
		return false;
	memcpy(&header, bytes, sizeof(header));
	record->id = (uint16_t)(header.requestIdB1 * 256 + header.requestIdB0);
	record->length = header.contentLengthB1 * 256U + header.contentLengthB0;
	record->content = take(input, record->length);
	if (header.version != FCGI_VERSION_1 || header.type != type || !record->content)
		return false;
	if (header.paddingLength == 0)
		return true;
	return type != FCGI_BEGIN_REQUEST && record->length > 0 && take(input, header.paddingLength);
}

/* Takes the record that begins a request. */
static bool take_begin(struct input *input, struct request *request)
{
	struct record record;

	if (!take_record(input, FCGI_BEGIN_REQUEST, &record) || record.id == FCGI_NULL_REQUEST_ID ||
		record.length != sizeof(FCGI_BeginRequestBody))
		return false;
	request->id = record.id;
	request->keep_connection = record.content[2] & FCGI_KEEP_CONN;
	return record.content[0] == 0 && record.content[1] == FCGI_RESPONDER;
}

/* Takes the records of a stream up to its empty one, and joins what they hold. */
static bool take_stream(struct input *input, uint8_t type, struct request *request)
{
	struct record record;

	while (take_record(input, type, &record) && record.id == request->id) {
		if (record.length == 0)
			return true;
		memcpy(request->joined + request->length, record.content, record.length);
		request->length += record.length;
	}
	return false;
}

/* Takes a length; false if it is cut off. */
static bool take_length(struct input *input, size_t *length)
{
	const uint8_t *first = take(input, 1);

	if (!first)
		return false;
	*length = *first & 0x7fU;
	if (*first == *length)
		return true;
	const uint8_t *rest = take(input, 3);
	for (int i = 0; rest && i < 3; i++)
		*length = *length * 256 + rest[i];
	return rest != NULL;
}

/* Takes a name-value pair; false if it is cut off. */
static bool take_pair(struct input *input, struct pair *pair)
{
	if (!take_length(input, &pair->name_length) || !take_length(input, &pair->value_length))
		return false;
	pair->name = take(input, pair->name_length);
	pair->value = pair->name ? take(input, pair->value_length) : NULL;
	return pair->value != NULL;
}

/* Tells whether the parameters are nothing but pairs of strings. */
static bool are_strings(const struct request *request)
{
	struct input input = {request->joined, request->params_length};
	struct pair pair;

	while (input.left > 0)
		if (!take_pair(&input, &pair) || memchr(pair.name, 0, pair.name_length) ||
			memchr(pair.value, 0, pair.value_length))
			return false;
	return true;
}

/* Reads a request. */
bool request_read(struct request *request, const uint8_t *bytes, size_t length)
{
	struct input input = {bytes, length};

	request->length = 0;
	if (!take_begin(&input, request) || !take_stream(&input, FCGI_PARAMS, request))
		return false;
	request->params_length = request->length;
	if (!are_strings(request) || !take_stream(&input, FCGI_STDIN, request))
		return false;
	request->size = length - input.left;
	return true;
}

/* Finds a parameter in what libfcgi makes of each pair, "name=value", with any bytes in name. */
bool request_has(const struct request *request, const char *name, const char *value)
{
	struct input input = {request->joined, request->params_length};
	size_t length = strlen(name);
	struct pair pair;

	while (take_pair(&input, &pair)) {
		if (pair.name_length < length || memcmp(pair.name, name, length) != 0)
			continue;
		if (pair.name_length == length)
			return pair.value_length == strlen(value) && memcmp(pair.value, value, pair.value_length) == 0;
		if (pair.name[length] == '=')
			return false;
	}
	return false;
}
