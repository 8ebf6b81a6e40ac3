/*
 * Log lines on standard error: "fcgi-app[PID]: text". One write(2) a line, so that the lines of several processes
 * never mix; control characters come out as \xNN, so that no value can forge a line; what is too long is cut.
 */
#ifndef LOG_H
#define LOG_H

void log_line(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
