# Starts and stops a real server, nginx and responder, for tests: source it from a bats file.
#
# From the environment (make check sets them): RESPONDER, the program; TOP_SRCDIR, the source tree.

: "${TOP_SRCDIR:=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)}"
: "${RESPONDER:=$TOP_SRCDIR/fcgi-app/fcgi-app}"
export PYTHONPATH=$TOP_SRCDIR/tests/lib PYTHONDONTWRITEBYTECODE=1

# Writes a TCP port of loopback that was free a moment ago.
free_port() {
	python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

# Waits until a command succeeds, 10 s at most.
wait_for() {
	local tries
	for ((tries = 0; tries < 200; tries++)); do
		"$@" && return
		sleep 0.05
	done
	echo "never came true: $*" >&2
	return 1
}

# Starts a server: server_start [NAME=VALUE...]. Sets URL, SERVER_PID, SERVER_DIRECTORY (its run-time files, its socket
# fcgi-app.sock among them) and SERVER_LOG (all its output). Then server_clean is due.
server_start() {
	local port
	port=$(free_port)
	SERVER_TMPDIR=$(mktemp -d "${TMPDIR:-/tmp}/fcgi-app-test.XXXXXX")
	server_tmpdirs+=("$SERVER_TMPDIR")
	chmod 1777 "$SERVER_TMPDIR" # bats' own directories are closed to whom root becomes
	SERVER_LOG=$SERVER_TMPDIR/log
	URL=http://127.0.0.1:$port
	export SERVER_LOG SERVER_TMPDIR URL
	# Bash lets a background job ignore SIGINT, which the server is to handle.
	env --default-signal=INT -u BIND -u RUN_AS PORT="$port" TMPDIR="$SERVER_TMPDIR" "$@" "$TOP_SRCDIR/build-aux/run" "$RESPONDER" "$TOP_SRCDIR/nginx" \
		>"$SERVER_LOG" 2>&1 3>&- </dev/null &
	export SERVER_PID=$!
	wait_for server_answers_or_ended
	server_answers || {
		cat "$SERVER_LOG" >&2
		return 1
	}
	SERVER_DIRECTORY=$(echo "$SERVER_TMPDIR"/fcgi-app.*)
	export SERVER_DIRECTORY
}

# Tells whether the server has printed its address.
server_answers() {
	grep -q '^http://' "$SERVER_LOG"
}

# Tells whether the server has printed its address, or is gone.
server_answers_or_ended() {
	server_answers || ! kill -0 "$SERVER_PID" 2>/dev/null
}

# Stops the server and returns its exit status.
server_stop() {
	kill -TERM "$SERVER_PID"
	wait "$SERVER_PID"
}

# Ends what a test has left, and removes the servers' files.
server_clean() {
	[ -z "${SERVER_PID-}" ] || kill -KILL "$SERVER_PID" 2>/dev/null || true
	# the last of a server that was killed may still be tidying up there
	wait_for rm -rf ${server_tmpdirs[@]+"${server_tmpdirs[@]}"}
	server_tmpdirs=()
}
