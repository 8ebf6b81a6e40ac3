#include "connections.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <unistd.h>

#include "log.h"
#include "look.h"

enum { REPORT_MS = 10000 };

enum cut { CUT_BROKEN, CUT_LARGE, CUT_CLOSED, CUT_SLOW, CUT_KINDS };

struct connection {
	int fd;
	bool idle; /* between two requests */
	int64_t limit; /* when it will have taken too long */
	TAILQ_ENTRY(connection) link;
};

TAILQ_HEAD(queue, connection);

/* Each queue is in the order of its limits, since in each the allowed time is the same for all. */
struct connections {
	int epoll;
	connections_serve *serve;
	struct queue asking; /* a request is due */
	struct queue idle;
	size_t count;
	unsigned long cuts[CUT_KINDS]; /* since the last report */
	int64_t report; /* when the next one may come */
	uint8_t bytes[LOOK_MAX];
};

/* Returns a new, empty set. */
struct connections *connections_new(int epoll, connections_serve *serve)
{
	struct connections *set = calloc(1, sizeof(*set));

	if (!set)
		return NULL;
	set->epoll = epoll;
	set->serve = serve;
	TAILQ_INIT(&set->asking);
	TAILQ_INIT(&set->idle);
	return set;
}

/* Returns the queue that a connection is in. */
static struct queue *queue_of(struct connections *set, const struct connection *connection)
{
	return connection->idle ? &set->idle : &set->asking;
}

/* Moves a connection to the end of its new queue. */
static void requeue(struct connections *set, struct connection *connection, bool idle, int64_t now)
{
	TAILQ_REMOVE(queue_of(set, connection), connection, link);
	connection->idle = idle;
	connection->limit = now + (idle ? CONNECTIONS_IDLE_MS : CONNECTIONS_REQUEST_MS);
	TAILQ_INSERT_TAIL(queue_of(set, connection), connection, link);
}

/* Takes a connection out of the set; its descriptor is closed already. */
static void forget(struct connections *set, struct connection *connection)
{
	TAILQ_REMOVE(queue_of(set, connection), connection, link);
	set->count--;
	free(connection);
}

/* Closes a connection. */
static void drop(struct connections *set, struct connection *connection)
{
	(void)close(connection->fd); /* nothing of ours is left to be written */
	forget(set, connection);
}

/* Says how many connections were cut, and why, since it was said last. */
static void report(struct connections *set, int64_t now)
{
	unsigned long *cuts = set->cuts;

	if (now < set->report || cuts[CUT_BROKEN] + cuts[CUT_LARGE] + cuts[CUT_CLOSED] + cuts[CUT_SLOW] == 0)
		return;
	log_line("cut connections: %lu malformed, %lu too large, %lu closed half-way, %lu too slow", cuts[CUT_BROKEN],
		cuts[CUT_LARGE], cuts[CUT_CLOSED], cuts[CUT_SLOW]);
	memset(set->cuts, 0, sizeof(set->cuts));
	set->report = now + REPORT_MS;
}

/* Closes a connection whose peer is at fault. */
static void cut(struct connections *set, struct connection *connection, enum cut why, int64_t now)
{
	drop(set, connection);
	set->cuts[why]++;
	report(set, now);
}

/* Adds a socket to the set. */
void connections_add(struct connections *set, int fd, int64_t now)
{
	struct connection *connection = calloc(1, sizeof(*connection));
	struct epoll_event event = {.events = EPOLLIN | EPOLLRDHUP | EPOLLET, .data.ptr = connection};

	if (!connection || epoll_ctl(set->epoll, EPOLL_CTL_ADD, fd, &event) != 0) {
		log_line("cannot take a connection: %s", strerror(errno));
		(void)close(fd);
		free(connection);
		return;
	}
	connection->fd = fd;
	connection->limit = now + CONNECTIONS_REQUEST_MS;
	TAILQ_INSERT_TAIL(&set->asking, connection, link);
	set->count++;
}

/* Serves a whole request; peers that sent more than that, or have closed, are not kept. */
static void serve(struct connections *set, struct connection *connection, bool last, int64_t now)
{
	if (set->serve(connection->fd, last))
		requeue(set, connection, true, now);
	else
		forget(set, connection);
}

/* Waits for the rest of a request, if there can be one. */
static void await(struct connections *set, struct connection *connection, bool closed, size_t length, int64_t now)
{
	if (length == LOOK_MAX)
		cut(set, connection, CUT_LARGE, now);
	else if (closed)
		cut(set, connection, CUT_CLOSED, now);
	else if (connection->idle)
		requeue(set, connection, false, now);
}

/* Looks at what has arrived on a connection. */
void connections_handle(struct connections *set, struct connection *connection, uint32_t events, int64_t now)
{
	bool closed = events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR);
	ssize_t length = recv(connection->fd, set->bytes, sizeof(set->bytes), MSG_PEEK);
	size_t request = 0;

	if (length < 0 && (errno == EAGAIN || errno == EINTR) && !closed)
		return;
	if (length <= 0) {
		drop(set, connection);
		return;
	}
	switch (look_request(set->bytes, (size_t)length, &request)) {
	case LOOK_WHOLE:
		serve(set, connection, closed || request < (size_t)length, now);
		break;
	case LOOK_PARTIAL:
		await(set, connection, closed, (size_t)length, now);
		break;
	case LOOK_BROKEN:
		cut(set, connection, CUT_BROKEN, now);
		break;
	}
}

/* Returns when the next limit will be exceeded. */
int64_t connections_next_limit(const struct connections *set)
{
	int64_t asking = TAILQ_EMPTY(&set->asking) ? INT64_MAX : TAILQ_FIRST(&set->asking)->limit;
	int64_t idle = TAILQ_EMPTY(&set->idle) ? INT64_MAX : TAILQ_FIRST(&set->idle)->limit;

	return asking < idle ? asking : idle;
}

/* Cuts connections that have taken too long. */
void connections_expire(struct connections *set, int64_t now)
{
	while (!TAILQ_EMPTY(&set->asking) && TAILQ_FIRST(&set->asking)->limit <= now)
		cut(set, TAILQ_FIRST(&set->asking), CUT_SLOW, now);
	while (!TAILQ_EMPTY(&set->idle) && TAILQ_FIRST(&set->idle)->limit <= now)
		drop(set, TAILQ_FIRST(&set->idle));
}

/* Shuts the receiving side of every connection: peers get EPIPE from now on, and epoll reports each connection. */
void connections_drain(struct connections *set)
{
	struct connection *connection;

	TAILQ_FOREACH(connection, &set->asking, link)
		(void)shutdown(connection->fd, SHUT_RD); /* fails only where the peer is gone already */
	TAILQ_FOREACH(connection, &set->idle, link)
		(void)shutdown(connection->fd, SHUT_RD);
}

/* Returns how many connections there are. */
size_t connections_count(const struct connections *set)
{
	return set->count;
}

/* Closes all connections in a queue. */
static void drop_all(struct connections *set, struct queue *queue)
{
	while (!TAILQ_EMPTY(queue)) {
		/* The analyzer does not see that a connection is taken out of the queue that it is in. */
		drop(set, TAILQ_FIRST(queue)); /* NOLINT(clang-analyzer-unix.Malloc) */
	}
}

/* Closes and frees everything. */
void connections_free(struct connections *set)
{
	if (!set)
		return;
	drop_all(set, &set->asking);
	drop_all(set, &set->idle);
	set->report = 0;
	report(set, 0);
	free(set);
}
