# The two lists of system calls, fcgi-app/seccomp.json and nginx/seccomp.json: held against what really runs.

profiles=(fcgi-app nginx)

setup() {
	load ../lib/server.bash
	load ../lib/compose.bash
}

# Writes the calls that a profile allows, or those of a group in it: allowed PROFILE [GROUP]
allowed() {
	jq -r --arg group "${2-}" '.syscalls[] | select(.action == "SCMP_ACT_ALLOW" and (.comment | startswith($group))).names[]' \
		"$TOP_SRCDIR/$1/seccomp.json" | sort -u
}

# Runs a program of Debian's behind a profile: behind PROFILE COMMAND...
behind() {
	run docker run --rm --network none --cap-drop ALL --user 1001:1001 --security-opt no-new-privileges:true \
		--security-opt "seccomp=$1" debian:trixie-slim "${@:2}"
	echo "$1: ${*:2}: status $status: $output"
}

# Opens a socket of a family, by number: socket PROFILE FAMILY
socket() {
	behind "$1" perl -e 'socket(my $s, $ARGV[0], 1, 0) or die "$!\n"' "$2"
}

@test "what both lists have groups for, they have the same calls for" {
	jq -s -e '[.[].syscalls[]] | group_by(.comment) | map(unique) | all(.[]; length == 1) and length >= 8' \
		"$TOP_SRCDIR/fcgi-app/seccomp.json" "$TOP_SRCDIR/nginx/seccomp.json"
}

@test "all that is not in a list is refused, and each group says what it is for" {
	local profile
	for profile in "${profiles[@]}"; do
		jq -e '.defaultAction == "SCMP_ACT_ERRNO" and all(.syscalls[]; .comment | length > 4)' \
			"$TOP_SRCDIR/$profile/seccomp.json"
	done
}

@test "what is not needed and has served attacks is in no list" {
	local call profile
	for profile in "${profiles[@]}"; do
		for call in add_key bpf clone3 init_module io_uring_setup kexec_load keyctl mount open_by_handle_at \
			perf_event_open personality pivot_root process_vm_readv ptrace setns unshare userfaultfd; do
			! allowed "$profile" | grep -x "$call" || return
		done
	done
}

@test "no new user namespace, with or without the list's help" {
	local profile
	behind unconfined unshare --user true
	[ "$status" -eq 0 ] || skip "this host allows no user namespaces anyhow"
	for profile in "${profiles[@]}"; do
		behind "$TOP_SRCDIR/$profile/seccomp.json" unshare --user true
		[ "$status" -ne 0 ]
		[[ $output == *"Operation not permitted"* ]]
		# CLONE_NEWUSER by way of clone, x86's number 56 and all others' 220
		behind "$TOP_SRCDIR/$profile/seccomp.json" perl -e \
			'my $n = `uname -m` =~ /x86_64/ ? 56 : 220; my $p = syscall($n, 0x10000011, 0, 0, 0, 0); exit 0 if !$p; die "$!\n" if $p < 0'
		[ "$status" -ne 0 ]
		[[ $output == *"Operation not permitted"* ]]
	done
}

@test "the responder gets Unix sockets only, nginx those of IP too, neither any other" {
	local family
	socket "$TOP_SRCDIR/fcgi-app/seccomp.json" 1
	[ "$status" -eq 0 ]
	for family in 2 10 16 17 40; do
		socket "$TOP_SRCDIR/fcgi-app/seccomp.json" "$family"
		[ "$output" = "Operation not permitted" ]
	done
	for family in 1 2; do
		socket "$TOP_SRCDIR/nginx/seccomp.json" "$family"
		[ "$status" -eq 0 ]
	done
	for family in 16 17 40; do
		socket "$TOP_SRCDIR/nginx/seccomp.json" "$family"
		[ "$output" = "Operation not permitted" ]
	done
}

@test "every call that really is made is in its program's list" {
	local program profile
	[ "$(id -u)" -eq 0 ] || skip "only root may trace the engine"
	command -v strace >/dev/null || skip "strace is missing (Debian package strace)"
	pidof containerd >/dev/null || skip "the engine is on another host"
	export BATS_TEST_TIMEOUT=120
	compose_choose
	"$BATS_TEST_DIRNAME/syscalls" python3 "$TOP_SRCDIR/tests/lib/load.py" "$URL/" --seconds 1 >"$BATS_TEST_TMPDIR/calls"
	for program in fcgi-app nginx check_tcp; do
		profile=${program/check_tcp/nginx}
		awk -v program="$program" '$1 == program { print $2 }' "$BATS_TEST_TMPDIR/calls" | sort -u >"$BATS_TEST_TMPDIR/made"
		echo "$program makes $(wc -l <"$BATS_TEST_TMPDIR/made") of the $(allowed "$profile" | wc -l) calls; not in the list:"
		[ "$(wc -l <"$BATS_TEST_TMPDIR/made")" -ge 15 ]
		[ -z "$(allowed "$profile" | comm -13 - "$BATS_TEST_TMPDIR/made" | tee /dev/stderr)" ]
	done
	# and none was refused that is in it, for its arguments
	! grep -E ' (EPERM|ENOSYS)$' "$BATS_TEST_TMPDIR/calls"
}
