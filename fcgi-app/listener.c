#include "listener.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "log.h"

enum { LOCK_TRIES = 20, LOCK_PAUSE_MS = 50 };

/* Writes the socket address of a path; false if it is too long. */
static bool address(struct sockaddr_un *address, const char *path)
{
	*address = (struct sockaddr_un){.sun_family = AF_UNIX};
	if (strlen(path) >= sizeof(address->sun_path)) {
		errno = ENAMETOOLONG;
		return false;
	}
	memcpy(address->sun_path, path, strlen(path) + 1);
	return true;
}

/* Returns a new Unix socket, or -1. */
static int unix_socket(void)
{
	return socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
}

/* Connects to a Unix socket. */
int listener_connect(const char *path)
{
	struct sockaddr_un to;
	int fd = address(&to, path) ? unix_socket() : -1;

	if (fd >= 0 && connect(fd, (const struct sockaddr *)&to, sizeof(to)) != 0) {
		int error = errno;
		(void)close(fd);
		errno = error;
		return -1;
	}
	return fd;
}

/* Takes the lock on the socket's directory, so that of two that start at once one sees the other; returns it, or -1. */
static int lock_directory(const char *path)
{
	const struct timespec pause = {.tv_nsec = LOCK_PAUSE_MS * 1000000L};
	char copy[sizeof(((struct sockaddr_un *)0)->sun_path)];

	(void)snprintf(copy, sizeof(copy), "%s", path); /* its length has been checked */
	int fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int tries = 0;
	while (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) != 0) {
		if (errno == EWOULDBLOCK && ++tries < LOCK_TRIES && nanosleep(&pause, NULL) == 0)
			continue;
		int error = errno;
		(void)close(fd);
		errno = error;
		return -1;
	}
	return fd;
}

/* Tells whether nobody answers on a socket any more; says so if somebody does, or if that cannot be told. */
static bool is_left_over(const char *path)
{
	int fd = listener_connect(path);

	if (fd < 0 && errno == ECONNREFUSED)
		return true;
	if (fd < 0 && errno != EAGAIN) {
		log_line("%s: is there already, and cannot be asked: %s", path, strerror(errno));
		return false;
	}
	if (fd >= 0)
		(void)close(fd);
	log_line("%s: in use by another process", path);
	return false;
}

/* Removes a socket that is left over; false, with a log line, if something else is in the way. */
static bool clear_path(const char *path)
{
	struct stat status;

	if (lstat(path, &status) != 0) {
		if (errno == ENOENT)
			return true;
		log_line("%s: %s", path, strerror(errno));
		return false;
	}
	if (!S_ISSOCK(status.st_mode)) {
		log_line("%s: is there already, and is not a socket", path);
		return false;
	}
	if (!is_left_over(path))
		return false;
	if (unlink(path) != 0) {
		log_line("%s: left over, and cannot be removed: %s", path, strerror(errno));
		return false;
	}
	return true;
}

/* Binds and listens; the mode is right from the first moment. */
static bool bind_path(struct listener *listener, const struct sockaddr_un *at)
{
	struct stat status;
	mode_t before = umask(0117);
	bool bound = bind(listener->fd, (const struct sockaddr *)at, sizeof(*at)) == 0;

	(void)umask(before);
	if (!bound)
		return false;
	if (listen(listener->fd, LISTENER_BACKLOG) != 0 || lstat(listener->path, &status) != 0) {
		int error = errno;
		(void)unlink(listener->path);
		errno = error;
		return false;
	}
	listener->device = status.st_dev;
	listener->inode = status.st_ino;
	return true;
}

/* Opens the listening socket. */
bool listener_open(struct listener *listener, const char *path)
{
	struct sockaddr_un at;

	*listener = (struct listener){.fd = -1, .path = path};
	int lock = address(&at, path) ? lock_directory(path) : -1;
	if (lock < 0) {
		log_line("%s: cannot lock its directory: %s", path, strerror(errno));
		return false;
	}
	bool clear = clear_path(path);
	listener->fd = clear ? unix_socket() : -1;
	bool well = listener->fd >= 0 && bind_path(listener, &at);
	if (clear && !well)
		log_line("%s: cannot listen: %s", path, strerror(errno));
	if (!well && listener->fd >= 0)
		(void)close(listener->fd);
	(void)close(lock);
	return well;
}

/* Closes the listening socket and removes its file. */
void listener_close(struct listener *listener)
{
	struct stat status;
	bool ours = lstat(listener->path, &status) == 0 && status.st_dev == listener->device &&
		status.st_ino == listener->inode;

	if (ours && unlink(listener->path) != 0)
		log_line("%s: cannot be removed: %s", listener->path, strerror(errno));
	(void)close(listener->fd);
	listener->fd = -1;
}
