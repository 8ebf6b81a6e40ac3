# Starts and stops a responder alone, without nginx: source it after server.bash.

# Starts a responder on SOCKET, a new one in the test's directory: responder_start [NAME=VALUE...] [-- OPTION...].
# Sets RESPONDER_PID, SOCKET and RESPONDER_LOG. As root it runs as nobody, like a user of the host would.
responder_start() {
	local settings=()
	while [ $# -gt 0 ] && [ "$1" != -- ]; do
		settings+=("$1")
		shift
	done
	[ $# -eq 0 ] || shift
	responder_prepare
	env -i PATH="$PATH" ASAN_OPTIONS="${ASAN_OPTIONS-}" ${settings[@]+"${settings[@]}"} "${RESPONDER_PROGRAM[@]}" --socket "$SOCKET" "$@" \
		2>>"$RESPONDER_LOG" 3>&- </dev/null &
	RESPONDER_PID=$!
	wait_for test -S "$SOCKET"
}

# Sets SOCKET, RESPONDER_LOG and RESPONDER_PROGRAM: a copy where nobody can run it, in a directory that is theirs.
responder_prepare() {
	local directory
	directory=$(mktemp -d "${TMPDIR:-/tmp}/fcgi-app-host.XXXXXX")
	SOCKET=$directory/socket
	RESPONDER_LOG=$directory/log
	install -m 0755 "$RESPONDER" "$directory/fcgi-app"
	RESPONDER_PROGRAM=("$directory/fcgi-app")
	if [ "$(id -u)" -eq 0 ]; then
		chown nobody: "$directory"
		RESPONDER_PROGRAM+=(--user nobody)
	fi
}

# Stops the responder and returns its exit status.
responder_stop() {
	kill -TERM "$RESPONDER_PID"
	wait "$RESPONDER_PID"
}

# Ends whatever a test left behind.
responder_clean() {
	[ -z "${RESPONDER_PID-}" ] || kill -KILL "$RESPONDER_PID" 2>/dev/null || true
	[ -z "${SOCKET-}" ] || rm -rf "${SOCKET%/*}"
}

# Writes the process ids of a master's workers: responder_workers [PID]
responder_workers() {
	pgrep -P "${1-$RESPONDER_PID}"
}

# Writes the body of GET PATH, asked straight at the socket.
responder_get() {
	python3 - "$SOCKET" "$1" <<-'EOF'
		import sys
		from fcgi import Peer, request
		with Peer(sys.argv[1]) as peer:
		    peer.send(request(sys.argv[2].encode()))
		    sys.stdout.buffer.write(peer.answer().split(b"\r\n\r\n", 1)[1])
	EOF
}
