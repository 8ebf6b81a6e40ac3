/* Fuzzes look_request with any bytes, against what look.h promises and another reader. */
#undef NDEBUG
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "request.h"

enum { PREFIXES = 64, BEHIND = 64 };

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

/* Looks at a copy of the bytes, in memory that ends where they end. */
static enum look look(const uint8_t *bytes, size_t length, size_t *request)
{
	uint8_t *memory = malloc(1 + length);

	assert(memory);
	memcpy(memory + 1, bytes, length);
	enum look result = look_request(memory + 1, length, request);
	free(memory);
	assert(result == LOOK_PARTIAL || result == LOOK_WHOLE || result == LOOK_BROKEN);
	return result;
}

/* Checks that bytes of any value behind a result leave it as it is. */
static void check_behind(const uint8_t *bytes, size_t length, enum look result)
{
	static uint8_t longer[LOOK_MAX + BEHIND];

	memcpy(longer, bytes, length);
	for (int value = 0; value <= UINT8_MAX; value += UINT8_MAX / 5) {
		size_t request = 0;
		memset(longer + length, value, BEHIND);
		assert(look(longer, length + BEHIND, &request) == result);
		assert(result != LOOK_WHOLE || request == length);
	}
}

/* Checks that no beginning of a whole request is anything but partial: all short and last ones. */
static void check_beginnings(const uint8_t *bytes, size_t length)
{
	size_t step = 1;
	size_t request;

	for (size_t shorter = 0; shorter < length; shorter += step) {
		assert(look(bytes, shorter, &request) == LOOK_PARTIAL);
		step = length - shorter > 2 * PREFIXES ? 1 + shorter / PREFIXES : 1;
	}
}

/* Looks at one input. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	static struct request expected;
	size_t request = 0;

	if (length > LOOK_MAX)
		return 0;
	enum look result = look(bytes, length, &request);
	assert((result == LOOK_WHOLE) == request_read(&expected, bytes, length));
	if (result == LOOK_WHOLE) {
		assert(request > 0 && request <= length && request == expected.size);
		check_behind(bytes, request, LOOK_WHOLE);
		check_beginnings(bytes, request);
	} else if (result == LOOK_BROKEN) {
		check_behind(bytes, length, LOOK_BROKEN);
	}
	return 0;
}
