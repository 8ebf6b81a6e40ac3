# Starts one server for all tests by URL, unless there is one already.
#
# From the environment: URL, a deployment to test instead; then EXPECT_ENVIRONMENT, EXPECT_USER and EXPECT_HOSTNAME,
# what it was started with. Of a value that is not said only the type is checked.

load ../lib/server.bash

# Starts the server, with values that are not all plain words. Python is found once: where python3 is the script of a
# version manager, that takes longer than most tests.
setup_suite() {
	PYTHON=$(python3 -c 'import sys; print(sys.executable)')
	export PYTHON
	started=
	if [ -z "${URL-}" ]; then
		export EXPECT_ENVIRONMENT='a "quoted" \ </value>' EXPECT_USER=Zoë EXPECT_HOSTNAME=url-tests
		server_start WORKERS=2 ENVIRONMENT="$EXPECT_ENVIRONMENT" USER="$EXPECT_USER" HOSTNAME="$EXPECT_HOSTNAME"
		started=yes
	fi
}

# Stops the server, which has to end in good order.
teardown_suite() {
	if [ -n "$started" ]; then
		server_stop || {
			echo "the server ended with status $?" >&2
			grep -v '^{' "$SERVER_LOG" >&2
			return 1
		}
		server_clean
	fi
}
