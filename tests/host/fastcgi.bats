# Broken and hostile FastCGI peers, straight at the responder's socket.

setup() {
	load ../lib/server.bash
	load ../lib/responder.bash
	responder_start WORKERS=2
	wait_for "$RESPONDER" --healthcheck --socket "$SOCKET"
	workers=$(responder_workers)
}

# Whatever a test did: the workers are the same, and the responder ends in good order.
teardown() {
	[ "$(responder_workers)" = "$workers" ] || echo "workers were lost" >&2
	responder_stop
	responder_clean
}

# Runs tests/lib/hostile.py.
hostile() {
	python3 "$TOP_SRCDIR/tests/lib/hostile.py" "$SOCKET" "$@"
}

# Writes the resident memory of the workers, in KiB.
memory() {
	for worker in $workers; do
		awk '/^VmRSS:/ { print $2 }' "/proc/$worker/status"
	done | awk '{ sum += $1 } END { print sum }'
}

# Writes the number of descriptors the workers have open.
descriptors() {
	for worker in $workers; do
		ls "/proc/$worker/fd"
	done | wc -l
}

@test "every kind of broken peer is cut, every kind of good one answered" {
	run hostile each
	echo "$output"
	[ "$status" -eq 0 ]
	[ "$(responder_workers)" = "$workers" ]
}

@test "a flood of hostile peers costs no worker, no memory and no good request its time" {
	local before result
	hostile flood 5000 >/dev/null
	before=$(memory)
	result=$(hostile flood "${HOSTILE_PEERS-20000}")
	echo "$result; memory before $before KiB, after $(memory) KiB" | tee -a "${FIGURES-/dev/null}"
	[ "$(responder_workers)" = "$workers" ]
	[ "$(memory)" -le "$((before + 256))" ]
	[ "$(jq .good_failed <<<"$result")" -eq 0 ]
	# 10 ms on a quiet machine; others may run beside the tests, and the sanitizers are slow
	[ "$(jq '.p99_ms < 100' <<<"$result")" = true ]
}

@test "1,000 stalled connections delay nobody and are cut after ten seconds" {
	local result
	result=$(hostile stall 1000)
	echo "$result" | tee -a "${FIGURES-/dev/null}"
	[ "$(jq .good_failed <<<"$result")" -eq 0 ]
	[ "$(jq .still_open <<<"$result")" -eq 1000 ]
	[ "$(jq '.p99_ms < 100' <<<"$result")" = true ]
	python3 "$BATS_TEST_DIRNAME/slow.py" "$SOCKET"
	[ "$(responder_workers)" = "$workers" ]
}

@test "a peer that never reads is cut and delays nobody" {
	python3 - "$SOCKET" <<-'EOF'
		import sys, time
		from fcgi import KEEP, Peer, request
		with Peer(sys.argv[1]) as deaf, Peer(sys.argv[1]) as good:
		    sent = 0
		    try:
		        while sent < 100000:
		            deaf.send(request(b"/info", flags=KEEP))
		            sent += 1
		            since = time.monotonic()
		            good.send(request(flags=KEEP))
		            good.answer()
		            assert time.monotonic() - since < 0.5
		    except (BrokenPipeError, ConnectionResetError):
		        pass
		    assert 0 < sent < 100000, f"never cut, after {sent} requests"
	EOF
}

@test "a request after too many bytes is not answered, the one before is" {
	python3 - "$SOCKET" <<-'EOF'
		import sys
		from fcgi import KEEP, Peer, request
		with Peer(sys.argv[1]) as peer:
		    peer.send(request(flags=KEEP) + request(b"/info", flags=KEEP))
		    assert b"healthy" in peer.answer()
		    assert peer.is_cut()
	EOF
}

@test "1,000 requests on one connection are answered in order" {
	python3 - "$SOCKET" <<-'EOF'
		import sys
		from fcgi import KEEP, Peer, request
		paths = {b"/health": b"healthy", b"/info": b"c_version", b"/x": b"404", b"/": b"Hello"}
		with Peer(sys.argv[1]) as peer:
		    for number in range(1000):
		        path = list(paths)[number % 4]
		        peer.send(request(path, flags=KEEP))
		        assert paths[path] in peer.answer(), (number, path)
	EOF
}

@test "connections that come and go leave no descriptor behind" {
	[ "$(id -u)" -eq 0 ] || skip "only root can count the descriptors of a process that is not dumpable"
	local before
	before=$(descriptors)
	hostile flood 2000 >/dev/null
	wait_for same_descriptors "$before"
}

# Tells whether the workers have as many descriptors open as before.
same_descriptors() {
	[ "$(descriptors)" -eq "$1" ]
}
