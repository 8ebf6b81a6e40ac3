/*
 * The header of a FastCGI record: FastCGI 1.0, section 3.3 "Records" and section 8 "Types and constants".
 * The constants (FCGI_BEGIN_REQUEST, FCGI_HEADER_LEN, ...) are those of libfcgi's <fastcgi.h>.
 */
#ifndef RECORD_H
#define RECORD_H

#include <fastcgi.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct record {
	uint8_t type;
	uint16_t id;
	uint16_t content; /* bytes */
	uint8_t padding; /* bytes */
};

/* Reads the header; false if it is not of version 1. */
bool record_read(const uint8_t header[FCGI_HEADER_LEN], struct record *record);

/* Writes the header. */
void record_write(uint8_t header[FCGI_HEADER_LEN], const struct record *record);

/* Bytes of the whole record: header, content, padding. */
size_t record_size(const struct record *record);

#endif
