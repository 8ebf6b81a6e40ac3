#include "timestamp.h"

#include <stdlib.h>

/* Writes a number with its leading zeros and returns the end. */
static char *digits(char *text, int count, long number)
{
	for (int i = count - 1; i >= 0; i--) {
		text[i] = (char)('0' + number % 10);
		number /= 10;
	}
	return text + count;
}

/* Writes a separator and two digits, and returns the end. */
static char *part(char *text, char separator, int number)
{
	*text = separator;
	return digits(text + 1, 2, number);
}

/* Writes a moment in the local time zone. */
bool timestamp_write(char text[TIMESTAMP_SIZE], const struct timespec *moment)
{
	struct tm tm;

	if (!localtime_r(&moment->tv_sec, &tm) || tm.tm_year < -1900 || tm.tm_year > 9999 - 1900)
		return false;
	int offset = abs((int)tm.tm_gmtoff);
	char *end = digits(text, 4, tm.tm_year + 1900);
	end = part(end, '-', tm.tm_mon + 1);
	end = part(end, '-', tm.tm_mday);
	end = part(end, 'T', tm.tm_hour);
	end = part(end, ':', tm.tm_min);
	end = part(end, ':', tm.tm_sec);
	*end++ = '.';
	end = digits(end, 6, moment->tv_nsec / 1000);
	end = part(end, tm.tm_gmtoff < 0 ? '-' : '+', offset / 3600);
	end = part(end, ':', offset / 60 % 60);
	if (offset % 60)
		end = part(end, ':', offset % 60);
	*end = '\0';
	return true;
}

/* Writes the present moment in the local time zone. */
bool timestamp_now(char text[TIMESTAMP_SIZE])
{
	struct timespec now;

	return clock_gettime(CLOCK_REALTIME, &now) == 0 && timestamp_write(text, &now);
}
