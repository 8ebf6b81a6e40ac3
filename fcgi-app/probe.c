#include "probe.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clock.h"
#include "listener.h"
#include "log.h"
#include "record.h"

enum { REQUEST_ID = 1, REPLY_MAX = 4096 };

/* Appends a record to a request and returns its end. */
static uint8_t *append(uint8_t *end, uint8_t type, const void *content, size_t length)
{
	record_write(end, &(struct record){.type = type, .id = REQUEST_ID, .content = (uint16_t)length});
	return mempcpy(end + FCGI_HEADER_LEN, content, length);
}

/* Sends GET /health; it fits any socket's buffer. */
static bool ask(int fd)
{
	static const uint8_t begin[] = {0, FCGI_RESPONDER, 0, 0, 0, 0, 0, 0};
	static const char params[] = "\016\003REQUEST_METHODGET\013\007SCRIPT_NAME/health";
	uint8_t request[256];
	uint8_t *end = append(request, FCGI_BEGIN_REQUEST, begin, sizeof(begin));

	end = append(end, FCGI_PARAMS, params, sizeof(params) - 1);
	end = append(end, FCGI_PARAMS, "", 0);
	end = append(end, FCGI_STDIN, "", 0);
	return send(fd, request, (size_t)(end - request), MSG_NOSIGNAL) == end - request;
}

/* Reads until the peer closes or limit; returns the bytes read, or -1 and errno. */
static ssize_t receive(int fd, uint8_t *reply, size_t room, int64_t limit)
{
	size_t length = 0;

	while (length < room) {
		struct pollfd readable = {.fd = fd, .events = POLLIN};
		int ready = poll(&readable, 1, clock_until(clock_ms(), limit));
		if (ready == 0)
			errno = ETIMEDOUT;
		if (ready <= 0)
			return -1;
		ssize_t more = read(fd, reply + length, room - length);
		if (more < 0)
			return -1;
		if (more == 0)
			break;
		length += (size_t)more;
	}
	return (ssize_t)length;
}

/* Tells whether a reply is a complete 200 with the healthy document. */
static bool is_healthy(const uint8_t *reply, size_t length)
{
	static const char status[] = "Status: 200 ";
	static const char body[] = "\r\n\r\n{\"status\":\"healthy\"}\n";
	const uint8_t *text = reply + FCGI_HEADER_LEN;
	struct record record;

	if (length < FCGI_HEADER_LEN || !record_read(reply, &record) || record.type != FCGI_STDOUT ||
		record_size(&record) > length)
		return false;
	size_t at = record.content;
	return at > sizeof(status) + sizeof(body) && memcmp(text, status, sizeof(status) - 1) == 0 &&
		memcmp(text + at - (sizeof(body) - 1), body, sizeof(body) - 1) == 0;
}

/* Asks a responder how it is. */
bool probe_health(const char *path)
{
	uint8_t reply[REPLY_MAX];
	int64_t limit = clock_ms() + PROBE_LIMIT_MS;
	int fd = listener_connect(path);
	ssize_t length = fd >= 0 && ask(fd) ? receive(fd, reply, sizeof(reply), limit) : -1;
	bool healthy = length >= 0 && is_healthy(reply, (size_t)length);

	if (length < 0)
		log_line("unhealthy: %s: %s", path, strerror(errno));
	else if (!healthy)
		log_line("unhealthy: %s: not the answer of a healthy responder", path);
	if (fd >= 0)
		(void)close(fd);
	return healthy;
}
