/* Calls that fail when told to. The linker's --wrap sends every call of NAME here, and __real_NAME to the real one. */
#include <errno.h>
#include <fcgiapp.h>
#include <json-c/json.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "support.h"

static struct {
	int after, times, error;
} armed[FAULTS];

/* Arms a fault. */
void fault_arm(enum fault fault, int after, int times, int error)
{
	armed[fault].after = after;
	armed[fault].times = times;
	armed[fault].error = error;
}

/* Tells whether this call is to fail, and sets errno. */
static bool fails(enum fault fault)
{
	if (armed[fault].times == 0 || armed[fault].after-- > 0)
		return false;
	armed[fault].times--;
	armed[fault].after = 0;
	errno = armed[fault].error;
	return true;
}

/* WRAP(FAULT, RESULT, NAME, FAILED, PARAMETERS, ARGUMENTS): defines __wrap_NAME. */
#define WRAP(fault, result, name, failed, parameters, arguments)                                                       \
	result __real_##name parameters;                                                                               \
	result __wrap_##name parameters;                                                                               \
	result __wrap_##name parameters                                                                                \
	{                                                                                                              \
		return fails(fault) ? (failed) : __real_##name arguments;                                              \
	}

WRAP(FAULT_MALLOC, void *, malloc, NULL, (size_t size), (size))
WRAP(FAULT_CALLOC, void *, calloc, NULL, (size_t count, size_t size), (count, size))
WRAP(FAULT_REALLOC, void *, realloc, NULL, (void *old, size_t size), (old, size))
WRAP(FAULT_NEW_OBJECT, struct json_object *, json_object_new_object, NULL, (void), ())
WRAP(FAULT_NEW_STRING, struct json_object *, json_object_new_string, NULL, (const char *text), (text))
WRAP(FAULT_TO_STRING, const char *, json_object_to_json_string_length, NULL,
	(struct json_object * object, int flags, size_t *length), (object, flags, length))
WRAP(FAULT_CLOCK_GETTIME, int, clock_gettime, -1, (clockid_t id, struct timespec *time), (id, time))
WRAP(FAULT_EPOLL_CREATE1, int, epoll_create1, -1, (int flags), (flags))
WRAP(FAULT_EPOLL_CTL, int, epoll_ctl, -1, (int epoll, int what, int fd, struct epoll_event *event),
	(epoll, what, fd, event))
WRAP(FAULT_EPOLL_WAIT, int, epoll_wait, -1, (int epoll, struct epoll_event *events, int most, int ms),
	(epoll, events, most, ms))
WRAP(FAULT_ACCEPT4, int, accept4, -1, (int fd, struct sockaddr *from, socklen_t *length, int flags),
	(fd, from, length, flags))
WRAP(FAULT_FORK, pid_t, fork, -1, (void), ())
WRAP(FAULT_PIPE2, int, pipe2, -1, (int ends[2], int flags), (ends, flags))
WRAP(FAULT_SIGPROCMASK, int, sigprocmask, -1, (int how, const sigset_t *set, sigset_t *old), (how, set, old))
WRAP(FAULT_SOCKET, int, socket, -1, (int domain, int type, int protocol), (domain, type, protocol))
WRAP(FAULT_LISTEN, int, listen, -1, (int fd, int backlog), (fd, backlog))
WRAP(FAULT_UNLINK, int, unlink, -1, (const char *path), (path))
WRAP(FAULT_INITGROUPS, int, initgroups, -1, (const char *name, gid_t group), (name, group))
WRAP(FAULT_GETRLIMIT, int, getrlimit, -1, (int resource, struct rlimit *limit), (resource, limit))
WRAP(FAULT_WRITE, ssize_t, write, -1, (int fd, const void *bytes, size_t size), (fd, bytes, size))
WRAP(FAULT_SCHED_GETAFFINITY, int, sched_getaffinity, -1, (pid_t pid, size_t size, cpu_set_t *set), (pid, size, set))
WRAP(FAULT_FCGX_INIT, int, FCGX_Init, armed[FAULT_FCGX_INIT].error, (void), ())
/* That which must not work is what is to be seen here: root can be had back. */
WRAP(FAULT_SETUID, int, setuid, 0, (uid_t uid), (uid))

int __real_prctl(int option, ...);
int __wrap_prctl(int option, ...);

/* prctl(2) has a variable number of arguments; all of the callers' are unsigned long or fit it. */
int __wrap_prctl(int option, ...)
{
	va_list arguments;
	unsigned long values[4];

	va_start(arguments, option);
	for (int i = 0; i < 4; i++)
		values[i] = va_arg(arguments, unsigned long);
	va_end(arguments);
	return fails(FAULT_PRCTL) ? -1 : __real_prctl(option, values[0], values[1], values[2], values[3]);
}
