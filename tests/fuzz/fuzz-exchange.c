/*
 * Fuzzes the way of a request: a peer's bytes into a socket, the look, libfcgi, the routes, and the
 * answer back. The input's last byte is not sent: it says what else happens (struct scene).
 */
#undef NDEBUG
#include <assert.h>
#include <errno.h>
#include <fastcgi.h>
#include <json-c/json.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clock.h"
#include "exchange.h"
#include "request.h"
#include "routes.h"

enum { ENVIRONMENT_LENGTH = 1500, ANSWER_MAX = 65536, CHUNK = 256, ALIGNMENT = 8, TURNS = 2 };
enum { WAIT_MS = 1000 }; /* libfcgi would wait for two seconds, or for good */

/* What the peer does once it has sent a request. */
enum peer { PEER_WAITS, PEER_ENDS, PEER_GONE, PEER_FULL };

struct scene {
	enum peer peer;
	bool last; /* the responder is told to close the connection */
	unsigned room; /* PEER_FULL: as many chunks the peer has read */
	const uint8_t *bytes;
	size_t length;
	int fd;
	int peer_fd;
	size_t filled; /* bytes that lie before the answer */
};

/* The STDOUT that came back. */
struct text {
	char bytes[ANSWER_MAX];
	size_t length;
	bool complete;
};

static struct request request;

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

/* Opens libfcgi and the routes, with an environment that takes several records to tell. */
int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	static char environment[ENVIRONMENT_LENGTH + 1];
	const struct options options = {.environment = environment, .user = "user", .hostname = "\xff\xc3\xa4"};

	(void)argc;
	(void)argv;
	memset(environment, '\1', ENVIRONMENT_LENGTH);
	assert(signal(SIGPIPE, SIG_IGN) != SIG_ERR);
	assert(exchange_open() && routes_open(&options));
	return 0;
}

/* Fills the way to the peer until nothing more fits, and lets the peer read some of it. */
static void fill(struct scene *scene)
{
	char chunk[CHUNK] = {0};
	int size = 1; /* becomes the least there is */

	assert(setsockopt(scene->fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size)) == 0);
	while (send(scene->fd, chunk, CHUNK, 0) == CHUNK)
		scene->filled += CHUNK;
	for (unsigned i = 0; i < scene->room && scene->filled > 0; i++) {
		assert(recv(scene->peer_fd, chunk, CHUNK, 0) == CHUNK);
		scene->filled -= CHUNK;
	}
}

/* Does what the peer does before it is answered. */
static void act(struct scene *scene)
{
	scene->filled = 0;
	switch (scene->peer) {
	case PEER_WAITS:
		break;
	case PEER_ENDS:
		assert(shutdown(scene->peer_fd, SHUT_WR) == 0);
		break;
	case PEER_GONE:
		assert(close(scene->peer_fd) == 0);
		scene->peer_fd = -1;
		break;
	case PEER_FULL:
		fill(scene);
		break;
	}
}

/* Reads the header of a record in the answer; false if not all of the record is there. */
static bool read_header(const uint8_t *bytes, size_t left, FCGI_Header *header, size_t *content)
{
	if (left < sizeof(*header))
		return false;
	memcpy(header, bytes, sizeof(*header));
	*content = header->contentLengthB1 * 256U + header->contentLengthB0;
	assert(header->version == FCGI_VERSION_1);
	assert(header->requestIdB1 * 256 + header->requestIdB0 == request.id);
	assert(header->paddingLength == (ALIGNMENT - *content % ALIGNMENT) % ALIGNMENT);
	return left - sizeof(*header) >= *content + header->paddingLength;
}

/* Reads an answer as far as it came: STDOUT up to its empty record, and END_REQUEST. */
static void read_records(struct text *text, const uint8_t *bytes, size_t length)
{
	static const uint8_t good[sizeof(FCGI_EndRequestBody)]; /* also FCGI_REQUEST_COMPLETE */
	FCGI_Header header;
	size_t content;
	bool ended = false;

	for (size_t at = 0; read_header(bytes + at, length - at, &header, &content);) {
		assert(!text->complete);
		assert(header.type == (ended ? FCGI_END_REQUEST : FCGI_STDOUT));
		at += sizeof(header);
		if (ended) {
			assert(content == sizeof(good) && memcmp(bytes + at, good, content) == 0);
			text->complete = true;
		} else {
			memcpy(text->bytes + text->length, bytes + at, content);
			text->length += content;
			ended = content == 0;
		}
		at += content + header.paddingLength;
	}
}

/* Reads what the peer was sent. */
static void read_answer(const struct scene *scene, struct text *text)
{
	static uint8_t bytes[ANSWER_MAX];
	size_t length = 0;
	ssize_t more;

	while ((more = recv(scene->peer_fd, bytes + length, sizeof(bytes) - length, 0)) > 0)
		length += (size_t)more;
	assert(length >= scene->filled && length < sizeof(bytes));
	text->length = 0;
	text->complete = false;
	read_records(text, bytes + scene->filled, length - scene->filled);
}

/* Returns the value of a header line, up to the end of the head; NULL if there is no such line. */
static const char *header_value(const char *head, const char *name)
{
	const char *line = strstr(head, name);

	return line && (line == head || line[-1] == '\n') ? line + strlen(name) : NULL;
}

/* Checks that a body is a JSON object and a newline. */
static void check_json(const char *body, size_t length)
{
	struct json_tokener *tokener = json_tokener_new();

	assert(tokener && body[length - 1] == '\n');
	json_tokener_set_flags(tokener, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
	struct json_object *document = json_tokener_parse_ex(tokener, body, (int)length - 1);
	assert(json_object_is_type(document, json_type_object));
	assert(json_tokener_get_parse_end(tokener) == length - 1);
	json_object_put(document);
	json_tokener_free(tokener);
}

/* Checks the length and the content of a body. */
static void check_body(const char *head, const char *body, size_t length)
{
	const char *told = header_value(head, "Content-Length: ");
	char *end;

	assert(told);
	unsigned long expected = strtoul(told, &end, 10);
	assert(end != told && strncmp(end, "\r\n", 2) == 0);
	assert((expected > 0) == (header_value(head, "Content-Type: ") != NULL));
	assert(length == (request_has(&request, "REQUEST_METHOD", "HEAD") ? 0 : expected));
	if (length > 0)
		check_json(body, length);
}

/* Tells whether a parameter of the request is one of some values, of which NULL is the last. */
static bool is_one_of(const char *name, const char *const values[])
{
	while (*values && !request_has(&request, name, *values))
		values++;
	return *values != NULL;
}

/* Returns the status that the request is to be answered with. */
static long expected_status(void)
{
	static const char *const paths[] = {"/", "/health", "/info", NULL};
	static const char *const methods[] = {"GET", "HEAD", "OPTIONS", NULL};

	if (!is_one_of("SCRIPT_NAME", paths))
		return 404;
	return is_one_of("REQUEST_METHOD", methods) ? 200 : 405;
}

/* Checks a whole answer. */
static void check_answer(const struct text *text)
{
	const char *body = memmem(text->bytes, text->length, "\r\n\r\n", 4);

	assert(body);
	body += 4;
	size_t head_length = (size_t)(body - text->bytes);
	char *head = strndup(text->bytes, head_length);
	assert(head && strlen(head) == head_length);
	const char *status = header_value(head, "Status: ");
	assert(status && strtol(status, NULL, 10) == expected_status());
	check_body(head, body, text->length - head_length);
	free(head);
}

/* Has the request served; returns whether the connection is kept. */
static bool serve(const struct scene *scene, bool last)
{
	int64_t before = clock_ms();
	bool kept = exchange_serve(scene->fd, last);
	uint8_t byte;

	assert(clock_ms() - before < WAIT_MS);
	if (kept) /* then all of the request has been read */
		assert(recv(scene->fd, &byte, 1, 0) <= 0);
	else
		assert(close(scene->fd) < 0 && errno == EBADF);
	return kept;
}

/* Has the request answered; returns whether the connection is kept. */
static bool exchange(struct scene *scene, bool last)
{
	static struct text text;

	act(scene);
	bool kept = serve(scene, last);
	if (scene->peer == PEER_GONE) {
		assert(!kept);
		return false;
	}
	read_answer(scene, &text);
	assert(text.complete || scene->peer == PEER_FULL);
	assert(kept == (text.complete && request.keep_connection && !last));
	if (text.complete)
		check_answer(&text);
	return kept;
}

/* Sends the bytes, which are answered if they are a request; returns whether fd is still open. */
static bool take_turn(struct scene *scene)
{
	static uint8_t peeked[LOOK_MAX];
	size_t size;

	assert(send(scene->peer_fd, scene->bytes, scene->length, 0) == (ssize_t)scene->length);
	ssize_t length = recv(scene->fd, peeked, sizeof(peeked), MSG_PEEK);
	if (length <= 0 || look_request(peeked, (size_t)length, &size) != LOOK_WHOLE) {
		assert(close(scene->fd) == 0);
		return false;
	}
	assert(request_read(&request, scene->bytes, (size_t)length) && request.size == size);
	return exchange(scene, scene->last || size < scene->length);
}

/* Runs a scene on a new connection. */
static void play(struct scene *scene)
{
	int turns = scene->peer == PEER_ENDS ? 1 : TURNS;
	bool open = true;
	int ends[2];

	assert(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) == 0);
	scene->fd = ends[0];
	scene->peer_fd = ends[1];
	for (int turn = 0; open && turn < turns; turn++)
		open = take_turn(scene);
	if (open)
		assert(close(scene->fd) == 0);
	if (scene->peer_fd >= 0)
		assert(close(scene->peer_fd) == 0);
}

/* Plays the scene of one input. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	if (length == 0 || length > 2 * LOOK_MAX)
		return 0;
	unsigned what = bytes[length - 1];
	struct scene scene = {
		.peer = what & 3,
		.last = what & 4,
		.room = what >> 3,
		.bytes = bytes,
		.length = length - 1,
	};
	play(&scene);
	return 0;
}
