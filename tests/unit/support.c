#include "support.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "record.h"

/* Appends bytes. */
void bytes_add(struct bytes *bytes, const void *more, size_t length)
{
	ck_assert_uint_le(bytes->length + length, BYTES_MAX);
	memcpy(bytes->data + bytes->length, more, length);
	bytes->length += length;
}

/* Appends a record with content. */
void bytes_record(struct bytes *bytes, uint8_t type, const void *content, size_t length)
{
	uint8_t header[FCGI_HEADER_LEN];

	record_write(header, &(struct record){.type = type, .id = 1, .content = (uint16_t)length});
	bytes_add(bytes, header, sizeof(header));
	bytes_add(bytes, content, length);
}

/* Appends a record of zeros. */
void bytes_header(struct bytes *bytes, uint8_t type, uint16_t id, uint16_t length, uint8_t padding)
{
	static const uint8_t zeros[UINT16_MAX + UINT8_MAX];
	uint8_t header[FCGI_HEADER_LEN];

	record_write(header, &(struct record){.type = type, .id = id, .content = length, .padding = padding});
	bytes_add(bytes, header, sizeof(header));
	bytes_add(bytes, zeros, (size_t)length + padding);
}

/* Appends BEGIN_REQUEST. */
void bytes_begin(struct bytes *bytes, uint8_t role, uint8_t flags)
{
	const uint8_t body[] = {0, role, flags, 0, 0, 0, 0, 0};

	bytes_record(bytes, FCGI_BEGIN_REQUEST, body, sizeof(body));
}

/* Appends a length of a name or value. */
static void add_length(struct bytes *bytes, size_t length)
{
	const uint8_t wide[] = {
		(uint8_t)(0x80 | length >> 24), (uint8_t)(length >> 16), (uint8_t)(length >> 8), (uint8_t)length};

	if (length < 0x80)
		bytes_add(bytes, &wide[3], 1);
	else
		bytes_add(bytes, wide, sizeof(wide));
}

/* Appends a name-value pair. */
void bytes_pair(struct bytes *bytes, const char *name, const char *value)
{
	add_length(bytes, strlen(name));
	add_length(bytes, strlen(value));
	bytes_add(bytes, name, strlen(name));
	bytes_add(bytes, value, strlen(value));
}

/* Appends a whole request. */
void bytes_request(struct bytes *bytes, const char *method, const char *path, uint8_t flags)
{
	static struct bytes params;

	params.length = 0;
	bytes_pair(&params, "REQUEST_METHOD", method);
	bytes_pair(&params, "SCRIPT_NAME", path);
	bytes_begin(bytes, FCGI_RESPONDER, flags);
	bytes_record(bytes, FCGI_PARAMS, params.data, params.length);
	bytes_record(bytes, FCGI_PARAMS, "", 0);
	bytes_record(bytes, FCGI_STDIN, "", 0);
}

/* Makes a pair of connected sockets. */
void socket_pair(int pair[2])
{
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair), 0);
}

/* Reads until the end. */
size_t read_all(int fd, char *text, size_t room)
{
	size_t length = 0;

	for (;;) {
		struct pollfd readable = {.fd = fd, .events = POLLIN};
		if (poll(&readable, 1, 2000) != 1)
			return length;
		ssize_t more = recv(fd, text + length, room - length, 0);
		if (more <= 0)
			return length;
		length += (size_t)more;
	}
}

/* Joins the STDOUT records of a reply. */
bool reply_text(const char *reply, size_t length, char *text, size_t room)
{
	const uint8_t *at = (const uint8_t *)reply;
	const uint8_t *end = at + length;
	size_t used = 0;

	while (end - at >= FCGI_HEADER_LEN) {
		struct record record;
		ck_assert(record_read(at, &record));
		ck_assert_uint_le(record_size(&record), (size_t)(end - at));
		if (record.type == FCGI_STDOUT) {
			ck_assert_uint_lt(used + record.content, room);
			memcpy(text + used, at + FCGI_HEADER_LEN, record.content);
			used += record.content;
		}
		at += record_size(&record);
		if (record.type == FCGI_END_REQUEST) {
			text[used] = '\0';
			return true;
		}
	}
	text[used] = '\0';
	return false;
}

/* Makes a directory that only this process uses. */
const char *temporary_directory(void)
{
	static char directory[] = "/tmp/fcgi-app-unit.XXXXXX";
	static pid_t owner;

	if (owner != getpid() || (access(directory, F_OK) != 0 && errno == ENOENT)) {
		strcpy(directory + strlen(directory) - 6, "XXXXXX");
		ck_assert_ptr_nonnull(mkdtemp(directory));
		owner = getpid();
	}
	return directory;
}

/* Returns a path in the temporary directory. */
const char *temporary_path(const char *name)
{
	static char paths[8][300];
	static unsigned next;
	char *path = paths[next++ % 8];

	ck_assert_int_lt(snprintf(path, sizeof(paths[0]), "%s/%s", temporary_directory(), name), sizeof(paths[0]));
	return path;
}

static int captured = -1;

/* Sends standard error to an unnamed file. */
void log_capture(void)
{
	captured = open("/tmp", O_TMPFILE | O_RDWR | O_APPEND, 0600);
	ck_assert_int_ge(captured, 0);
	ck_assert_int_eq(dup2(captured, STDERR_FILENO), STDERR_FILENO);
}

/* Reads what standard error got. */
const char *log_captured(void)
{
	static char text[20000];
	ssize_t length = pread(captured, text, sizeof(text) - 1, 0);

	ck_assert_int_ge(length, 0);
	ck_assert_int_eq(ftruncate(captured, 0), 0);
	text[length] = '\0';
	return text;
}

/* Waits for a child. */
int wait_child(pid_t pid)
{
	int status;

	for (int i = 0; i < 500; i++) {
		if (waitpid(pid, &status, WNOHANG) == pid)
			return status;
		sleep_ms(10);
	}
	(void)kill(pid, SIGKILL);
	(void)waitpid(pid, &status, 0);
	return -1;
}

/* Sleeps. */
void sleep_ms(int ms)
{
	const struct timespec time = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L};

	(void)nanosleep(&time, NULL);
}

/* Makes a case. */
TCase *case_with(const char *name, const TTest *const tests[], size_t count, void (*before)(void), void (*after)(void))
{
	TCase *tcase = tcase_create(name);

	tcase_add_checked_fixture(tcase, before, after);
	for (size_t i = 0; i < count; i++)
		tcase_add_test(tcase, tests[i]);
	tcase_set_timeout(tcase, 30);
	return tcase;
}

/* Makes a suite of one case. */
Suite *suite_with(const char *name, const TTest *const tests[], size_t count, void (*before)(void), void (*after)(void))
{
	Suite *suite = suite_create(name);

	suite_add_tcase(suite, case_with(name, tests, count, before, after));
	return suite;
}

/* Says what is left out. */
bool leave_out_if(bool condition, size_t count, const char *why)
{
	if (condition)
		printf("SKIP: %zu unit tests: %s\n", count, why);
	return condition;
}

/* Asks the environment, as Check does. */
bool tests_fork(void)
{
	const char *fork = getenv("CK_FORK");

	return !fork || strcmp(fork, "no") != 0;
}

/* Asks the environment. */
bool under_valgrind(void)
{
	return getenv("VALGRIND") != NULL;
}
