# The responder as a program on the host: settings, privileges, signals, socket.

setup() {
	load ../lib/server.bash
	load ../lib/responder.bash
}

teardown() {
	responder_clean
}

# Runs the responder with bad settings: it must end with status 2 and one line that holds a text.
# refused TEXT [NAME=VALUE...] [-- OPTION...]
refused() {
	local text=$1 settings=()
	shift
	while [ $# -gt 0 ] && [ "$1" != -- ]; do
		settings+=("$1")
		shift
	done
	[ $# -eq 0 ] || shift
	run timeout 5 env -i ${settings[@]+"${settings[@]}"} "${RESPONDER_PROGRAM[@]}" "$@"
	echo "status $status, output: $output" | head -c 500
	[ "$status" -eq 2 ]
	[ "${#lines[@]}" -eq 1 ]
	[[ ${lines[0]} == *"$text"* ]]
}

@test "--help names every option and its environment variable" {
	run "$RESPONDER" --help
	[ "$status" -eq 0 ]
	for word in --socket SOCKET --workers WORKERS --user RUN_AS --healthcheck --help --version ENVIRONMENT USER HOSTNAME; do
		[[ $output == *"$word"* ]]
	done
}

@test "--version is the release's" {
	run "$RESPONDER" --version
	[ "$status" -eq 0 ]
	[[ $output =~ ^fcgi-app\ [0-9]+\.[0-9]+\.[0-9]+$ ]]
}

@test "--help fails when it cannot be written" {
	run sh -c '"$1" --help >/dev/full' - "$RESPONDER"
	[ "$status" -eq 1 ]
	[[ $output == *"cannot write to standard output"* ]]
}

@test "bad settings are one line and status 2" {
	responder_prepare
	refused "'0' is not a number from 1 to 64" WORKERS=0
	refused "'65' is not a number" -- --workers 65
	refused "'two' is not a number" -- --workers=two
	refused "a path has 1 to 107 bytes, not 108" SOCKET="$(printf '%0108d' 0)"
	refused "is there already, and is not a socket" SOCKET=/tmp
	refused "is there already, and is not a socket" SOCKET=/etc/passwd
	refused "No such file or directory" SOCKET=/nowhere/socket
	refused "--sockets: is not an option" -- --sockets x
	refused "needs a value" -- --socket
	refused "no operand" -- x
}

@test "a value of 4 KiB is told, one byte more is refused" {
	local name
	responder_prepare
	for name in ENVIRONMENT USER HOSTNAME; do
		refused "$name: at most 4096 bytes, not 4097" "$name=$(printf '%04097d' 0)"
	done
	responder_start ENVIRONMENT="$(printf '%04096d' 0)"
	[ "$(responder_get / | jq -r .environment | tr -d '\n' | wc -c)" -eq 4096 ]
	responder_stop
}

# The oracle is Python: its decoder replaces what is not UTF-8, and its encoder writes what Flask would.
@test "any bytes in ENVIRONMENT, USER and HOSTNAME come out as valid JSON, ASCII as Flask writes it" {
	responder_prepare
	chmod 755 "${SOCKET%/*}"
	python3 "$BATS_TEST_DIRNAME/values.py" "$SOCKET" "${RESPONDER_PROGRAM[@]}"
}

@test "unset values have the contract's defaults, empty ones are empty" {
	responder_start
	[[ $(responder_get /) == '{"environment":"development",'* ]]
	[[ $(responder_get /info) == *'"container_id":"unknown",'*'"user":"unknown"}' ]]
	responder_stop
	responder_start ENVIRONMENT= USER= HOSTNAME=
	[[ $(responder_get /) == '{"environment":"",'* ]]
	[[ $(responder_get /info) == *'"container_id":"",'*'"user":""}' ]]
	responder_stop
}

@test "server_time follows the time zone" {
	responder_start TZ=NPT-05:45
	[[ $(responder_get / | jq -r .server_time) == *+05:45 ]]
	responder_stop
}

@test "it refuses to serve as root" {
	[ "$(id -u)" -eq 0 ] || skip "only root can try"
	run "$RESPONDER" --socket "$BATS_TEST_TMPDIR/s"
	[ "$status" -eq 2 ]
	[[ $output == *"will not serve as root: say whom to become with --user NAME" ]]
	run "$RESPONDER" --socket "$BATS_TEST_TMPDIR/s" --user root
	[ "$status" -eq 2 ]
	run "$RESPONDER" --socket "$BATS_TEST_TMPDIR/s" --user no-such-user
	[ "$status" -eq 2 ]
	[[ $output == *"'no-such-user' is not known" ]]
}

@test "master and workers have given up what they do not need" {
	local pid
	responder_start WORKERS=2
	for pid in "$RESPONDER_PID" $(responder_workers); do
		grep -q '^NoNewPrivs:	1$' "/proc/$pid/status"
		grep -q '^CapEff:	0000000000000000$' "/proc/$pid/status"
		grep -q '^CapPrm:	0000000000000000$' "/proc/$pid/status"
		[ "$(awk '/^Uid:/ { print ($2 == $3 && $3 == $4 && $2 != 0) }' "/proc/$pid/status")" -eq 1 ]
		[ "$(cat "/proc/$pid/comm")" = fcgi-app ]
		# not dumpable: /proc shows its files as root's
		[ "$(stat -c %u "/proc/$pid/environ")" -eq 0 ]
	done
	responder_stop
}

@test "limits on descriptors and core dumps are set" {
	[ "$(id -u)" -eq 0 ] || skip "only root can read the limits of a process that is not dumpable"
	responder_start
	grep -qE '^Max core file size +0 +0 ' "/proc/$RESPONDER_PID/limits"
	[ "$(awk '/^Max open files/ { print ($4 == $5 && $4 <= 4096) }' "/proc/$RESPONDER_PID/limits")" -eq 1 ]
	responder_stop
}

@test "there are as many workers as told, all children of the master" {
	responder_start WORKERS=5
	wait_for five_workers
	responder_stop
}

# Tells whether the master has five children.
five_workers() {
	[ "$(responder_workers | wc -l)" -eq 5 ]
}

@test "the socket has mode 0660 and is gone afterwards" {
	responder_start
	[ "$(stat -c '%F %a' "$SOCKET")" = "socket 660" ]
	responder_stop
	[ ! -e "$SOCKET" ]
}

@test "SIGTERM, SIGINT, SIGQUIT and SIGHUP end it with status 0 within a second" {
	local signal
	for signal in TERM INT QUIT HUP; do
		responder_start
		kill "-$signal" "$RESPONDER_PID"
		run timeout 1 tail --pid="$RESPONDER_PID" -s 0.02 -f /dev/null
		[ "$status" -eq 0 ]
		wait "$RESPONDER_PID"
	done
}

@test "a socket that somebody answers on is refused, one left over by kill -9 is replaced" {
	responder_start
	refused "in use by another process" SOCKET="$SOCKET"
	responder_get /health
	kill -KILL "$RESPONDER_PID"
	wait "$RESPONDER_PID" || true
	[ -S "$SOCKET" ]
	wait_for nobody_answers
	env -i "${RESPONDER_PROGRAM[@]}" --socket "$SOCKET" 2>>"$RESPONDER_LOG" 3>&- &
	RESPONDER_PID=$!
	wait_for "$RESPONDER" --healthcheck --socket "$SOCKET"
	responder_stop
}

# Tells whether the workers, too, are gone.
nobody_answers() {
	! "$RESPONDER" --healthcheck --socket "$SOCKET"
}

@test "workers end with a master that is killed" {
	local workers
	responder_start WORKERS=3
	wait_for "$RESPONDER" --healthcheck --socket "$SOCKET"
	workers=$(responder_workers)
	kill -KILL "$RESPONDER_PID"
	wait "$RESPONDER_PID" || true
	for worker in $workers; do
		wait_for gone "$worker"
	done
}

# Tells whether a process is gone, or waits to be buried by whoever inherited it.
gone() {
	[ ! -e "/proc/$1" ] || grep -q '^State:	Z' "/proc/$1/status"
}

@test "a worker that is killed is replaced at once" {
	local worker
	responder_start WORKERS=1
	for _ in 1 2 3 4 5; do
		worker=$(responder_workers)
		kill -KILL "$worker"
		[ "$(responder_get /health)" = '{"status":"healthy"}' ]
		[ "$(responder_workers)" -ne "$worker" ]
	done
	grep -q "ended by signal 9 (Killed)" "$RESPONDER_LOG"
	responder_stop
}

@test "--healthcheck is 0 when healthy, 1 when not" {
	responder_start
	run "$RESPONDER" --healthcheck --socket "$SOCKET"
	[ "$status" -eq 0 ]
	[ -z "$output" ]
	SOCKET=$SOCKET run "$RESPONDER" --healthcheck
	[ "$status" -eq 0 ]
	workers=$(responder_workers)
	# shellcheck disable=SC2086 # a list
	kill -STOP "$RESPONDER_PID" $workers
	run "$RESPONDER" --healthcheck --socket "$SOCKET"
	# shellcheck disable=SC2086
	kill -CONT "$RESPONDER_PID" $workers
	[ "$status" -eq 1 ]
	[[ $output == *"Connection timed out" ]]
	responder_stop
	run "$RESPONDER" --healthcheck --socket "$SOCKET"
	[ "$status" -eq 1 ]
	[ "${#lines[@]}" -eq 1 ]
}
