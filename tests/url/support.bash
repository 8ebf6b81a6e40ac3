# What the tests by URL share: to write requests, to send them, to judge the answers.

# Sends messages and writes what came of it as JSON: client [OPTION...] [MESSAGE...]
# What the tests of a file were answered is kept until its end, each time in a file of its own.
client() {
	"$PYTHON" "$BATS_TEST_DIRNAME/../lib/rawhttp.py" "$@" | tee "$(mktemp "$BATS_FILE_TMPDIR/answers.XXXXXX")"
}

# Writes all that there has been to the tests of this file.
all_answers() {
	cat "$BATS_FILE_TMPDIR"/answers.*
}

# Writes one request as a line of rawhttp.py's table: request METHOD TARGET [FIELD...] ['' BODY]
request() {
	local message="$1 $2 HTTP/1.1\r\nHost: localhost\r\n"
	shift 2
	while [ -n "${1-}" ]; do
		message+="$1\r\n"
		shift
	done
	printf '%s\n' "$message\r\n${2-}"
}

# Writes one request for each target: targets METHOD TARGET...
targets() {
	local method=$1 target
	shift
	for target; do
		request "$method" "$target"
	done
}

# Joins the lines of the table to one connection.
together() {
	paste -s -d '\t'
}

# Writes a text so many times: repeat TIMES TEXT
repeat() {
	yes "$2" | head -n "$1" | tr -d '\n'
}

# Writes a body in one chunk.
chunked() {
	printf '%x\\r\\n%s\\r\\n0\\r\\n\\r\\n' "${#1}" "$1"
}

# Reads JSON from rawhttp.py and fails if a judge of contract.jq finds something wrong: judged JUDGE CONDITION...
# Conditions are in jq, and have to be true; one that comes to nothing, or to an error, is not.
judged() {
	local judge=$1 faults=empty number wrong
	shift
	for ((number = 0; number < $#; number++)); do
		faults+=", fault([try (${*:number + 1:1}) catch .] != [true]; \$ARGS.positional[$number])"
	done
	wrong=$(jq -rs -L "$BATS_TEST_DIRNAME" "include \"contract\"; $judge($faults)" --args "$@") || return
	[ -z "$wrong" ] || {
		printf '%s\n' "$wrong"
		return 1
	}
}

# Sends each line of the table on a connection of its own. Each answer has to keep the contract, and the last one on
# each connection the conditions, too: expect [--OPTION[=VALUE]...] CONDITION...
expect() {
	local options=()
	while [[ ${1-} == --* ]]; do
		options+=("$1")
		shift
	done
	client ${options[@]+"${options[@]}"} | judged judge "$@"
}

# Judges each answer that there has been to the tests of this file: every_answer CONDITION...
every_answer() {
	all_answers | judged judge_answers "$@"
}
