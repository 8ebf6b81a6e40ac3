#include "log.h"

#include <ctype.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { TEXT_MAX = 1000, LINE_MAX_BYTES = 64 + 4 * TEXT_MAX }; /* less than PIPE_BUF, so that poll tells of it all */

/* Copies text to line with control characters escaped; returns the bytes written. */
static size_t escape(char *line, const char *text)
{
	static const char hex[] = "0123456789abcdef";
	char *end = line;

	for (; *text; text++) {
		unsigned char byte = (unsigned char)*text;
		if (iscntrl(byte)) {
			*end++ = '\\';
			*end++ = 'x';
			*end++ = hex[byte >> 4];
			*end++ = hex[byte & 0xf];
		} else {
			*end++ = *text;
		}
	}
	return (size_t)(end - line);
}

/* Writes one line to standard error. */
void log_line(const char *format, ...)
{
	char text[TEXT_MAX];
	char line[LINE_MAX_BYTES];
	int prefix = snprintf(line, sizeof(line), "fcgi-app[%d]: ", (int)getpid());
	va_list arguments;

	va_start(arguments, format);
	int formatted = vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	if (prefix < 0 || formatted < 0)
		return;

	size_t length = (size_t)prefix + escape(line + prefix, text);
	line[length++] = '\n';
	/* A log that cannot be written, or that nobody reads, is no reason to stop serving: the line is lost. */
	struct pollfd log = {.fd = STDERR_FILENO, .events = POLLOUT};
	if (poll(&log, 1, 0) != 1 || write(STDERR_FILENO, line, length) < 0)
		return;
}
