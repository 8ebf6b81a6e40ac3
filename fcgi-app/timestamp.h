/*
 * Moments as Python's datetime.isoformat writes them, in the local time zone: ISO 8601 with microseconds (always) and
 * UTC offset, "2026-11-24T09:30:00.000001+01:00"; the offset has seconds where the zone has.
 */
#ifndef TIMESTAMP_H
#define TIMESTAMP_H

#include <stdbool.h>
#include <time.h>

enum { TIMESTAMP_SIZE = sizeof("9999-12-31T23:59:59.999999+23:59:59") };

/* Writes a moment; false if it lies outside the years 0 to 9999. */
bool timestamp_write(char text[TIMESTAMP_SIZE], const struct timespec *moment);

/* Writes the present moment. */
bool timestamp_now(char text[TIMESTAMP_SIZE]);

#endif
