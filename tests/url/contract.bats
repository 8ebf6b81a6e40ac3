#!/usr/bin/env bats
# The HTTP contract, row by row: what a request is answered with, and at the end what each answer has to have.

load support

methods=(GET HEAD POST PUT DELETE PATCH OPTIONS TRACE BREW)
wrong_methods=(POST PUT DELETE PATCH TRACE PROPFIND BREW)
endpoints=(/ /health /info)

# Writes requests with a body, whole and in a chunk: with_body SIZE TARGET METHOD...
with_body() {
	local body target=$2 method
	body=$(repeat "$1" a)
	shift 2
	for method; do
		request "$method" "$target" "Content-Length: ${#body}" '' "$body"
		request "$method" "$target" 'Transfer-Encoding: chunked' '' "$(chunked "$body")"
	done
}

# Lets GET /info follow on each connection of the table.
followed_by_info() {
	local line
	while IFS= read -r line; do
		printf '%s\t' "$line"
		request GET /info
	done
}

# Writes requests for each kind of answer there is, whether the responder makes it or nginx.
each_kind() {
	local method
	for method in GET HEAD OPTIONS POST TRACE; do
		targets "$method" "${endpoints[@]}" /nothing
	done
	for method in GET HEAD POST; do
		targets "$method" /%zz "/$(repeat 9000 a)"
		request "$method" / "X: $(repeat 9000 a)"
		request "$method" / 'Content-Length: 8193' '' "$(repeat 8193 a)"
		request "$method" / 'Transfer-Encoding: gzip'
		printf '%s\n' "$method / HTTP/2.0\r\nHost: localhost\r\n\r\n"
	done
}

# Asks for each kind of answer, and keeps the tests in their order, since the last ones judge the answers to all.
setup_file() {
	export BATS_NO_PARALLELIZE_WITHIN_FILE=true
	each_kind | client >"$BATS_FILE_TMPDIR/kinds"
}

# The endpoints

@test "GET / is the greeting, byte for byte" {
	request GET / | expect '.status == 200' 'timeless == greeting'
}

@test "GET / tells the time, to within 5 seconds" {
	local told
	told=$(client "$(request GET /)" | jq -r '.answers[0].body | fromjson | .server_time')
	told=$(($(date +%s) - $(date -d "$told" +%s)))
	echo "$told seconds off"
	[ "${told#-}" -le 5 ]
}

@test "GET / tells a new time each time" {
	for _ in {1..20}; do
		request GET /
	done | together | expect --in-turn \
		'[.connection.answers[].body | fromjson | .server_time] | length == 20 and . == unique'
}

@test "GET /health is healthy, byte for byte" {
	request GET /health | expect '.status == 200' '.body == health'
}

@test "GET /info has four keys, sorted and compact, and a newline" {
	request GET /info | expect '.status == 200' '.body == info'
}

@test "GET /info has text and a user id in its values" {
	request GET /info | expect '.body | fromjson | map_values(type) ==
		{c_version: "string", container_id: "string", uid: "number", user: "string"}'
}

@test "GET /info shows that root serves nobody" {
	request GET /info | expect '.body | fromjson | .uid > 0 and .uid == (.uid | floor)'
}

@test "GET /info has language, C library and compiler in c_version, as in Python's sys.version" {
	request GET /info | expect '.body | fromjson | .c_version |
		test("\\AC[0-9]{2} \\([A-Za-z]+ [0-9]+(\\.[0-9]+)+\\) \\[[A-Za-z ]+ [0-9]+\\.[^\\[\\]]*\\]\\z")'
}

@test "GET /info tells the user and the container it was told" {
	request GET /info | expect '.body | fromjson | . == . + told'
}

@test "the endpoints' Content-Type is application/json" {
	targets GET "${endpoints[@]}" | expect 'values("Content-Type") == ["application/json"]'
}

# HEAD and OPTIONS

@test "HEAD has the status and the headers of GET" {
	local target
	for target in "${endpoints[@]}" /nothing; do
		targets GET "$target" "$target" | sed '1s/^GET/HEAD/' | together
	done | expect '.connection.answers | .[0].line == .[1].line' \
		'.connection.answers | (.[0] | lasting_headers) == (.[1] | lasting_headers)'
}

@test "HEAD has no body on the wire: what follows is the next answer, or the end" {
	local target
	for target in "${endpoints[@]}" /nothing; do
		{ request HEAD "$target" && request GET /health 'Connection: close'; } | together
	done | expect '.connection.answers[0].method == "HEAD"' '.body == health'
	for target in "${endpoints[@]}" /nothing; do
		request HEAD "$target" 'Connection: close'
	done | expect '.connection.end == "closed"'
}

@test "OPTIONS is 200 with Allow and an empty body" {
	targets OPTIONS "${endpoints[@]}" |
		expect '.status == 200' 'values("Allow") == ["GET, HEAD, OPTIONS"]' 'values("Content-Length") == ["0"]'
}

# Paths

@test "another path is 404, whatever the method" {
	local method
	for method in "${methods[@]}"; do
		request "$method" /nothing
	done | expect '.status == 404'
}

@test "a path that is almost an endpoint's is 404" {
	targets GET /health/ /health/. /health// /HEALTH /Health //health // /health/x /healthy /healt /health. \
		/.health /health+ '/health;x' /health%20 /%20health '/\\health' /info/ /INFO /inf |
		expect '.status == 404'
}

@test "an encoded slash or question mark is 404, not an end of the path" {
	targets GET /health%2F /health%2f /%2Fhealth /%2fhealth /%2F%2Fhealth /health%3F /health%3Fx=1 /health%23 |
		expect '.status == 404'
}

@test "a path is decoded" {
	targets GET /%68ealth /%68%65%61%6C%74%68 /%68%65%61%6c%74%68 /healt%68 |
		expect '.status == 200' '.body == health'
}

@test "a path is decoded once" {
	targets GET /%2568ealth /%252568ealth /%25%36%38ealth /health%2500 | expect '.status == 404'
}

@test "a path with an encoded NUL is 400" {
	targets GET /health%00 /%00health /%00 /health%00.json | expect '.status == 400'
}

@test "dot segments are resolved before the path is looked up" {
	targets GET /./health /x/../health /health/../health /x/y/../../health /x/%2e%2e/health /%2e/health |
		expect '.status == 200' '.body == health'
	targets GET /. /x/.. /health/.. /health/../ | expect '.status == 200' 'timeless == greeting'
}

@test "a dot segment at the end leaves a slash, which is another path" {
	targets GET /health/. /health/x/.. /x/../health/ | expect '.status == 404'
}

@test "what nginx has for itself, and what others have, is 404" {
	local method
	for method in "${methods[@]}"; do
		targets "$method" /problem '/problem?' /%70roblem /fresh /@fresh /kept /index.html /favicon.ico \
			/robots.txt /nginx_status /status /server-status /metrics /.env /.git/config /50x.html
	done | expect '.status == 404'
}

@test "a query is ignored" {
	targets GET '/health?' '/health?x=%00' '/health?x=%zz' '/health?%' '/health?/../x' '/health?a=b&c=d' \
		'/health??' '/health?http://x/' "/health?$(repeat 4000 a)" | expect '.status == 200' '.body == health'
	targets GET '/?health' '/?/info' '/?x=%00' | expect '.status == 200' 'timeless == greeting'
}

# Methods

@test "another method is 405 with Allow" {
	local method
	for method in "${wrong_methods[@]}"; do
		targets "$method" "${endpoints[@]}"
	done | expect '.status == 405' 'values("Allow") == ["GET, HEAD, OPTIONS"]'
}

# Bodies

@test "a body of 8 KiB changes nothing, and the next request on its connection is answered" {
	with_body 8192 /health GET HEAD OPTIONS | followed_by_info |
		expect '.connection.answers[0].status == 200' '.body == info'
	with_body 8192 /health POST PUT BREW | followed_by_info |
		expect '.connection.answers[0].status == 405' '.body == info'
	with_body 8192 /nothing GET HEAD OPTIONS POST PUT BREW | followed_by_info |
		expect '.connection.answers[0].status == 404' '.body == info'
}

@test "a body of 8 KiB and a byte is 413, whatever the path and the method" {
	{
		with_body 8193 /health GET HEAD OPTIONS POST PUT BREW
		with_body 8193 /nothing GET HEAD OPTIONS POST PUT BREW
	} | expect '.status == 413'
}

@test "a body in many chunks is measured as a whole" {
	local chunks
	chunks=$(repeat 1023 '8\r\naaaaaaaa\r\n')
	request POST /health 'Transfer-Encoding: chunked' '' "$chunks$(chunked aaaaaaaa)" | expect '.status == 405'
	request POST /health 'Transfer-Encoding: chunked' '' "$chunks$(chunked aaaaaaaaa)" | expect '.status == 413'
}

@test "Expect: 100-continue gets its 100 before the body is sent, and then the answer" {
	printf '%s\t%s\n' "$(request GET /health 'Expect: 100-continue' 'Content-Length: 5')" hello |
		expect --parts --in-turn '[.connection.answers[].status] == [100, 200]' '.body == health'
}

@test "Expect: 100-continue of a body that is too large gets 413 at once" {
	request GET /health 'Expect: 100-continue' 'Content-Length: 8193' | client --timeout 1 |
		judged judge_connections '.answers | map(.status) == [413] and (.[0] | .body == problem)'
}

# Connections

@test "a connection is good for 100 requests, each with an id of its own" {
	for _ in {1..100}; do
		request GET /health
	done | together | expect --in-turn \
		'.connection.answers | length == 100 and all(.status == 200 and .body == health)' \
		'[.connection.answers[] | values("X-Request-Id")[]] | length == 100 and (unique | length) == 100'
}

@test "a connection survives 404, 405 and OPTIONS" {
	{
		request GET /nothing
		request POST /health
		request OPTIONS /
		request HEAD /info
		request GET /health
	} | together |
		expect --in-turn '[.connection.answers[].status] == [404, 405, 200, 200, 200]' '.body == health'
}

@test "Connection: close is answered, and obeyed" {
	request GET /health 'Connection: close' | expect '.status == 200' 'values("Connection") == ["close"]' \
		'.connection.end == "closed"'
}

@test "HTTP/1.0 is answered without a Host, and closed" {
	printf '%s\n' 'GET /health HTTP/1.0\r\n\r\n' |
		expect '.status == 200' '.body == health' '.connection.end == "closed"'
}

@test "HTTP/1.0 with keep-alive is kept" {
	printf '%s\n%s\n' 'GET /health HTTP/1.0\r\nConnection: keep-alive\r\n\r\n' 'GET /health HTTP/1.0\r\n\r\n' |
		together | expect --in-turn '.connection.answers | length == 2 and all(.body == health)'
}

# Every answer to the tests above, nginx's own too

@test "each kind of answer is what it should be" {
	judged judge <"$BATS_FILE_TMPDIR/kinds"
}

@test "each kind of answer was asked for" {
	jq -s -e '[.[].answers[].status] | unique == [200, 400, 404, 405, 413, 414, 431, 501, 505]' \
		"$BATS_FILE_TMPDIR/kinds"
}

@test "every answer forbids sniffing, once" {
	every_answer 'is_secured_by("X-Content-Type-Options")'
}

@test "every answer has a CSP that allows nothing, once" {
	every_answer 'is_secured_by("Content-Security-Policy")'
}

@test "every answer forbids storing it, once" {
	every_answer 'is_secured_by("Cache-Control")'
}

@test "every answer keeps the referrer from others, once" {
	every_answer 'is_secured_by("Referrer-Policy")'
}

@test "every answer is for its own origin, once" {
	every_answer 'is_secured_by("Cross-Origin-Resource-Policy")'
}

@test "every answer has a request id of 32 hexadecimal digits, once" {
	every_answer 'once("X-Request-Id"; "[0-9a-f]{32}")'
}

@test "no two answers have the same request id" {
	all_answers | jq -s -e '[.[].answers[].headers[] | select(.[0] == "X-Request-Id")[1]] |
		length > 30 and length == (unique | length)'
}

@test "every answer tells its length, once, and is not chunked" {
	every_answer 'once("Content-Length"; "[0-9]+")' 'values("Transfer-Encoding") == []' \
		'.method == "HEAD" or values("Content-Length") == ["\(.body | utf8bytelength)"]'
}

@test "every answer tells the date, once" {
	every_answer 'once("Date"; http_date)'
}

@test "no answer tells a version" {
	every_answer 'values("Server") == ["nginx"]' '[.headers[][0] | select(test("version|powered"; "i"))] == []'
}

@test "no answer has a header that the contract does not know" {
	every_answer '[.headers[][0]] - ["Allow", "Cache-Control", "Connection", "Content-Length",
		"Content-Security-Policy", "Content-Type", "Cross-Origin-Resource-Policy", "Date", "Keep-Alive",
		"Referrer-Policy", "Server", "X-Content-Type-Options", "X-Request-Id"] == []'
}

@test "every error is a problem document of its status, byte for byte" {
	every_answer '.status < 400 or values("Content-Type") == ["application/problem+json"]' \
		'.status < 400 or .method == "HEAD" or .body == problem'
}
