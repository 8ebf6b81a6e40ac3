#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "privileges.h"
#include "support.h"

/* Captures the log: every test needs that. */
static void open_log(void)
{
	log_capture();
}

/* Checks that becoming somebody is refused with a line that holds text. */
static void assert_refused(const char *run_as, const char *text)
{
	ck_assert(!privileges_become(run_as));
	ck_assert_ptr_nonnull(strstr(log_captured(), text));
}

START_TEST(root_must_say_whom_to_become)
{
	assert_refused(NULL, "will not serve as root: say whom to become with --user NAME\n");
	assert_refused("root", "user: 'root' is root\n");
}
END_TEST

START_TEST(root_becomes_nobody_for_good)
{
	const struct passwd *nobody = getpwnam("nobody");
	uid_t real, effective, saved;
	gid_t groups[64];

	ck_assert(privileges_become("nobody"));
	ck_assert_int_eq(getresuid(&real, &effective, &saved), 0);
	ck_assert(real == nobody->pw_uid && effective == real && saved == real);
	ck_assert_int_eq(getresgid(&real, &effective, &saved), 0);
	ck_assert(real == nobody->pw_gid && effective == real && saved == real);
	ck_assert_int_eq(getgroups(64, groups), 1);
	ck_assert_uint_eq(groups[0], nobody->pw_gid);
	ck_assert_int_eq(setuid(0), -1);
}
END_TEST

START_TEST(nobody_stays_nobody_and_can_become_nobody_else)
{
	ck_assert(privileges_become("nobody"));
	ck_assert(privileges_become("nobody"));
	ck_assert(privileges_become(NULL));
	assert_refused("daemon", "user: only root can become 'daemon'\n");
}
END_TEST

START_TEST(says_why_it_cannot_become_somebody)
{
	fault_arm(FAULT_INITGROUPS, 0, 1, EPERM);
	assert_refused("nobody", "user: cannot become nobody: Operation not permitted\n");
	fault_arm(FAULT_SETUID, 0, 1, 0);
	assert_refused("nobody", "user: root could be had back from nobody\n");
}
END_TEST

START_TEST(a_user_must_be_known)
{
	assert_refused("no such user", "user: 'no such user' is not known\n");
}
END_TEST

START_TEST(limits_are_there_afterwards)
{
	struct rlimit limit;

	ck_assert(privileges_limit());
	ck_assert_int_eq(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), 1);
	ck_assert_int_eq(prctl(PR_GET_DUMPABLE, 0, 0, 0, 0), 0);
	ck_assert_int_eq(getrlimit(RLIMIT_CORE, &limit), 0);
	ck_assert(limit.rlim_cur == 0 && limit.rlim_max == 0);
	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
	ck_assert(limit.rlim_cur == limit.rlim_max && limit.rlim_max <= PRIVILEGES_DESCRIPTORS);
}
END_TEST

START_TEST(a_lower_limit_stays)
{
	const struct rlimit low = {100, 200};
	struct rlimit limit;

	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &low), 0);
	ck_assert(privileges_limit());
	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
	ck_assert(limit.rlim_cur == 200 && limit.rlim_max == 200);
}
END_TEST

START_TEST(says_what_it_cannot_give_up)
{
	for (int after = 0; after < 2; after++) {
		fault_arm(FAULT_PRCTL, after, 1, EPERM);
		ck_assert(!privileges_limit());
		ck_assert_ptr_nonnull(strstr(log_captured(), "cannot give up privileges: Operation not permitted\n"));
	}
	for (int after = 0; after < 2; after++) {
		fault_arm(FAULT_GETRLIMIT, after, 1, EFAULT);
		ck_assert(!privileges_limit());
	}
}
END_TEST

Suite *privileges_suite(void)
{
	const TTest *const for_all[] = {a_user_must_be_known, says_what_it_cannot_give_up};
	const TTest *const for_root[] = {root_must_say_whom_to_become, root_becomes_nobody_for_good,
		nobody_stays_nobody_and_can_become_nobody_else, says_why_it_cannot_become_somebody};
	const TTest *const of_limits[] = {limits_are_there_afterwards, a_lower_limit_stays};
	Suite *suite = SUITE_WITH("privileges", for_all, open_log, NULL);

	if (!leave_out_if(geteuid() != 0, 4, "what root gives up needs root") &&
		!leave_out_if(!tests_fork(), 4, "what root gives up needs a process each"))
		suite_add_tcase(suite, CASE_WITH("privileges of root", for_root, open_log, NULL));
	if (!leave_out_if(under_valgrind(), 2, "valgrind keeps the limit on descriptors to itself"))
		suite_add_tcase(suite, CASE_WITH("limits", of_limits, open_log, NULL));
	return suite;
}
