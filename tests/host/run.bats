# build-aux/run, which is behind `make run`: the whole service on this host.

setup() {
	load ../lib/server.bash
	scratch=$(mktemp -d "${TMPDIR:-/tmp}/fcgi-app-run.XXXXXX")
	chmod 1777 "$scratch" # bats' own directories are closed to whom root becomes
}

teardown() {
	server_clean
	rm -rf "$scratch"
}

# Runs it with bad settings: one line that holds a text, a status that is not zero, nothing left behind.
# refused TEXT NAME=VALUE...
refused() {
	local text=$1
	shift
	run timeout 20 env -u BIND -u RUN_AS PORT="$(free_port)" TMPDIR="$scratch" "$@" \
		"$TOP_SRCDIR/build-aux/run" "$RESPONDER" "$TOP_SRCDIR/nginx"
	echo "$*: status $status, output: $output"
	[ "$status" -ne 0 ] && [ "$status" -ne 124 ]
	[ "${#lines[@]}" -eq 1 ]
	[[ ${lines[0]} == *"$text"* ]]
	[ -z "$(ls "$scratch")" ]
}

# Writes the process ids of everything that runs from the server's directory.
server_processes() {
	pgrep -f "^[^ ]*($SERVER_DIRECTORY/|nginx: .*$SERVER_DIRECTORY)|$SERVER_DIRECTORY/run"
}

# Tells whether nothing of the server runs any more.
no_processes() {
	! server_processes
}

# Writes the process id of the responder's master.
server_responder() {
	pgrep -o -f "^$SERVER_DIRECTORY/fcgi-app"
}

# Writes status, Content-Type and Retry-After of a GET.
summary() {
	curl -s -o /dev/null -m 30 -w '%{http_code} %{content_type}\n' -D "$BATS_TEST_TMPDIR/head" "$URL$1"
	sed -n 's/^\(Retry-After: [0-9]*\).*/\1/p' "$BATS_TEST_TMPDIR/head"
}

@test "it prints its address once it answers, and ends on SIGTERM and SIGINT with status 0 and nothing left" {
	local signal
	for signal in TERM INT; do
		server_start
		[ "$(grep '^http' "$SERVER_LOG")" = "${URL/127.0.0.1/localhost}" ]
		[ "$(curl -s "$URL/health")" = '{"status":"healthy"}' ]
		kill "-$signal" "$SERVER_PID"
		wait "$SERVER_PID"
		no_processes
		[ ! -e "$SERVER_DIRECTORY" ]
	done
}

@test "bad settings are one line and a status that is not zero" {
	refused "PORT: 'http' is not a number from 1 to 65535" PORT=http
	refused "PORT: '99999' is not a number" PORT=99999
	refused "PORT: '0' is not a number" PORT=0
	refused "PORT: '' is not a number" PORT=
	refused "PORT: '-1' is not a number" PORT=-1
	refused "PORT: '5000; server' is not a number" PORT="5000; server"
	refused "BIND: 'nowhere' is not an address" BIND=nowhere
	refused "BIND: '' is not an address" BIND=
	refused "run: bind() to 203.0.113.7:" BIND=203.0.113.7
	refused "BIND: '999.1.1.1' is not an address" BIND=999.1.1.1
	refused "BIND: '1.2.3.4.5' is not an address" BIND=1.2.3.4.5
	refused "'0' is not a number from 1 to 64" WORKERS=0
	refused "'many' is not a number from 1 to 64" WORKERS=many
	refused "ENVIRONMENT: at most 4096 bytes" ENVIRONMENT="$(printf '%05000d' 0)"
	refused "a path has 1 to 107 bytes" SOCKET="/tmp/$(printf '%0200d' 0)"
	refused "is there already, and is not a socket" SOCKET=/tmp
	refused "may not hold blanks or quotes" SOCKET="/tmp/a b"
	refused "TRUSTED_PROXIES: 'me' is not a list of addresses" TRUSTED_PROXIES=me
	refused "TRUSTED_PROXIES: '300.1.1.1' is not an address or a network" TRUSTED_PROXIES="10.0.0.0/8 300.1.1.1"
	refused "TRUSTED_PROXIES: '10.0.0.0/999' is not" TRUSTED_PROXIES=10.0.0.0/999
	refused "SOCKET: 'relative' is not an absolute path" SOCKET=relative
	refused "SOCKET: '' is not an absolute path" SOCKET=
	refused "CLIENT_LIMIT: 'x' is not a number" CLIENT_LIMIT=x
	refused "PROCESSES: '0' is not a number from 1 to 64, or auto" PROCESSES=0
	refused "PROCESSES: '65' is not a number from 1 to 64, or auto" PROCESSES=65
	refused "PROCESSES: '' is not a number" PROCESSES=
}

@test "PROCESSES says how many worker processes nginx has" {
	server_start PROCESSES=3
	[ "$(pgrep -c -P "$(pgrep -o -f "nginx: master.*$SERVER_DIRECTORY")" -f '^nginx: worker')" -eq 3 ]
	server_stop
}

@test "root can run it only as somebody else" {
	[ "$(id -u)" -eq 0 ] || skip "only root can try"
	refused "RUN_AS: 'root' is not a user, or is root" RUN_AS=root
	refused "RUN_AS: 'no-such-user' is not a user" RUN_AS=no-such-user
	chmod 0700 "$scratch"
	refused "www-data cannot run programs in $scratch" RUN_AS=www-data
}

@test "a socket that somebody else answers on is refused" {
	server_start
	refused "in use by another process" SOCKET="$SERVER_DIRECTORY/fcgi-app.sock"
	server_stop
}

@test "a port in use is refused, and the one who uses it is left alone" {
	server_start
	refused "port ${URL##*:} on 127.0.0.1 is in use" PORT="${URL##*:}"
	refused "port ${URL##*:} on 0.0.0.0 is in use" PORT="${URL##*:}" BIND=0.0.0.0
	[ "$(curl -s "$URL/health")" = '{"status":"healthy"}' ]
	server_stop
}

@test "nothing runs as root" {
	local pid
	[ "$(id -u)" -eq 0 ] || skip "only root can drop root"
	server_start
	[ "$(server_processes | wc -l)" -ge 5 ]
	for pid in $(server_processes) $(pgrep -P "$(pgrep -o -f "nginx: .*$SERVER_DIRECTORY")"); do
		grep -qE '^Uid:	([1-9][0-9]*)	\1	\1	\1$' "/proc/$pid/status"
		grep -q '^CapBnd:	0000000000000000$' "/proc/$pid/status"
		grep -q '^NoNewPrivs:	1$' "/proc/$pid/status"
	done
	[ "$(curl -s "$URL/info" | jq .uid)" -eq "$(id -u www-data)" ]
	server_stop
}

@test "after kill -9 of it nothing is left behind, and it can be started again" {
	server_start
	kill -KILL "$SERVER_PID"
	wait "$SERVER_PID" || true
	wait_for no_processes
	wait_for test ! -e "$SERVER_DIRECTORY"
	local same=${URL##*:}
	free_port() { echo "$same"; }
	server_start
	[ "$(curl -s "$URL/health")" = '{"status":"healthy"}' ]
	server_stop
	[ ! -e "$SERVER_DIRECTORY" ]
}

@test "it ends although nobody reads its log" {
	server_start
	pkill -STOP -f "^cat$" -P "$(pgrep -d , -f "nginx: master.*$SERVER_DIRECTORY")"
	python3 "$TOP_SRCDIR/tests/lib/load.py" "$URL/health" --seconds 1 --connections 8 >/dev/null &
	sleep 1.5
	SECONDS=0
	server_stop
	[ "$SECONDS" -le 9 ]
	wait_for no_processes
	[ ! -e "$SERVER_DIRECTORY" ]
}

@test "a place where programs may not run is one clear line" {
	unshare --mount mount -t tmpfs none "$scratch" 2>/dev/null || skip "nothing may be mounted here"
	run unshare --mount sh -c 'mount -t tmpfs -o noexec,mode=1777 none "$1" && TMPDIR=$1 PORT=$2 exec "$3" "$4" "$5"' - \
		"$scratch" "$(free_port)" "$TOP_SRCDIR/build-aux/run" "$RESPONDER" "$TOP_SRCDIR/nginx"
	echo "$output"
	[ "$status" -eq 1 ]
	[ "${#lines[@]}" -eq 1 ]
	[[ $output == *"cannot run programs in $scratch; TMPDIR can name another place" ]]
}

@test "it ends, with a status that is not zero, when the responder or nginx ends" {
	local victim
	for victim in fcgi-app nginx; do
		server_start
		pkill -KILL -o -f "^($SERVER_DIRECTORY/$victim|$victim: master.*$SERVER_DIRECTORY)"
		run wait "$SERVER_PID"
		[ "$status" -ne 0 ]
		wait_for no_processes
		[ ! -e "$SERVER_DIRECTORY" ]
	done
}

@test "it works from a directory that only root may enter, with its output to a pipe" {
	[ "$(id -u)" -eq 0 ] || skip "only root has such directories"
	local tree=$BATS_TEST_TMPDIR/private
	mkdir -m 0700 "$tree"
	cp -r "$TOP_SRCDIR/nginx" "$TOP_SRCDIR/build-aux" "$tree/"
	cp "$RESPONDER" "$tree/fcgi-app"
	chmod 0600 "$tree/nginx/nginx.conf.in"
	PORT=$(free_port)
	export PORT
	mkfifo "$BATS_TEST_TMPDIR/pipe"
	(cd "$tree" && TMPDIR=$scratch exec build-aux/run ./fcgi-app nginx >"$BATS_TEST_TMPDIR/pipe" 2>/dev/null 3>&-) &
	SERVER_PID=$!
	{ while read -r line && [[ $line != http* ]]; do :; done; cat >"$BATS_TEST_TMPDIR/rest" & } <"$BATS_TEST_TMPDIR/pipe"
	curl -s "http://localhost:$PORT/info?seen" >/dev/null
	server_stop
	wait_for grep -q '"uri":"/info?seen"' "$BATS_TEST_TMPDIR/rest"
}

@test "it serves on all addresses, IPv6's too, when told to" {
	server_start BIND=0.0.0.0
	[ "$(curl -s "$URL/health")" = '{"status":"healthy"}' ]
	server_stop
	grep -q '^0*1 ' /proc/net/if_inet6 || skip "::1 is not an address of this host"
	server_start BIND=::1
	[ "$(curl -s "http://[::1]:${URL##*:}/health")" = '{"status":"healthy"}' ]
	grep -q "^http://\[::1\]:${URL##*:}$" "$SERVER_LOG"
	server_stop
	server_start BIND=::
	[ "$(curl -s "http://[::1]:${URL##*:}/health")" = '{"status":"healthy"}' ]
	[ "$(curl -s "$URL/health")" = '{"status":"healthy"}' ]
	server_stop
}

@test "every request is a line of JSON with the request id that the client got" {
	local id
	server_start
	id=$(curl -s -o /dev/null -w '%header{x-request-id}' -A 'a "quoted" agent' "$URL/nope?a=b")
	curl -s "$URL/" >/dev/null
	printf 'BAD\r\n\r\n' | timeout 2 bash -c "cat >/dev/tcp/127.0.0.1/${URL##*:}"
	wait_for grep -q '"status":400' "$SERVER_LOG"
	grep '^{' "$SERVER_LOG" | jq -es "length >= 4 and all(.[]; .time and .client and .seconds != null)"
	grep '^{' "$SERVER_LOG" | jq -es --arg id "$id" \
		'.[] | select(.request_id == $id) | .uri == "/nope?a=b" and .status == 404 and .user_agent == "a \"quoted\" agent"'
	server_stop
}

@test "X-Forwarded-For is believed only from trusted proxies" {
	server_start
	curl -s -H 'X-Forwarded-For: 192.0.2.9' "$URL/?plain" >/dev/null
	server_stop
	grep '"uri":"/?plain"' "$SERVER_LOG" | jq -e '.client == "127.0.0.1"'
	server_start TRUSTED_PROXIES="10.0.0.0/8, 127.0.0.1"
	curl -s -H 'X-Forwarded-For: 192.0.2.9, 10.1.2.3' "$URL/?trusted" >/dev/null
	server_stop
	grep '"uri":"/?trusted"' "$SERVER_LOG" | jq -e '.client == "192.0.2.9"'
}

@test "CLIENT_LIMIT limits the connections of an address with 429 and Retry-After" {
	local held
	server_start CLIENT_LIMIT=2
	for held in 1 2; do # nginx counts a connection from its request's header on: these wait for the body
		exec {held}<>"/dev/tcp/127.0.0.1/${URL##*:}"
		printf 'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n' >&"$held"
	done
	sleep 0.3
	[ "$(summary /health)" = $'429 application/problem+json\nRetry-After: 1' ]
	[ "$(curl -s "$URL/health")" = '{"status":429,"title":"Too Many Requests","type":"about:blank"}' ]
	server_stop
}

@test "a responder that is gone is a 503 with Retry-After, and back when it is back" {
	server_start
	local master
	master=$(server_responder)
	mv "$SERVER_DIRECTORY/fcgi-app.sock" "$SERVER_DIRECTORY/away"
	# kept connections still answer: only new ones fail; workers that end take them along
	kill -KILL $(pgrep -P "$master")
	[ "$(summary /health)" = $'503 application/problem+json\nRetry-After: 5' ]
	[ "$(curl -s "$URL/nope")" = '{"status":503,"title":"Service Unavailable","type":"about:blank"}' ]
	mv "$SERVER_DIRECTORY/away" "$SERVER_DIRECTORY/fcgi-app.sock"
	[ "$(summary /health)" = "200 application/json" ]
	server_stop
}

@test "a responder that hangs is a 504, and nobody waits longer than a quarter of a minute" {
	server_start WORKERS=1
	local master worker
	master=$(server_responder)
	worker=$(pgrep -P "$master")
	kill -STOP "$worker"
	SECONDS=0
	[ "$(summary /health)" = "504 application/problem+json" ]
	[ "$SECONDS" -le 15 ]
	kill -CONT "$worker"
	[ "$(summary /health)" = "200 application/json" ]
	server_stop
}

@test "one worker that hangs costs its requests time, not an answer" {
	server_start WORKERS=4
	local master
	master=$(server_responder)
	wait_for four_workers "$master"
	python3 "$TOP_SRCDIR/tests/lib/load.py" "$URL/health" --seconds 1 --connections 32 >/dev/null
	kill -STOP "$(pgrep -P "$master" | head -n 1)"
	python3 "$TOP_SRCDIR/tests/lib/load.py" "$URL/health" --seconds 2 --connections 16 >"$BATS_TEST_TMPDIR/load"
	kill -CONT $(pgrep -P "$master")
	cat "$BATS_TEST_TMPDIR/load"
	# the read time-out is 5 s; a request that waited it out is asked again on a new connection
	jq -e '.answered > 0 and .answered == .sent and .refused == 0 and .slowest_ms < 8000' "$BATS_TEST_TMPDIR/load"
	server_stop
}

# Tells whether a master has four workers.
four_workers() {
	[ "$(pgrep -P "$1" | wc -l)" -eq 4 ]
}
