#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "listener.h"
#include "support.h"

static struct listener listener, second;

/* Checks that a path is refused with one line that holds text. */
static void assert_refused(const char *path, const char *text)
{
	(void)log_captured();
	ck_assert(!listener_open(&second, path));
	const char *line = log_captured();
	ck_assert_msg(strstr(line, text) != NULL, "'%s' does not say '%s'", line, text);
	ck_assert_ptr_eq(strchr(line, '\n'), line + strlen(line) - 1);
}

/* Captures the log. */
static void open_log(void)
{
	log_capture();
}

/* Removes the test's directory. */
static void remove_directory(void)
{
	(void)unlink(temporary_path("socket"));
	(void)rmdir(temporary_directory());
}

START_TEST(listens_with_mode_0660_whatever_the_umask)
{
	struct stat status;
	mode_t before = umask(0);

	ck_assert(listener_open(&listener, temporary_path("socket")));
	ck_assert_int_eq(umask(before), 0);
	ck_assert_int_eq(stat(listener.path, &status), 0);
	ck_assert_int_eq(status.st_mode, S_IFSOCK | 0660);
	ck_assert_int_eq(fcntl(listener.fd, F_GETFD), FD_CLOEXEC);
	ck_assert_int_ne(fcntl(listener.fd, F_GETFL) & O_NONBLOCK, 0);
	int client = listener_connect(listener.path);
	ck_assert_int_ge(client, 0);
	(void)close(client);
	listener_close(&listener);
	ck_assert_int_eq(access(temporary_path("socket"), F_OK), -1);
}
END_TEST

START_TEST(replaces_what_is_left_over)
{
	ck_assert(listener_open(&listener, temporary_path("socket")));
	(void)close(listener.fd); /* as a process that was killed */
	ck_assert(listener_open(&second, temporary_path("socket")));
	listener_close(&second);
}
END_TEST

START_TEST(leaves_alone_what_somebody_answers_on)
{
	ck_assert(listener_open(&listener, temporary_path("socket")));
	assert_refused(temporary_path("socket"), "in use by another process");
	int client = listener_connect(temporary_path("socket"));
	ck_assert_int_ge(client, 0);
	(void)close(client);
	listener_close(&listener);
}
END_TEST

START_TEST(a_full_queue_is_in_use_too)
{
	int clients[2];

	ck_assert(listener_open(&listener, temporary_path("socket")));
	ck_assert_int_eq(listen(listener.fd, 0), 0);
	clients[0] = listener_connect(listener.path);
	clients[1] = listener_connect(listener.path);
	ck_assert_int_eq(clients[1], -1);
	ck_assert_int_eq(errno, EAGAIN);
	assert_refused(temporary_path("socket"), "in use by another process");
	(void)close(clients[0]);
	listener_close(&listener);
}
END_TEST

START_TEST(a_socket_that_cannot_be_asked_is_left_alone)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	int datagrams = socket(AF_UNIX, SOCK_DGRAM, 0);

	strcpy(at.sun_path, temporary_path("socket"));
	ck_assert_int_eq(bind(datagrams, (struct sockaddr *)&at, sizeof(at)), 0);
	assert_refused(temporary_path("socket"), "cannot be asked: Protocol wrong type for socket");
	ck_assert_int_eq(access(temporary_path("socket"), F_OK), 0);
	(void)close(datagrams);
}
END_TEST

START_TEST(leaves_other_files_alone)
{
	int file = open(temporary_path("file"), O_CREAT | O_WRONLY, 0600);

	ck_assert_int_ge(file, 0);
	(void)close(file);
	assert_refused(temporary_path("file"), "is there already, and is not a socket");
	assert_refused(temporary_directory(), "is there already, and is not a socket");
	ck_assert_int_eq(symlink("/nowhere", temporary_path("link")), 0);
	assert_refused(temporary_path("link"), "is there already, and is not a socket");
	ck_assert_int_eq(unlink(temporary_path("file")) | unlink(temporary_path("link")), 0);
}
END_TEST

START_TEST(needs_a_directory_and_a_short_path)
{
	char path[200];

	assert_refused(temporary_path("missing/socket"), "cannot lock its directory: No such file or directory");
	memset(path, 'p', sizeof(path));
	path[108] = '\0';
	assert_refused(path, "File name too long");
	ck_assert_int_eq(listener_connect(path), -1);
	ck_assert_int_eq(errno, ENAMETOOLONG);
	assert_refused("/dev/null/socket", "Not a directory");
}
END_TEST

START_TEST(does_not_wait_long_for_a_locked_directory)
{
	int lock = open(temporary_directory(), O_RDONLY);

	ck_assert_int_eq(flock(lock, LOCK_EX), 0);
	assert_refused(temporary_path("socket"), "cannot lock its directory: Resource temporarily unavailable");
	(void)close(lock);
	ck_assert(listener_open(&listener, temporary_path("socket")));
	listener_close(&listener);
}
END_TEST

START_TEST(says_why_it_cannot_listen)
{
	fault_arm(FAULT_SOCKET, 0, 1, EMFILE);
	assert_refused(temporary_path("socket"), "cannot listen: Too many open files");
	fault_arm(FAULT_LISTEN, 0, 1, EADDRINUSE);
	assert_refused(temporary_path("socket"), "cannot listen: Address already in use");
	ck_assert_int_eq(access(temporary_path("socket"), F_OK), -1);
	ck_assert(listener_open(&listener, temporary_path("socket")));
	(void)close(listener.fd);
	fault_arm(FAULT_UNLINK, 0, 1, EACCES);
	assert_refused(temporary_path("socket"), "left over, and cannot be removed: Permission denied");
}
END_TEST

/* A directory that may be read but not entered, by somebody who is not root. */
START_TEST(says_why_it_cannot_look)
{
	const uid_t nobody = 65534;

	if (geteuid() == 0) {
		ck_assert_int_eq(chown(temporary_directory(), nobody, (gid_t)-1), 0);
		ck_assert_int_eq(seteuid(nobody), 0);
	}
	ck_assert_int_eq(chmod(temporary_directory(), 0400), 0);
	assert_refused(temporary_path("socket"), "socket: Permission denied");
	ck_assert_int_eq(chmod(temporary_directory(), 0700), 0);
	ck_assert_int_eq(seteuid(getuid()), 0);
}
END_TEST

START_TEST(closing_removes_only_its_own_file)
{
	ck_assert(listener_open(&listener, temporary_path("socket")));
	ck_assert_int_eq(unlink(temporary_path("socket")), 0);
	ck_assert(listener_open(&second, temporary_path("socket")));
	listener_close(&listener);
	int client = listener_connect(temporary_path("socket"));
	ck_assert_int_ge(client, 0);
	(void)close(client);
	fault_arm(FAULT_UNLINK, 0, 1, EACCES);
	listener_close(&second);
	ck_assert_ptr_nonnull(strstr(log_captured(), "cannot be removed: Permission denied"));
}
END_TEST

Suite *listener_suite(void)
{
	const TTest *const tests[] = {listens_with_mode_0660_whatever_the_umask, replaces_what_is_left_over,
		leaves_alone_what_somebody_answers_on, a_full_queue_is_in_use_too,
		a_socket_that_cannot_be_asked_is_left_alone, leaves_other_files_alone,
		needs_a_directory_and_a_short_path, does_not_wait_long_for_a_locked_directory,
		says_why_it_cannot_listen, says_why_it_cannot_look, closing_removes_only_its_own_file};

	return SUITE_WITH("listener", tests, open_log, remove_directory);
}
