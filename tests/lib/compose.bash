# Deployments by compose, for tests: source it after server.bash.
#
# Compose's own variables say which: COMPOSE_PROJECT_NAME, PORT and the other settings.

# Runs docker compose on the file in the source tree.
compose() {
	docker compose -f "$TOP_SRCDIR/docker-compose.yml" "$@"
}

# Writes the container of a service: container SERVICE
container() {
	compose ps -aq "$1"
}

# Writes the process id, on this host, of the first process of a service: first_process SERVICE
first_process() {
	docker inspect -f '{{.State.Pid}}' "$(container "$1")"
}

# Writes the state of a service's health check: health SERVICE
health() {
	docker inspect -f '{{.State.Health.Status}}' "$(container "$1")"
}

# Tells whether a service's health check says so: has_health SERVICE STATE
has_health() {
	[ "$(health "$1")" = "$2" ]
}

# Tells whether the deployment answers.
answers() {
	[ "$(curl -s -m 2 "$URL/health")" = '{"status":"healthy"}' ]
}

# Chooses a name and a port for a deployment of the test's own, which compose_clean removes: compose_choose
compose_choose() {
	PORT=$(free_port)
	COMPOSE_PROJECT_NAME=fcgi-app-test-$PORT
	URL=http://127.0.0.1:$PORT
	export PORT COMPOSE_PROJECT_NAME URL
}

# Removes a deployment, whatever its state.
compose_clean() {
	compose down --volumes --timeout 5 >/dev/null 2>&1
}
