# Faults under load: no request may be lost. LOAD_SECONDS says for how long (default 3); FIGURES is a file that gets the
# counts.

setup() {
	load ../lib/server.bash
	load ../lib/responder.bash
}

teardown() {
	server_clean
	responder_clean
}

# Loads the server, 64 connections, while a function is called every so many seconds; prints the counts.
# under_load PAUSE FUNCTION [load.py's options]
under_load() {
	local pause=$1 fault=$2 counts=$BATS_TEST_TMPDIR/counts loader
	shift 2
	python3 "$TOP_SRCDIR/tests/lib/load.py" "$URL/" --seconds "${LOAD_SECONDS-3}" "$@" >"$counts" 3>&- &
	loader=$!
	faults=0
	sleep 0.3
	while kill -0 "$loader" 2>/dev/null; do
		"$fault"
		faults=$((faults + 1))
		sleep "$pause"
	done
	wait "$loader"
	echo "$BATS_TEST_DESCRIPTION: $(cat "$counts"), faults: $faults" | tee -a "${FIGURES-/dev/null}"
	[ "$faults" -ge "${LOAD_SECONDS-3}" ]
	jq -e '.answered > 1000 and .other == 0 and .lost == 0 and .refused == 0' "$counts"
}

# Kills one of the workers, whichever.
kill_a_worker() {
	kill -KILL "$(responder_workers "$master" | shuf -n 1)" || true
}

# Makes nginx read its configuration again.
reload_nginx() {
	kill -HUP "$nginx"
}

# Starts a server and finds its processes.
start() {
	server_start WORKERS=2
	master=$(pgrep -o -f "^$SERVER_DIRECTORY/fcgi-app")
	nginx=$(pgrep -o -f "^nginx: master.*$SERVER_DIRECTORY")
}

@test "a worker killed every 100 ms loses no request on kept-alive connections" {
	start
	under_load 0.1 kill_a_worker
	jq -e '.between == 0' "$BATS_TEST_TMPDIR/counts"
	server_stop
}

@test "a worker killed every 100 ms loses no request with a connection for each" {
	start
	under_load 0.1 kill_a_worker --close
	server_stop
}

@test "nginx reloaded every 500 ms loses no request with a connection for each" {
	start
	under_load 0.5 reload_nginx --close
	jq -e '.between == 0' "$BATS_TEST_TMPDIR/counts"
	server_stop
}

@test "nginx reloaded every 500 ms only closes kept-alive connections between two answers" {
	start
	under_load 0.5 reload_nginx
	server_stop
}

@test "SIGTERM under load: all that the responder took is answered, and it ends within a second with status 0" {
	local drainer ended
	responder_start WORKERS=2
	wait_for "$RESPONDER" --healthcheck --socket "$SOCKET"
	python3 "$TOP_SRCDIR/tests/lib/hostile.py" "$SOCKET" drain 10 >"$BATS_TEST_TMPDIR/drain" 3>&- &
	drainer=$!
	sleep 1
	kill -TERM "$RESPONDER_PID"
	ended=$(date +%s%N)
	wait "$RESPONDER_PID"
	ended=$((($(date +%s%N) - ended) / 1000000))
	wait "$drainer"
	echo "$BATS_TEST_DESCRIPTION: $(cat "$BATS_TEST_TMPDIR/drain"), ended after $ended ms" | tee -a "${FIGURES-/dev/null}"
	[ "$ended" -lt 1000 ]
	jq -e '.lost == 0 and .sent > 1000 and .answered == .sent' "$BATS_TEST_TMPDIR/drain"
}

@test "SIGTERM to all of it under load cuts no answer" {
	start
	python3 "$TOP_SRCDIR/tests/lib/load.py" "$URL/" --seconds 3 --close >"$BATS_TEST_TMPDIR/counts" 3>&- &
	local loader=$!
	sleep 1
	server_stop
	wait "$loader"
	cat "$BATS_TEST_TMPDIR/counts"
	jq -e '.answered > 500 and .other == 0' "$BATS_TEST_TMPDIR/counts"
}
