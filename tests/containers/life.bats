# What a deployment goes through: health, crashes, restarts, updates, its end. FIGURES is a file that gets what was
# measured.

setup() {
	load ../lib/server.bash
	load ../lib/compose.bash
	export BATS_TEST_TIMEOUT=120
}

# The tests of a file share a deployment: none may leave it broken for the next.
setup_file() {
	export BATS_NO_PARALLELIZE_WITHIN_FILE=true
}

teardown() {
	[ -z "${watcher-}" ] || kill "$watcher" 2>/dev/null || true
	[ -z "${own-}" ] || compose_clean
}

# Starts a deployment of the test's own.
deploy() {
	own=yes
	compose_choose
	compose up --wait
}

# Prints what was measured, and keeps it.
figure() {
	echo "$BATS_TEST_DESCRIPTION: $*" | tee -a "${FIGURES-/dev/null}"
}

# Asks every 20 ms and notes when, the status, type and Retry-After, in a file: watch_start
watch_start() {
	while :; do
		printf '%s %s\n' "$(date +%s%3N)" "$(curl -s -o /dev/null -m 20 -w '%{http_code} %{content_type} %header{retry-after}' "$URL/health")"
		sleep 0.02
	done >"$BATS_TEST_TMPDIR/watched" 3>&- &
	watcher=$!
}

# Ends the watch, and prints how often there was which answer; 000 is none.
watch_stop() {
	kill "$watcher"
	wait "$watcher" || true
	watcher=
	figure "$(cut -d' ' -f2- "$BATS_TEST_TMPDIR/watched" | sort | uniq -c | sed 's/^ *//' | paste -sd';')"
}

# Fails on answers that have not been seen to be one of these: watched_only PATTERN
watched_only() {
	[ "$(wc -l <"$BATS_TEST_TMPDIR/watched")" -ge 5 ]
	! grep -vE "^[0-9]+ ($1) *$" "$BATS_TEST_TMPDIR/watched"
}

# Milliseconds from a moment to the first answer 200 after it: until_answered MOMENT
until_answered() {
	awk -v since="$1" '$1 >= since && $2 != 200 { away = 1 } $1 >= since && away && $2 == 200 { print $1 - since; found = 1; exit }
		END { if (!found) print away ? 99999 : 0 }' "$BATS_TEST_TMPDIR/watched"
}

unavailable='503 application/problem\+json 5'

# Tells whether the proxy answers that there is nobody behind it.
is_unavailable() {
	[ "$(curl -s -o /dev/null -w '%{http_code} %{content_type} %header{retry-after}' "$URL/")" = \
		"503 application/problem+json 5" ]
}

@test "both are healthy" {
	has_health app healthy
	has_health proxy healthy
}

@test "without the app the proxy answers 503 with Retry-After, and is unhealthy; both are back by themselves" {
	compose stop app
	[ "$(curl -s "$URL/health")" = '{"status":503,"title":"Service Unavailable","type":"about:blank"}' ]
	is_unavailable
	SECONDS=0
	until has_health proxy unhealthy; do
		[ "$SECONDS" -le 25 ]
		sleep 0.5
	done
	compose start app
	answers
	until has_health proxy healthy && has_health app healthy; do
		[ "$SECONDS" -le 60 ]
		sleep 0.5
	done
}

@test "a hanging app is unhealthy" {
	local master
	master=$(first_process app)
	pkill -STOP -P "$master"
	SECONDS=0
	until has_health app unhealthy; do
		[ "$SECONDS" -le 60 ]
		sleep 0.5
	done
	pkill -CONT -P "$master"
	until has_health app healthy && has_health proxy healthy; do
		[ "$SECONDS" -le 90 ]
		sleep 0.5
	done
}

@test "the app's first process killed: its socket is left, and within 2 s it answers again" {
	local killed
	watch_start
	sleep 1
	killed=$(date +%s%3N)
	kill -KILL "$(first_process app)"
	sleep 4
	watch_stop
	figure "answered again after $(until_answered "$killed") ms"
	watched_only "200 application/json|$unavailable"
	[ "$(until_answered "$killed")" -lt 2000 ]
	[ "$(docker inspect -f '{{.RestartCount}}' "$(container app)")" -ge 1 ]
}

@test "the proxy's first process killed: it is back within 2 s" {
	local killed
	watch_start
	sleep 1
	killed=$(date +%s%3N)
	kill -KILL "$(first_process proxy)"
	sleep 4
	watch_stop
	figure "answered again after $(until_answered "$killed") ms"
	watched_only "200 application/json|000"
	[ "$(until_answered "$killed")" -lt 2000 ]
}

@test "the app restarted in good order: 503 for a moment, nobody is cut off" {
	watch_start
	sleep 1
	compose restart app
	sleep 2
	watch_stop
	watched_only "200 application/json|$unavailable"
}

@test "the proxy restarted: it answers again" {
	compose restart proxy
	wait_for answers
}

@test "the proxy may start first, and answers 503 until the app is there" {
	own=yes
	compose_choose
	compose up -d --no-deps proxy
	wait_for is_unavailable
	compose up -d app
	wait_for answers
}

@test "new containers in place of the old: what clients see meanwhile" {
	local since
	deploy
	watch_start
	sleep 1
	since=$(date +%s%3N)
	compose up -d --force-recreate
	wait_for answers
	since=$(($(date +%s%3N) - since))
	sleep 1
	watch_stop
	figure "took $since ms"
	watched_only "200 application/json|$unavailable|000"
	[ "$since" -lt 5000 ]
}

@test "a request in flight is answered while compose takes everything down" {
	local answer=$BATS_TEST_TMPDIR/answer client downer
	deploy
	docker pause "$(container app)"
	curl -s -m 10 -o "$answer" -w '%{http_code}' "$URL/health" >"$answer.status" 3>&- &
	client=$!
	sleep 0.5
	compose down --volumes >"$BATS_TEST_TMPDIR/down" 2>&1 3>&- &
	downer=$!
	sleep 0.5
	docker unpause "$(docker ps -qf "name=$COMPOSE_PROJECT_NAME-app")"
	wait "$client"
	[ "$(cat "$answer.status")" = 200 ]
	[ "$(cat "$answer")" = '{"status":"healthy"}' ]
	wait "$downer"
	[ -z "$(docker ps -aqf "name=$COMPOSE_PROJECT_NAME")" ]
}

@test "compose down under load is over within 3 s, and no request in flight is lost" {
	local counts=$BATS_TEST_TMPDIR/counts loader took
	deploy
	# once: the engine's own forwarder accepts on behalf of a proxy that is gone
	python3 "$TOP_SRCDIR/tests/lib/load.py" "$URL/" --seconds 20 --once >"$counts" 3>&- &
	loader=$!
	sleep 1.5
	took=$(date +%s%3N)
	compose down --volumes
	took=$(($(date +%s%3N) - took))
	wait "$loader"
	figure "down after $took ms, $(cat "$counts")"
	[ "$took" -lt 3000 ]
	jq -e '.answered > 500 and .other == 0 and .lost == 0 and .refused == 0 and
		.sent == .answered + .between' "$counts"
	[ -z "$(docker ps -aqf "name=$COMPOSE_PROJECT_NAME")$(docker volume ls -qf "name=$COMPOSE_PROJECT_NAME")" ]
}

@test "compose down is over within 3 s although clients hang on to their connections" {
	local held took
	deploy
	for held in 1 2 3; do
		exec {held}<>"/dev/tcp/127.0.0.1/$PORT"
		printf 'GET / HTTP/1.1\r\nHost: x\r\n' >&"$held"
	done
	took=$(date +%s%3N)
	compose down --volumes
	took=$(($(date +%s%3N) - took))
	figure "down after $took ms"
	[ "$took" -lt 3000 ]
}
