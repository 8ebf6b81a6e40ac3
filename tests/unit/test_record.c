#include <string.h>

#include "record.h"
#include "support.h"

START_TEST(reads_what_section_3_3_lays_out)
{
	const uint8_t header[] = {1, FCGI_STDOUT, 0x12, 0x34, 0xab, 0xcd, 7, 0xff};
	struct record record;

	ck_assert(record_read(header, &record));
	ck_assert_int_eq(record.type, FCGI_STDOUT);
	ck_assert_int_eq(record.id, 0x1234);
	ck_assert_int_eq(record.content, 0xabcd);
	ck_assert_int_eq(record.padding, 7);
	ck_assert_uint_eq(record_size(&record), 8 + 0xabcd + 7);
}
END_TEST

START_TEST(writes_what_section_3_3_lays_out)
{
	const uint8_t expected[] = {1, FCGI_PARAMS, 0xfe, 0xdc, 0x01, 0x02, 0xff, 0};
	uint8_t header[FCGI_HEADER_LEN];

	record_write(header, &(struct record){.type = FCGI_PARAMS, .id = 0xfedc, .content = 0x0102, .padding = 255});
	ck_assert_mem_eq(header, expected, sizeof(expected));
}
END_TEST

START_TEST(refuses_another_version)
{
	const uint8_t versions[] = {0, 2, 255};

	for (size_t i = 0; i < sizeof(versions); i++) {
		const uint8_t header[FCGI_HEADER_LEN] = {versions[i], FCGI_STDIN, 0, 1};
		struct record record;
		ck_assert(!record_read(header, &record));
	}
}
END_TEST

Suite *record_suite(void)
{
	const TTest *const tests[] = {
		reads_what_section_3_3_lays_out, writes_what_section_3_3_lays_out, refuses_another_version};

	return SUITE_OF("record", tests);
}
