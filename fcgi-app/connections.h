/*
 * The connections of one worker: each is watched by the worker's epoll, edge-triggered, and looked at when bytes
 * arrive. One that sends a whole request is served; one that sends something else, or half of something for too long, is
 * cut, and a log line counts the cuts (the first at once, later ones together, every ten seconds at most).
 *
 * Times are those of clock_ms.
 */
#ifndef CONNECTIONS_H
#define CONNECTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	CONNECTIONS_REQUEST_MS = 10000, /* from accept, or from its first byte, until a request is whole */
	CONNECTIONS_IDLE_MS = 75000 /* between requests: longer than nginx keeps one (60 s) */
};

/* Serves the whole request on fd; true if fd stays open (exchange_serve). */
typedef bool connections_serve(int fd, bool last);

struct connections;
struct connection;

/* Returns an empty set whose members epoll watches, to be freed by the caller; NULL if memory ran out. */
struct connections *connections_new(int epoll, connections_serve *serve);

/* Adds an accepted, non-blocking socket, or closes it if there is no memory for it. */
void connections_add(struct connections *set, int fd, int64_t now);

/* Handles what epoll reported (its events, and its data.ptr). The connection may be gone afterwards. */
void connections_handle(struct connections *set, struct connection *connection, uint32_t events, int64_t now);

/* Returns when the next limit will be exceeded; INT64_MAX if there is no connection. */
int64_t connections_next_limit(const struct connections *set);

/* Cuts what has exceeded its limit. */
void connections_expire(struct connections *set, int64_t now);

/* Takes nothing more from anybody: what has been sent is still answered, and each connection then closed. */
void connections_drain(struct connections *set);

size_t connections_count(const struct connections *set);

/* Closes all connections and frees the set. */
void connections_free(struct connections *set);

#endif
