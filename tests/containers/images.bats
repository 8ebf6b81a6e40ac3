# What is in the two images, and how they are built.

images=(app proxy)

# Unpacks both images, once for all tests.
setup_file() {
	local image container
	export BATS_TEST_TIMEOUT=600 IMAGE=${IMAGE-fcgi-app}
	for image in "${images[@]}"; do
		mkdir "$BATS_FILE_TMPDIR/$image"
		container=$(docker create "$IMAGE-$image")
		docker export "$container" | tar -C "$BATS_FILE_TMPDIR/$image" -xf -
		docker rm "$container" >/dev/null
		# what the engine puts into every container
		(cd "$BATS_FILE_TMPDIR/$image" && rm -rf .dockerenv dev proc sys etc/hosts etc/hostname etc/resolv.conf etc/mtab)
	done
}

# Runs a function in the root of each unpacked image: in_each FUNCTION
in_each() {
	local image
	for image in "${images[@]}"; do
		echo "$image:"
		(cd "$BATS_FILE_TMPDIR/$image" && "$1" "$image")
	done
}

# Writes something of an image's configuration: config IMAGE TEMPLATE
config() {
	docker image inspect -f "$2" "$IMAGE-$1"
}

# Builds an image without cache, and writes the digests of its layers: layers IMAGE
layers() {
	docker build -q --no-cache -f "$TOP_SRCDIR/Dockerfile.$1" -t "$IMAGE-again-$1" "$TOP_SRCDIR" >/dev/null
	docker image inspect -f '{{json .RootFS.Layers}}' "$IMAGE-again-$1"
	docker rmi "$IMAGE-again-$1" >/dev/null
}

@test "the images are small: app at most 3.5 MB, proxy at most 14 MB" {
	local app proxy
	app=$(config app '{{.Size}}') proxy=$(config proxy '{{.Size}}')
	echo "app $app, proxy $proxy bytes"
	[ "$app" -gt 1000000 ] && [ "$app" -le 3500000 ]
	[ "$proxy" -gt 1000000 ] && [ "$proxy" -le 14000000 ]
}

@test "nothing can be run but the program, its loader and the health check" {
	[ "$(cd "$BATS_FILE_TMPDIR/app" && find . -type f -perm /111 ! -name '*.so*' | sort)" = ./usr/bin/fcgi-app ]
	[ "$(cd "$BATS_FILE_TMPDIR/proxy" && find . -type f -perm /111 ! -name '*.so*' | sort)" = \
		$'./usr/lib/nagios/plugins/check_tcp\n./usr/sbin/nginx' ]
}

# Fails if there is a file with more rights than it needs.
no_odd_rights() {
	[ -z "$(find . -perm /7000)" ]
	[ -z "$(find . ! -type l -perm /0002)" ]
	[ -z "$(getcap -r . 2>&1)" ]
	[ "$(find . ! -user 0)" = "$(find ./run -mindepth 1)" ] # the run-time directory, where a volume is to be
}

@test "no file is setuid, has capabilities, or can be written by others than root" {
	command -v getcap >/dev/null || skip "getcap is missing (Debian package libcap2-bin)"
	in_each no_odd_rights
}

# Fails unless all files but the records are recorded, and are what the records say.
is_recorded() {
	find . -type f ! -path './var/lib/dpkg/status.d/*' | sed 's|^\./||' | sort >"$BATS_TEST_TMPDIR/files"
	cut -c35- var/lib/dpkg/status.d/*.md5sums | sort >"$BATS_TEST_TMPDIR/recorded"
	[ "$(wc -l <"$BATS_TEST_TMPDIR/files")" -ge 10 ]
	diff "$BATS_TEST_TMPDIR/files" "$BATS_TEST_TMPDIR/recorded"
	cat var/lib/dpkg/status.d/*.md5sums | md5sum --check --quiet --strict
}

@test "every file has a package's record, and is what it says" {
	in_each is_recorded
}

# Writes the packages that an image has records of.
packages() {
	find var/lib/dpkg/status.d -type f ! -name '*.md5sums' -printf '%f\n' | sort | xargs
}

# Fails unless each record names package, version and architecture, and has checksums and a copyright beside it.
has_whole_records() {
	local record
	[ "$(packages | wc -w)" -ge 5 ]
	for record in $(packages); do
		record=var/lib/dpkg/status.d/$record
		grep -qx "Package: ${record##*/}" "$record"
		grep -q '^Version: [0-9]' "$record"
		grep -q '^Architecture: [a-z]' "$record"
		grep -qx 'Status: install ok installed' "$record"
		[ -s "$record.md5sums" ]
		[ -s "usr/share/doc/${record##*/}/copyright" ]
	done
}

@test "each record is whole, with checksums and copyright" {
	in_each has_whole_records
}

@test "the packages are those that are needed, and no other" {
	[ "$(cd "$BATS_FILE_TMPDIR/app" && packages)" = \
		"base-files fcgi-app libc6 libfcgi0t64 libjson-c5" ]
	[ "$(cd "$BATS_FILE_TMPDIR/proxy" && packages)" = \
		"base-files fcgi-app-proxy libc6 libcrypt1 libpcre2-8-0 libssl3t64 libzstd1 monitoring-plugins-basic nginx zlib1g" ]
}

# Fails unless the image says that it is Debian 13.
is_trixie() {
	grep -q '^13\.' etc/debian_version
	grep -qx 'VERSION_ID="13"' etc/os-release
}

@test "scanners are told that it is Debian 13" {
	in_each is_trixie
}

@test "each image runs as a user id of its own, in the group of the socket" {
	[ "$(config app '{{.Config.User}}')" = 1001:1001 ]
	[ "$(config proxy '{{.Config.User}}')" = 1002:1001 ]
}

@test "each image ends in good order on its stop signal, and checks its health without a shell" {
	local image
	[ "$(config app '{{.Config.StopSignal}}')" = SIGTERM ]
	[ "$(config proxy '{{.Config.StopSignal}}')" = SIGQUIT ]
	for image in "${images[@]}"; do
		config "$image" '{{json .Config.Healthcheck}}' | jq -e '.Test[0] == "CMD" and
			[.Interval, .Timeout, .StartPeriod, .Retries] == [30000000000, 10000000000, 5000000000, 3]'
	done
}

@test "the labels tell what it is; the version is the program's" {
	local image version
	version=$(docker run --rm "$IMAGE-app" --version)
	for image in "${images[@]}"; do
		config "$image" '{{json .Config.Labels}}' | jq -e --arg version "${version#fcgi-app }" '
			with_entries(select(.key | startswith("org.opencontainers.image."))) | map_values(length > 0) as $said |
			($said | keys | map(ltrimstr("org.opencontainers.image."))) ==
				["base.name", "created", "description", "licenses", "revision", "source", "title", "version"] and
			all($said[]; .) and ."org.opencontainers.image.version" == $version and
			."org.opencontainers.image.licenses" == "MIT"'
	done
}

@test "make images labels them with the revision and its time" {
	git -C "$TOP_SRCDIR" rev-parse HEAD || skip "no git repository here"
	IMAGE=$IMAGE-labels make -s -C "${TOP_BUILDDIR-$TOP_SRCDIR}" images
	local image
	for image in "${images[@]}"; do
		docker image inspect -f '{{json .Config.Labels}}' "$IMAGE-labels-$image" | jq -e \
			--arg revision "$(git -C "$TOP_SRCDIR" rev-parse HEAD)" --argjson time "$(git -C "$TOP_SRCDIR" log -1 --format=%ct)" '
			(."org.opencontainers.image.revision" | sub("-dirty$"; "")) == $revision and
			(."org.opencontainers.image.created" | fromdate) == $time'
		docker rmi "$IMAGE-labels-$image" >/dev/null
	done
}

@test "two builds without cache have the same layers" {
	local image
	for image in "${images[@]}"; do
		[ "$(layers "$image")" = "$(config "$image" '{{json .RootFS.Layers}}')" ]
	done
}

@test "a build that cannot reach the security updates fails, and says so" {
	run docker build --no-cache --network=none --progress=plain -f "$TOP_SRCDIR/Dockerfile.app" --target base "$TOP_SRCDIR"
	[ "$status" -ne 0 ]
	[[ $output == *"upgrade: the package lists cannot be fetched"* ]]
}

@test "a base image without the security updates in its sources is refused" {
	docker build -q -t "$IMAGE-insecure" - <<-'END'
		FROM debian:trixie-slim
		RUN sed -i '/security/d' /etc/apt/sources.list && rm -rf /etc/apt/sources.list.d /var/lib/apt/lists/*
	END
	run docker build --progress=plain -f "$TOP_SRCDIR/Dockerfile.proxy" --build-arg BASE_IMAGE="$IMAGE-insecure" "$TOP_SRCDIR"
	docker rmi "$IMAGE-insecure"
	[ "$status" -ne 0 ]
	[[ $output == *"upgrade: apt's sources have no security updates"* ]]
}

@test "a bad setting of the proxy fails its build, and says so" {
	run docker build --progress=plain -f "$TOP_SRCDIR/Dockerfile.proxy" --build-arg CLIENT_LIMIT=many "$TOP_SRCDIR"
	[ "$status" -ne 0 ]
	[[ $output == *"CLIENT_LIMIT: 'many' is not a number from 1 to 65535"* ]]
}
