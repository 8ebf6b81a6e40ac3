#include "look.h"

#include <stdbool.h>
#include <string.h>

#include "record.h"

enum { BEGIN_LEN = 8, LONG_LENGTH = 0x80 };

/* How far the look has come: which type is due next, for which request, and the parameters joined so far. */
struct progress {
	uint8_t due;
	uint16_t id;
	uint8_t *params;
	size_t params_length;
};

/* Takes one length of a name or a value, of one or four bytes (section 3.4); false if it is cut off. */
static bool take_length(const uint8_t **at, const uint8_t *end, size_t *length)
{
	if (*at == end)
		return false;
	if (!(**at & LONG_LENGTH)) {
		*length = *(*at)++;
		return true;
	}
	if (end - *at < 4)
		return false;
	*length = (size_t)((*at)[0] & ~LONG_LENGTH) << 24 | (size_t)(*at)[1] << 16 | (size_t)(*at)[2] << 8 | (*at)[3];
	*at += 4;
	return true;
}

/* Tells whether bytes are name-value pairs that end where the bytes end. */
static bool are_pairs(const uint8_t *bytes, size_t length)
{
	const uint8_t *at = bytes;
	const uint8_t *end = bytes + length;

	while (at < end) {
		size_t name, value;
		if (!take_length(&at, end, &name) || !take_length(&at, end, &value))
			return false;
		if (name > (size_t)(end - at) || value > (size_t)(end - at) - name)
			return false;
		if (memchr(at, '\0', name + value))
			return false;
		at += name + value;
	}
	return true;
}

/* Tells whether a record may come now, judged by its header alone. */
static bool may_come(const struct progress *progress, const struct record *record)
{
	if (record->type != progress->due)
		return false;
	if (record->type == FCGI_BEGIN_REQUEST)
		return record->id != FCGI_NULL_REQUEST_ID && record->content == BEGIN_LEN && record->padding == 0;
	return record->id == progress->id && (record->content > 0 || record->padding == 0);
}

/* Takes the content of a record that may come; false if the content is wrong. */
static bool take_content(struct progress *progress, const struct record *record, const uint8_t *content)
{
	switch (record->type) {
	case FCGI_BEGIN_REQUEST:
		progress->id = record->id;
		progress->due = FCGI_PARAMS;
		return (content[0] << 8 | content[1]) == FCGI_RESPONDER;
	case FCGI_PARAMS:
		if (record->content == 0) {
			progress->due = FCGI_STDIN;
			return are_pairs(progress->params, progress->params_length);
		}
		memmove(progress->params + progress->params_length, content, record->content);
		progress->params_length += record->content;
		return true;
	default: /* FCGI_STDIN: the body is ignored */
		return true;
	}
}

/* Looks at what lies there, record by record. */
enum look look_request(uint8_t *bytes, size_t length, size_t *request)
{
	/* Each parameter byte moves towards the front, over headers already read: there is always room. */
	struct progress progress = {.due = FCGI_BEGIN_REQUEST, .params = bytes};
	size_t at = 0;

	while (length - at >= FCGI_HEADER_LEN) {
		struct record record;
		if (!record_read(bytes + at, &record) || !may_come(&progress, &record))
			return LOOK_BROKEN;
		if (record_size(&record) > length - at)
			return LOOK_PARTIAL;
		if (!take_content(&progress, &record, bytes + at + FCGI_HEADER_LEN))
			return LOOK_BROKEN;
		at += record_size(&record);
		if (record.type == FCGI_STDIN && record.content == 0) {
			*request = at;
			return LOOK_WHOLE;
		}
	}
	return LOOK_PARTIAL;
}
