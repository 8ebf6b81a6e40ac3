#include "answer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "json.h"

enum { HEAD_MAX = 512 };

/* Writes a header and a body, which gets a newline at its end unless it is empty. */
static bool put(struct answer *answer, const char *head, const char *body, size_t body_length)
{
	size_t end = body_length > 0 ? 1 : 0;
	char length_line[64];
	int line = snprintf(length_line, sizeof(length_line), "Content-Length: %zu\r\n\r\n", body_length + end);
	size_t length = strlen(head) + (size_t)line + body_length + end;

	if (length > answer->room) {
		char *text = realloc(answer->text, length);
		if (!text)
			return false;
		answer->text = text;
		answer->room = length;
	}
	char *at = mempcpy(answer->text, head, strlen(head));
	at = mempcpy(at, length_line, (size_t)line);
	answer->head = (size_t)(at - answer->text);
	at = mempcpy(at, body, body_length);
	if (end)
		*at = '\n';
	answer->length = length;
	return true;
}

/* Writes a header and a JSON document. */
static bool put_json(struct answer *answer, const char *head, struct json_object *body)
{
	size_t length;
	const char *json = json_object_to_json_string_length(body, JSON_AS_FLASK, &length);

	return json && put(answer, head, json, length);
}

/* Writes 200 with a JSON document. */
bool answer_json(struct answer *answer, struct json_object *body)
{
	return put_json(answer, "Status: 200 OK\r\nContent-Type: application/json\r\n", body);
}

/* Writes 200 with the methods that are allowed. */
bool answer_allow(struct answer *answer)
{
	return put(answer, "Status: 200 OK\r\nAllow: " ANSWER_ALLOW "\r\n", "", 0);
}

/* Writes a problem document. */
bool answer_problem(struct answer *answer, int status, const char *title, bool allow)
{
	struct json_object *problem = json_object_new_object();
	bool well = json_add(problem, "status", json_object_new_int(status)) &&
		json_add(problem, "title", json_object_new_string(title)) &&
		json_add(problem, "type", json_object_new_string("about:blank"));
	char head[HEAD_MAX];
	int length = snprintf(head, sizeof(head), "Status: %d %s\r\nContent-Type: application/problem+json\r\n%s",
		status, title, allow ? "Allow: " ANSWER_ALLOW "\r\n" : "");

	well = well && length > 0 && length < HEAD_MAX && put_json(answer, head, problem);
	json_object_put(problem);
	return well;
}

/* Frees the text. */
void answer_free(struct answer *answer)
{
	free(answer->text);
	*answer = (struct answer){0};
}
