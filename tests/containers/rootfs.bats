# build-aux/rootfs, where it works: in a build stage of the app's image. Each test spoils one thing.

setup_file() {
	export BATS_TEST_TIMEOUT=300
	docker build -q -f "$TOP_SRCDIR/Dockerfile.app" --target rootfs -t fcgi-app-check-rootfs "$TOP_SRCDIR"
}

teardown_file() {
	docker rmi -f fcgi-app-check-rootfs >/dev/null
}

# Spoils something in the build stage and runs rootfs: assembled SPOIL [FILE...]
assembled() {
	run docker run --rm fcgi-app-check-rootfs sh -c "$1"' || exit 9; shift
		exec build-aux/rootfs /target fcgi-app 0.1.0 LICENSE /own "$@"' - "$@"
	echo "$output"
}

# As assembled, and it has to fail with one line: refused LINE SPOIL [FILE...]
refused() {
	local line=$1
	shift
	assembled "$@"
	[ "$status" -eq 1 ]
	[[ $output == *"$line" ]]
	[ "${#lines[@]}" -eq 1 ]
}

@test "unspoilt, it succeeds without a word" {
	assembled true
	[ "$status" -eq 0 ]
	[ -z "$output" ]
}

@test "a link is taken along with what it leads to, of a package's directory too" {
	run docker run --rm fcgi-app-check-rootfs sh -euc '
		build-aux/rootfs /target fcgi-app 0.1.0 LICENSE /own "$(realpath -s /lib/*/libgcc_s.so.1)"
		cd /target/usr && test -L share/doc/libgcc-s1 && test -s share/doc/libgcc-s1/copyright && echo lib/*/libgcc_s.so.1
		cd /target/var/lib/dpkg/status.d && test -s libgcc-s1 && ls gcc-*-base'
	echo "$output"
	[ "$status" -eq 0 ]
	[[ $output == *libgcc_s.so.1*gcc-*-base ]]
}

@test "a file that no package has is named" {
	refused "rootfs: /usr/local/bin/stranger: belongs to no package" \
		'cp /bin/true /usr/local/bin/stranger' /usr/local/bin/stranger
}

@test "a file that is not there is named" {
	refused "rootfs: /usr/bin/absent: is not here" true /usr/bin/absent
}

@test "a library that is missing is named" {
	refused "rootfs: /libjson-c.so.5: is not here" 'rm /usr/lib/*/libjson-c.so.5*'
}

@test "a file that its package did not bring is named" {
	assembled 'echo x >>$(realpath /usr/lib/*/libjson-c.so.5)'
	[ "$status" -eq 1 ]
	[[ $output == *"libjson-c.so.5"*": FAILED"*"rootfs: a file is not what its package's record says" ]]
}

@test "a file that its package's checksums leave out is named" {
	refused "/libjson-c.so.5.4.0: no package's record has it" 'sed -i /libjson-c.so.5/d /var/lib/dpkg/info/libjson-c5*.md5sums'
}

@test "a package that is older than what is to be had is named" {
	refused " is to be had" \
		'sed -i "/^Package: libjson-c5$/,/^$/s/^Version: .*/Version: 0.1/" /var/lib/dpkg/status'
	[[ $output == "rootfs: libjson-c5"*": 0.1 is installed, '0."* ]]
}

@test "a target that is there already is left alone" {
	refused "rootfs: /target: is there already" 'mkdir /target'
}

@test "too few words are a line of usage" {
	run docker run --rm fcgi-app-check-rootfs build-aux/rootfs /target
	[ "$status" -eq 1 ]
	[ "$output" = "rootfs: usage: rootfs TARGET NAME VERSION LICENSE OWN [FILE...]" ]
}
