# The locks, read from what really runs: the processes of both containers, on this host.

services=(app proxy)

setup_file() {
	[ "$(id -u)" -eq 0 ] || skip "only root may read other users' processes"
	[ -d "/proc/$(docker inspect -f '{{.State.Pid}}' "$(docker ps -q | head -n 1)")" ] || skip "the engine is on another host"
}

setup() {
	load ../lib/server.bash
	load ../lib/compose.bash
}

# Writes all processes of a service, by their ids on this host: processes SERVICE
processes() {
	docker top "$(container "$1")" -eo pid | tail -n +2
}

# Fails unless all processes of a service, two at least, have a line in their status: status_is SERVICE LINE
status_is() {
	local pid count=0
	for pid in $(processes "$1"); do
		grep -qx "$2" "/proc/$pid/status" || {
			echo "$1, process $pid: $(grep "${2%%:*}" "/proc/$pid/status"), not $2"
			return 1
		}
		count=$((count + 1))
	done
	[ "$count" -ge 2 ]
}

# Fails unless all processes of both have a line in their status: all_have LINE
all_have() {
	local service
	for service in "${services[@]}"; do
		status_is "$service" "$1"
	done
}

# Writes the mounts of a service that can be written: writable_mounts SERVICE
writable_mounts() {
	awk '$6 ~ /(^|,)rw(,|$)/ && $5 !~ /^\/(proc|sys)(\/|$)/ { print $5 }' "/proc/$(first_process "$1")/mountinfo" | sort | xargs
}

# Writes the directories of a service's file systems whose rights let a user write: writable_directories SERVICE UID GID
writable_directories() {
	local root
	root=/proc/$(first_process "$1")/root
	find "$root/" \( -path "$root/proc" -o -path "$root/sys" \) -prune -o -type d \
		\( -perm -0002 -o -user "$2" -perm -0200 -o -group "$3" -perm -0020 \) -printf '/%P\n' | sort | xargs
}

# Writes what a service's cgroup says, by the file's name in version 1 or 2: cgroup SERVICE CONTROLLER V1-FILE V2-FILE
cgroup() {
	local pid path
	pid=$(first_process "$1")
	if [ -e /sys/fs/cgroup/cgroup.controllers ]; then
		cat "/sys/fs/cgroup$(sed -n 's/^0:://p' "/proc/$pid/cgroup")/$4"
	else
		path=$(sed -n "s/^[0-9]*:\(.*,\)*$2\(,.*\)*://p" "/proc/$pid/cgroup")
		cat "/sys/fs/cgroup/$2$path/$3"
	fi
}

# Fails unless a limit of a service's first process is this, soft and hard: limit_is SERVICE NAME VALUE
limit_is() {
	[ "$(sed -n "s/^Max $2  *\([0-9a-z]*\)  *\([0-9a-z]*\) .*/\1 \2/p" "/proc/$(first_process "$1")/limits")" = "$3 $3" ]
}

@test "each runs as its own user, both in the group of the socket, in no other" {
	status_is app $'Uid:\t1001\t1001\t1001\t1001'
	status_is proxy $'Uid:\t1002\t1002\t1002\t1002'
	all_have $'Gid:\t1001\t1001\t1001\t1001'
	all_have $'Groups:\t1001 *'
}

@test "no process has a capability, or can get one" {
	local set
	for set in Inh Prm Eff Bnd Amb; do
		all_have "Cap$set:"$'\t0000000000000000'
	done
}

@test "no process can gain privileges by running a program" {
	all_have $'NoNewPrivs:\t1'
}

@test "every process is behind a seccomp filter" {
	all_have $'Seccomp:\t2'
}

@test "what can be written is the socket's volume, the proxy's run-time directory, and nothing on a disk" {
	[ "$(writable_mounts app)" = "/dev /dev/mqueue /dev/pts /run/fcgi-app" ]
	[ "$(writable_mounts proxy)" = "/dev /dev/mqueue /dev/pts /run/nginx" ]
	[ "$(writable_directories app 1001 1001)" = "/dev/mqueue /run/fcgi-app" ]
	[[ "$(writable_directories proxy 1002 1001)" =~ ^"/dev/mqueue /run/nginx"(" /run/nginx/"[a-z]+)+$ ]]
}

@test "their own file systems are small, and take no programs or devices" {
	local service mount
	for service in app:/run/fcgi-app proxy:/run/nginx; do
		mount=$(awk -v at="${service#*:}" '$5 == at { print $6 "," $NF }' "/proc/$(first_process "${service%:*}")/mountinfo")
		[[ ,$mount, == *,nosuid,* && ,$mount, == *,nodev,* && ,$mount, == *,noexec,* && ,$mount, == *,size=64k,* ]]
	done
}

@test "no message queue can be made in /dev/mqueue, which no option takes away" {
	local service
	for service in "${services[@]}"; do
		limit_is "$service" "msgqueue size" 0
	done
}

@test "the proxy's run-time directory is for its user alone" {
	[ "$(stat -c '%u:%g %a' "/proc/$(first_process proxy)/root/run/nginx")" = "1002:1001 700" ]
}

@test "the socket's directory and the socket are for its user and its group" {
	local root
	root=/proc/$(first_process app)/root
	[ "$(stat -c '%u:%g %a' "$root/run/fcgi-app")" = "1001:1001 750" ]
	[ "$(stat -c '%u:%g %a %F' "$root/run/fcgi-app/fcgi-app.sock")" = "1001:1001 660 socket" ]
}

@test "the app has no network" {
	[ "$(tail -n +3 "/proc/$(first_process app)/net/dev" | cut -d: -f1 | xargs)" = lo ]
	[ "$(tail -n +2 "/proc/$(first_process app)/net/route" | wc -l)" -eq 0 ]
}

@test "the proxy listens on its port only" {
	local listening
	# state 0A: listening; 127.0.0.11 is Docker's resolver
	listening=$(cat "/proc/$(first_process proxy)"/net/{tcp,tcp6} | awk '$4 == "0A" && $2 !~ /^0B00007F:/ { print $2 }')
	[ "$listening" = "00000000:$(printf %04X 5000)" ]
}

@test "nothing that the proxy sends out is given the host's address, so no answer comes back" {
	local network
	network=$(docker network inspect -f '{{(index .IPAM.Config 0).Subnet}}' "${COMPOSE_PROJECT_NAME}_front")
	iptables -t nat -S POSTROUTING >"$BATS_TEST_TMPDIR/rules" || skip "the firewall's rules cannot be read"
	grep -q MASQUERADE "$BATS_TEST_TMPDIR/rules" # the engine's other networks: the rules are where we look
	! grep MASQUERADE "$BATS_TEST_TMPDIR/rules" | grep -F -e "-s $network"
}

@test "memory, processor and processes are limited; swap adds no memory" {
	local service
	[ "$(cgroup app memory memory.limit_in_bytes memory.max)" -eq $((64 << 20)) ]
	[ "$(cgroup proxy memory memory.limit_in_bytes memory.max)" -eq $((128 << 20)) ]
	for service in "${services[@]}"; do
		[ "$(cgroup "$service" pids pids.max pids.max)" -eq 32 ]
		if [ -e /sys/fs/cgroup/cgroup.controllers ]; then
			[ "$(cgroup "$service" memory - memory.swap.max)" -eq 0 ]
			[ "$(cgroup "$service" cpu - cpu.max)" = "100000 100000" ]
		else
			[ "$(cgroup "$service" memory memory.memsw.limit_in_bytes -)" -eq "$(cgroup "$service" memory memory.limit_in_bytes -)" ]
			[ "$(cgroup "$service" cpu cpu.cfs_quota_us -)" -eq "$(cgroup "$service" cpu cpu.cfs_period_us -)" ]
		fi
	done
}

@test "descriptors are limited, and there are no core dumps" {
	limit_is app "open files" 4096
	limit_is proxy "open files" 16448
	limit_is app "core file size" 0
	limit_is proxy "core file size" 0
}

@test "each has namespaces of its own" {
	local service kind
	for service in "${services[@]}"; do
		for kind in cgroup ipc mnt net pid uts; do
			[ "$(readlink "/proc/$(first_process "$service")/ns/$kind")" != "$(readlink "/proc/self/ns/$kind")" ]
			[ "$(readlink "/proc/$(first_process app)/ns/$kind")" != "$(readlink "/proc/$(first_process proxy)/ns/$kind")" ]
		done
	done
}

@test "logs are bounded" {
	local service
	for service in "${services[@]}"; do
		docker inspect -f '{{json .HostConfig.LogConfig}}' "$(container "$service")" |
			jq -e '. == {Type: "json-file", Config: {"max-file": "3", "max-size": "1m"}}'
	done
}

@test "the published port is on loopback" {
	docker inspect -f '{{json .NetworkSettings.Ports}}' "$(container proxy)" |
		jq -e --arg port "$PORT" '. == {"5000/tcp": [{HostIp: "127.0.0.1", HostPort: $port}]}'
}
