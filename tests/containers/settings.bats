# Settings of the compose deployment, good and bad, and the two images run by hand.

setup() {
	load ../lib/server.bash
	load ../lib/compose.bash
	compose_choose
	scratch=$BATS_TEST_TMPDIR
	containers=()
	volume=
}

teardown() {
	[ "${#containers[@]}" -eq 0 ] || docker rm -f "${containers[@]}" >/dev/null
	[ -z "$volume" ] || docker volume rm "$volume" >/dev/null
	compose_clean
}

# Runs compose on settings that are bad: no container, a status that is not zero, and a line that says what is wrong.
# refused TEXT NAME=VALUE...
refused() {
	run env "${@:2}" timeout 60 docker compose -f "$TOP_SRCDIR/docker-compose.yml" up --detach
	echo "${*:2}: status $status: $output"
	[ "$status" -ne 0 ] && [ "$status" -ne 124 ]
	[[ ${lines[-1]} == *"$1"* ]]
	[ -z "$(compose ps -q)" ] || return
}

# Starts an image as another user than its own, and notes it: run_as USER IMAGE OPTION...
run_as() {
	containers+=("$(docker run -d --user "$1" --read-only --cap-drop ALL --security-opt no-new-privileges:true "${@:3}" "$IMAGE-$2")")
}

@test "settings are read from .env beside the compose file" {
	mkdir -p "$scratch/fcgi-app" "$scratch/nginx"
	cp "$TOP_SRCDIR/docker-compose.yml" "$scratch"
	cp "$TOP_SRCDIR/fcgi-app/seccomp.json" "$scratch/fcgi-app"
	cp "$TOP_SRCDIR/nginx/seccomp.json" "$scratch/nginx"
	printf '%s\n' "PORT=$PORT" "ENVIRONMENT='staging \"2\" \$HOME'" BIND=127.0.0.2 >"$scratch/.env"
	(cd "$scratch" && env -u PORT -u ENVIRONMENT -u BIND docker compose up --wait)
	[ "$(curl -s "http://127.0.0.2:$PORT/" | jq -r .environment)" = 'staging "2" $HOME' ]
	[ "$(curl -s -o /dev/null -w '%{http_code}' "$URL")" = 000 ]
}

@test "the example of .env holds every setting of the compose file, and no other" {
	diff <(sed -n 's/^#\([A-Z_]*\)=.*/\1/p' "$TOP_SRCDIR/.env.example" | sort) \
		<(grep -o '\${[A-Z_]*' "$TOP_SRCDIR/docker-compose.yml" | tr -d '${' | sort -u | grep -vxE 'SOURCE_DATE_EPOCH|REVISION|CREATED')
}

@test "without settings it serves port 5000 of loopback as production" {
	run env -u PORT -u BIND -u ENVIRONMENT -u IMAGE -u TAG docker compose -f "$TOP_SRCDIR/docker-compose.yml" config --format json
	jq -e '.services.proxy.ports == [{mode: "ingress", host_ip: "127.0.0.1", target: 5000, published: "5000", protocol: "tcp"}] and
		.services.app.environment.ENVIRONMENT == "production"' <<<"$output"
}

@test "an empty ENVIRONMENT is a value" {
	ENVIRONMENT='' compose config --format json | jq -e '.services.app.environment.ENVIRONMENT == ""'
}

@test "a bad port or address is one clear line" {
	refused "hostPort: http" PORT=http
	refused "hostPort: 99999" PORT=99999
	refused "hostPort: -1" PORT=-1
	refused "hostPort: 5000; x" PORT="5000; x"
	refused "address: nowhere" BIND=nowhere
	refused "address: localhost" BIND=localhost
	refused "address: 999.1.1.1" BIND=999.1.1.1
}

@test "a port in use is a clear line" {
	local held
	python3 -c 'import socket, sys, time; s = socket.create_server(("127.0.0.1", int(sys.argv[1]))); time.sleep(30)' "$PORT" 3>&- &
	held=$!
	wait_for bash -c "exec 2>/dev/null; : </dev/tcp/127.0.0.1/$PORT"
	run compose up --detach
	kill "$held"
	[ "$status" -ne 0 ]
	[[ $output == *"$PORT"*"address already in use"* ]]
}

@test "a bad setting of the app is one clear line in its log" {
	ENVIRONMENT=$(printf '%05000d' 0) compose up --detach app
	wait_for eval 'compose logs --no-log-prefix app | grep -q "ENVIRONMENT: at most 4096 bytes, not 5000"'
}

@test "IPv6's loopback can be bound to" {
	grep -q '^0*1 ' /proc/net/if_inet6 || skip "::1 is not an address of this host"
	BIND='[::1]' compose up --detach
	URL="http://[::1]:$PORT" wait_for answers
}

@test "both images run as any other user above 10000, given the group of the socket" {
	volume=$COMPOSE_PROJECT_NAME
	docker volume create "$volume" --opt type=tmpfs --opt device=tmpfs --opt o=size=64k,uid=23456,gid=1001,mode=0750 >/dev/null
	run_as 23456:1001 app --network none --volume "$volume:/run/fcgi-app" --security-opt "seccomp=$TOP_SRCDIR/fcgi-app/seccomp.json"
	run_as 34567:1001 proxy --publish "127.0.0.1:$PORT:5000" --volume "$volume:/run/fcgi-app:ro" \
		--tmpfs /run/nginx:size=64k,mode=0700,uid=34567,gid=1001 --security-opt "seccomp=$TOP_SRCDIR/nginx/seccomp.json"
	wait_for answers
	[ "$(curl -s "$URL/info" | jq .uid)" -eq 23456 ]
	docker exec "${containers[0]}" /usr/bin/fcgi-app --healthcheck
	docker exec "${containers[1]}" /usr/lib/nagios/plugins/check_tcp -H 127.0.0.1 -p 5000
}

@test "the image run by hand, with nothing said, serves too" {
	containers+=("$(docker run -d "$IMAGE-app")")
	wait_for docker exec "${containers[0]}" /usr/bin/fcgi-app --healthcheck
}

@test "a socket's directory that is another's is one clear line" {
	volume=$COMPOSE_PROJECT_NAME
	docker volume create "$volume" --opt type=tmpfs --opt device=tmpfs --opt o=size=64k,uid=65534,gid=65534,mode=0750 >/dev/null
	run docker run --rm --network none --volume "$volume:/run/fcgi-app" "$IMAGE-app"
	[ "$status" -eq 2 ]
	[ "${#lines[@]}" -eq 1 ]
	[[ $output == *"/run/fcgi-app/fcgi-app.sock: cannot lock its directory: Permission denied"* ]]
}

@test "an option after the image's name is the responder's" {
	run docker run --rm "$IMAGE-app" --workers many
	[ "$status" -eq 2 ]
	[ "$output" = "fcgi-app[1]: workers: 'many' is not a number from 1 to 64" ]
}
