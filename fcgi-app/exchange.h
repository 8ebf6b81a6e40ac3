/*
 * One request and its answer, through libfcgi, on a connection where a whole request has been seen (look.h).
 */
#ifndef EXCHANGE_H
#define EXCHANGE_H

#include <stdbool.h>

/* Prepares libfcgi, once in a process; false, with a log line, if that fails. Leaves the signals as they were. */
bool exchange_open(void);

/*
 * Serves the request that lies whole in the socket fd, which is non-blocking, and never waits. Returns true if fd is
 * still open: false if the peer did not want it kept, if last is set, or if the answer did not fit the socket's buffer.
 */
bool exchange_serve(int fd, bool last);

#endif
