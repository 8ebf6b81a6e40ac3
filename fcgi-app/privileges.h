/*
 * What a process gives up before it serves.
 */
#ifndef PRIVILEGES_H
#define PRIVILEGES_H

#include <stdbool.h>

enum { PRIVILEGES_DESCRIPTORS = 4096 };

/*
 * Becomes the user named run_as, with its groups and for good, if the process is root's; run_as NULL: stays who it is.
 * False, with a log line, if that is root, or cannot be done.
 */
bool privileges_become(const char *run_as);

/* Gives up new privileges, core dumps and being traced, and limits open descriptors; false, with a log line, if not. */
bool privileges_limit(void);

#endif
