#include "record.h"

/* Reads a record's header. */
bool record_read(const uint8_t header[FCGI_HEADER_LEN], struct record *record)
{
	record->type = header[1];
	record->id = (uint16_t)(header[2] << 8 | header[3]);
	record->content = (uint16_t)(header[4] << 8 | header[5]);
	record->padding = header[6];
	return header[0] == FCGI_VERSION_1;
}

/* Writes a record's header. */
void record_write(uint8_t header[FCGI_HEADER_LEN], const struct record *record)
{
	header[0] = FCGI_VERSION_1;
	header[1] = record->type;
	header[2] = (uint8_t)(record->id >> 8);
	header[3] = (uint8_t)(record->id & 0xff);
	header[4] = (uint8_t)(record->content >> 8);
	header[5] = (uint8_t)(record->content & 0xff);
	header[6] = record->padding;
	header[7] = 0;
}

/* Returns the bytes of a whole record. */
size_t record_size(const struct record *record)
{
	return (size_t)FCGI_HEADER_LEN + record->content + record->padding;
}
