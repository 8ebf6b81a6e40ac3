/*
 * The listening Unix socket: stream, mode 0660, non-blocking, close-on-exec. One that is left over from a process that
 * died is replaced; one that somebody answers on, or a file of another kind, is not touched.
 */
#ifndef LISTENER_H
#define LISTENER_H

#include <stdbool.h>
#include <sys/types.h>

enum { LISTENER_BACKLOG = 4096 };

struct listener {
	int fd;
	const char *path; /* the caller's, kept */
	dev_t device; /* which file is ours */
	ino_t inode;
};

/* Opens the socket at path; false, with a log line, if it cannot or must not. */
bool listener_open(struct listener *listener, const char *path);

/* Closes the socket, and removes its file if that is still ours. */
void listener_close(struct listener *listener);

/* Connects to a Unix socket without waiting; returns the non-blocking descriptor, or -1 and errno. */
int listener_connect(const char *path);

#endif
