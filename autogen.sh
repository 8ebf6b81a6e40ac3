#!/bin/sh
# Makes ./configure from configure.ac.
#   ./autogen.sh                bootstrap only
#   ./autogen.sh --deps         first install the Debian packages that build, run and `make check` need
#   ./autogen.sh --deps=build   only those that build
#   ./autogen.sh --deps=all     and those for lint, fuzzing, coverage, valgrind, benchmarks and system call traces
set -eu
cd "$(dirname "$0")"

usage='usage: ./autogen.sh [--deps | --deps=build | --deps=all]'
build='autoconf automake gcc libc6-dev make pkg-config libfcgi-dev libjson-c-dev'
run='curl nginx util-linux'
check='bats check jq procps python3'
all='clang clang-format clang-tidy cppcheck gcovr libcap2-bin libclang-rt-dev llvm shellcheck strace valgrind wrk'

# Says why it ends, and ends.
die() {
	printf 'autogen.sh: %s\n' "$*" >&2
	exit 1
}

# Runs a command as root.
as_root() {
	if [ "$(id -u)" -eq 0 ]; then
		"$@"
	elif command -v sudo >/dev/null; then
		sudo "$@"
	else
		die "--deps needs root or sudo"
	fi
}

# Keeps Debian's nginx package from serving port 80, now and after the next boot, unless nginx is there already.
mask_nginx() {
	unit=/etc/systemd/system/nginx.service
	if [ ! -e $unit ] && ! dpkg-query -W -f '${Status}' nginx 2>/dev/null | grep -q 'ok installed'; then
		as_root mkdir -p "${unit%/*}"
		as_root ln -s /dev/null $unit
	fi
}

# Installs packages; their services are not started.
install_packages() {
	command -v apt-get >/dev/null || die "--deps knows Debian's packages only; the README names what is needed"
	mask_nginx
	policy=/usr/sbin/policy-rc.d
	if [ -e "$policy" ]; then
		policy=
	else
		printf '#!/bin/sh\nexit 101\n' | as_root sh -c "cat >$policy && chmod 755 $policy"
		trap 'as_root rm -f /usr/sbin/policy-rc.d' EXIT
		trap 'exit 1' HUP INT TERM
	fi
	as_root apt-get update -qq
	as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@"
}

[ $# -le 1 ] || die "$usage"
# shellcheck disable=SC2086 # lists of words
case ${1-} in
'') ;;
--deps=build) install_packages $build ;;
--deps) install_packages $build $run $check ;;
--deps=all) install_packages $build $run $check $all ;;
*) die "$usage" ;;
esac

autoreconf --install --force
