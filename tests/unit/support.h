/* What several unit tests need: FastCGI bytes, sockets, files, log lines, and calls that fail when told to. */
#ifndef SUPPORT_H
#define SUPPORT_H

#include <check.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum { BYTES_MAX = 70000 };

/* Bytes to be sent, built up by the functions below. */
struct bytes {
	size_t length;
	uint8_t data[BYTES_MAX];
};

void bytes_add(struct bytes *bytes, const void *more, size_t length);
/* A record of request 1 with the given content, without padding. */
void bytes_record(struct bytes *bytes, uint8_t type, const void *content, size_t length);
/* The same with anything that a header can say; the content is filled up with zeros to length. */
void bytes_header(struct bytes *bytes, uint8_t type, uint16_t id, uint16_t length, uint8_t padding);
void bytes_begin(struct bytes *bytes, uint8_t role, uint8_t flags);
void bytes_pair(struct bytes *bytes, const char *name, const char *value);
/* A whole request. */
void bytes_request(struct bytes *bytes, const char *method, const char *path, uint8_t flags);

/* A connected pair of non-blocking Unix sockets. */
void socket_pair(int pair[2]);
/* Everything that can be read from a socket until it closes or 2 s have passed with nothing; returns the bytes. */
size_t read_all(int fd, char *text, size_t room);
/* The content of the STDOUT records in a reply, as a string; returns whether END_REQUEST came, too. */
bool reply_text(const char *reply, size_t length, char *text, size_t room);

/* A new directory of the test's own, and the path of a name in it; the last eight paths stay valid. */
const char *temporary_directory(void);
const char *temporary_path(const char *name);

/* Sends standard error to a file from here on; returns what has come since, as a string (one static buffer). */
void log_capture(void);
const char *log_captured(void);

/* Waits for a child, 5 s at most; returns its status as of waitpid, or -1 (the child is killed then). */
int wait_child(pid_t pid);
void sleep_ms(int ms);

/* Calls that can be made to fail with errno: the first `after` calls still work, then `times` fail. */
enum fault {
	FAULT_MALLOC,
	FAULT_CALLOC,
	FAULT_REALLOC,
	FAULT_NEW_OBJECT,
	FAULT_NEW_STRING,
	FAULT_TO_STRING,
	FAULT_CLOCK_GETTIME,
	FAULT_EPOLL_CREATE1,
	FAULT_EPOLL_CTL,
	FAULT_EPOLL_WAIT,
	FAULT_ACCEPT4,
	FAULT_FORK,
	FAULT_PIPE2,
	FAULT_SIGPROCMASK,
	FAULT_PRCTL,
	FAULT_SOCKET,
	FAULT_LISTEN,
	FAULT_UNLINK,
	FAULT_INITGROUPS,
	FAULT_SETUID,
	FAULT_GETRLIMIT,
	FAULT_WRITE,
	FAULT_SCHED_GETAFFINITY,
	FAULT_FCGX_INIT,
	FAULTS
};
void fault_arm(enum fault fault, int after, int times, int error);

/* The suites, one for each module. */
Suite *answer_suite(void);
Suite *clock_suite(void);
Suite *connections_suite(void);
Suite *endpoints_suite(void);
Suite *exchange_suite(void);
Suite *json_suite(void);
Suite *listener_suite(void);
Suite *log_suite(void);
Suite *look_suite(void);
Suite *master_suite(void);
Suite *options_suite(void);
Suite *privileges_suite(void);
Suite *probe_suite(void);
Suite *record_suite(void);
Suite *routes_suite(void);
Suite *text_suite(void);
Suite *timestamp_suite(void);
Suite *worker_suite(void);

/* A case, and a suite of one case, of tests that each have before() run before them and after() behind; or NULL. */
TCase *case_with(const char *name, const TTest *const tests[], size_t count, void (*before)(void), void (*after)(void));
Suite *suite_with(
	const char *name, const TTest *const tests[], size_t count, void (*before)(void), void (*after)(void));
#define CASE_WITH(name, tests, before, after) case_with(name, tests, sizeof(tests) / sizeof((tests)[0]), before, after)
#define SUITE_WITH(name, tests, before, after)                                                                         \
	suite_with(name, tests, sizeof(tests) / sizeof((tests)[0]), before, after)
#define SUITE_OF(name, tests) SUITE_WITH(name, tests, NULL, NULL)

/* Leaves tests out, and says so; returns true if that is what the environment asks for. */
bool leave_out_if(bool condition, size_t count, const char *why);
/* Whether each test runs in a process of its own (Check's default, unless CK_FORK=no). */
bool tests_fork(void);
/* Whether valgrind runs the tests, which keeps some descriptors and the limit on them to itself (VALGRIND=yes). */
bool under_valgrind(void);

#endif
