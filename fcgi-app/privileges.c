#include "privileges.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "log.h"

/* Changes all user and group ids, and sees that root cannot be had back. */
static bool change(const struct passwd *user)
{
	if (initgroups(user->pw_name, user->pw_gid) != 0 || setresgid(user->pw_gid, user->pw_gid, user->pw_gid) != 0 ||
		setresuid(user->pw_uid, user->pw_uid, user->pw_uid) != 0) {
		log_line("user: cannot become %s: %s", user->pw_name, strerror(errno));
		return false;
	}
	if (setuid(0) == 0) {
		log_line("user: root could be had back from %s", user->pw_name);
		return false;
	}
	return true;
}

/* Tells whether the process is root, or can become root again. */
static bool is_root(void)
{
	uid_t real, effective, saved;

	return getresuid(&real, &effective, &saved) != 0 || real == 0 || effective == 0 || saved == 0;
}

/* Becomes the user who is to serve. */
bool privileges_become(const char *run_as)
{
	if (!run_as) {
		if (!is_root())
			return true;
		log_line("will not serve as root: say whom to become with --user NAME");
		return false;
	}
	errno = 0;
	const struct passwd *user = getpwnam(run_as);
	if (!user) {
		log_line("user: '%.64s' is not known", run_as);
		return false;
	}
	if (user->pw_uid == 0) {
		log_line("user: '%.64s' is root", run_as);
		return false;
	}
	if (!is_root() && geteuid() != user->pw_uid) {
		log_line("user: only root can become '%.64s'", run_as);
		return false;
	}
	return !is_root() || change(user);
}

/* Sets soft and hard limit of a resource, or the hard limit there is if that is lower. */
static bool limit(int resource, rlim_t most)
{
	struct rlimit limit;

	if (getrlimit((__rlimit_resource_t)resource, &limit) != 0)
		return false;
	if (limit.rlim_max == RLIM_INFINITY || limit.rlim_max > most)
		limit.rlim_max = most;
	limit.rlim_cur = limit.rlim_max;
	return setrlimit((__rlimit_resource_t)resource, &limit) == 0;
}

/* Gives up what serving does not need. */
bool privileges_limit(void)
{
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0 &&
		limit(RLIMIT_CORE, 0) && limit(RLIMIT_NOFILE, PRIVILEGES_DESCRIPTORS))
		return true;
	log_line("cannot give up privileges: %s", strerror(errno));
	return false;
}
