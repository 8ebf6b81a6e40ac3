#!/usr/bin/env bats
# Broken and hostile HTTP. The answer is always a problem document or, where there is nothing to answer, a closed
# connection; and the server goes on. Where RFC 9112 leaves a choice, a test takes any of what it allows.

load support

# Writes messages as they are, each a line of rawhttp.py's table.
messages() {
	printf '%s\n' "$@"
}

# Writes one GET /health for each header line.
with_field() {
	local field
	for field; do
		request GET /health "$field"
	done
}

# Writes one request for each body, chunked as it says: with_chunks METHOD TARGET BODY...
with_chunks() {
	local method=$1 target=$2 body
	shift 2
	for body; do
		request "$method" "$target" 'Transfer-Encoding: chunked' '' "$body"
	done
}

# Asks for /health, each time on a new connection, and fails if that takes longer than 100 ms. The median counts, since
# a single slow answer is the machine's: promptly [OPTION...]
promptly() {
	for _ in {1..21}; do
		request GET /health
	done | client "$@" >"$BATS_TEST_TMPDIR/answers"
	judged judge '.status == 200' <"$BATS_TEST_TMPDIR/answers"
	jq -s 'map(.seconds) | sort[10]' "$BATS_TEST_TMPDIR/answers" | tee "$BATS_TEST_TMPDIR/median"
	jq -e '. < 0.1' "$BATS_TEST_TMPDIR/median"
}

# Starts what takes long, clients that do not finish what they have begun, and keeps the tests in their order.
setup_file() {
	export BATS_NO_PARALLELIZE_WITHIN_FILE=true
	messages 'GET /health HTTP/1.1\r\nHost' | client --timeout 25 >"$BATS_FILE_TMPDIR/header" 3>&- &
	request POST /health 'Content-Length: 5' '' ab | client --timeout 25 >"$BATS_FILE_TMPDIR/body" 3>&- &
}

# Whatever was sent, the next client is answered.
teardown() {
	[ "$(curl -q --noproxy '*' --silent --show-error --fail --max-time 5 "$URL/health")" = '{"status":"healthy"}' ]
}

# The request line

@test "a request line that is none is 400" {
	messages 'GET\r\n\r\n' 'GET \r\n\r\n' ' GET /health HTTP/1.1\r\nHost: x\r\n\r\n' \
		'GET\t/health HTTP/1.1\r\nHost: x\r\n\r\n' 'G(T /health HTTP/1.1\r\nHost: x\r\n\r\n' \
		'GET /hea lth HTTP/1.1\r\nHost: x\r\n\r\n' 'GET health HTTP/1.1\r\nHost: x\r\n\r\n' \
		'GET ?x HTTP/1.1\r\nHost: x\r\n\r\n' 'GET /health HTTP/1.1 x\r\nHost: x\r\n\r\n' \
		'GET /health HTTP\r\nHost: x\r\n\r\n' 'GET /health HTTQ/1.1\r\nHost: x\r\n\r\n' \
		'GET /health FTP/1.1\r\nHost: x\r\n\r\n' 'GET /health http/1.1\r\nHost: x\r\n\r\n' |
		expect '.status == 400' '.connection.end == "closed"'
}

@test "a request line with a control character is 400" {
	messages 'GET /hea\x00lth HTTP/1.1\r\nHost: x\r\n\r\n' 'GET\x00/health HTTP/1.1\r\nHost: x\r\n\r\n' \
		'GET /health\x7f HTTP/1.1\r\nHost: x\r\n\r\n' 'GET /\x01 HTTP/1.1\r\nHost: x\r\n\r\n' \
		'GET /hea\rlth HTTP/1.1\r\nHost: x\r\n\r\n' 'GET /health HTTP/1.1\rHost: x\r\r' \
		'GET /health?\x00 HTTP/1.1\r\nHost: x\r\n\r\n' 'GET /health?\x1b[31m HTTP/1.1\r\nHost: x\r\n\r\n' |
		expect '.status == 400' '.connection.end == "closed"'
}

@test "an empty line before the request is skipped" {
	messages '\r\nGET /health HTTP/1.1\r\nHost: x\r\n\r\n' | expect '.status == 200' '.body == health'
}

@test "a version that is no version is 400" {
	messages 'GET /health HTTP/1\r\nHost: x\r\n\r\n' 'GET /health HTTP/1.\r\nHost: x\r\n\r\n' \
		'GET /health HTTP/.1\r\nHost: x\r\n\r\n' 'GET /health HTTP/01.1\r\nHost: x\r\n\r\n' \
		'GET /health HTTP/1,1\r\nHost: x\r\n\r\n' 'GET /health HTTP/-1.1\r\nHost: x\r\n\r\n' \
		'GET /health HTTP/x.y\r\nHost: x\r\n\r\n' 'GET /health HTTP/0.9\r\nHost: x\r\n\r\n' |
		expect '.status == 400'
}

@test "another major version is 505" {
	messages 'GET /health HTTP/2.0\r\nHost: x\r\n\r\n' 'GET /health HTTP/3.0\r\nHost: x\r\n\r\n' \
		'GET /health HTTP/9.9\r\nHost: x\r\n\r\n' | expect '.status == 505'
}

@test "a later minor version is answered as HTTP/1.1" {
	messages 'GET /health HTTP/1.9\r\nHost: x\r\n\r\n' 'GET /health HTTP/1.2\r\nHost: x\r\n\r\n' |
		expect '.status == 200' '.body == health'
}

@test "the preface of HTTP/2 is refused" {
	messages 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n' | expect '.status | IN(400, 505)'
}

@test "HTTP/0.9 gets a bare document, or 400" {
	messages 'GET /health\r\n' | client | judged judge_connections '.end == "closed"' \
		'.rest == health or .answers[0].status == 400'
	messages 'GET /nothing\r\n' | client | judged judge_connections '.end == "closed"' \
		'.rest == ({status: 404} | problem) or .answers[0].status == 400'
	messages 'POST /health\r\n' 'HEAD /health\r\n' | client | judged judge_connections '.end == "closed"' \
		'.rest == ({status: 400} | problem) or .answers[0].status == 400'
}

@test "a method in small letters is not GET" {
	{
		targets get / /health /nothing
		targets Get / /health /nothing
	} | expect '.status | IN(400, 404, 405, 501)'
}

@test "CONNECT opens no tunnel" {
	request CONNECT example.com:443 | expect '.status | IN(400, 404, 405, 501)' '.connection.end == "closed"'
	request CONNECT /health | expect '.status == 405'
	request CONNECT /nothing | expect '.status == 404'
}

@test "TRACE echoes nothing" {
	request TRACE /health 'X-Secret: 5ec2e7' | expect '.status == 405' \
		'[.headers[][1], .body] | any(contains("5ec2e7")) | not'
}

@test "a target in absolute form is the path in it" {
	targets GET http://localhost/health 'http://example.com:8080/health?x' HTTP://EXAMPLE.COM/health |
		expect '.status == 200' '.body == health'
	request GET http://example.com | expect '.status == 200' 'timeless == greeting'
	request GET http://example.com/nothing | expect '.status == 404'
}

@test "a target in absolute form still needs a Host" {
	messages 'GET http://localhost/health HTTP/1.1\r\n\r\n' | expect '.status == 400'
}

@test "a target that names no host, or no path of ours, is refused" {
	targets GET http:///health file:///etc/passwd http:// '*' ../etc/passwd 'C:\\\\x' '' | expect '.status == 400'
}

@test "OPTIONS * is no redirect and no document, but refused or allowed" {
	request OPTIONS '*' | expect '.status == 200 and .body == "" or (.status | IN(400, 404, 501))'
}

@test "a broken percent-encoding is 400" {
	targets GET /% /%2 /%zz /%2z /health% /health%a /%u0068ealth /%%36%38ealth | expect '.status == 400'
}

@test "a path that leaves the root is 400" {
	targets GET /.. /../ /../health /../../etc/passwd /x/../../health /%2e%2e/health /.%2e/health /%2e./etc \
		'/..%2fetc%2fpasswd' '/health/../../info' | expect '.status == 400'
}

@test "a path that only looks like leaving the root is 404" {
	targets GET '/..\\\\etc' /... /....//health '/..;/health' /%252e%252e/health /.../health |
		expect '.status == 404'
}

@test "a path that is not ASCII, and one that is not UTF-8, is 404" {
	targets GET '/caf\xc3\xa9' /caf%c3%a9 '/\xe2\x80\xaehtlaeh' '/\xef\xbb\xbfhealth' | expect '.status == 404'
	targets GET '/\xff\xfe' /%ff%fe /%c0%af /%c0%ae%c0%ae/health '/health\x80' '/\x80health' /%ed%a0%80 |
		expect '.status == 404'
}

@test "a target of 9000 bytes is 414" {
	local method
	for method in GET HEAD POST; do
		request "$method" "/$(repeat 9000 a)"
		request "$method" "/health?$(repeat 9000 a)"
		request "$method" "/$(repeat 3000 %41)"
	done | expect '.status == 414' '.connection.end == "closed"'
}

@test "a method of 9000 bytes is refused" {
	request "$(repeat 9000 G)" /health | expect '.status | IN(400, 414, 501)'
}

@test "what is not HTTP at all is 400" {
	messages '\x16\x03\x01\x00\x2f\x01\x00\x00\x2b\x03\x03'"$(repeat 32 '\x5a')"'\x00\x00\x02\x13\x01\x01\x00' \
		'SSH-2.0-OpenSSH_9.2\r\n' 'EHLO example.com\r\n' 'PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n' \
		'\x01\x01\x00\x01\x00\x08\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00' "$(printf '\\x%02x' {0..255})" |
		expect '.status == 400' '.connection.end == "closed"'
}

# Header fields

@test "HTTP/1.1 without a Host is 400" {
	messages 'GET /health HTTP/1.1\r\n\r\n' 'GET /nothing HTTP/1.1\r\nX: y\r\n\r\n' 'POST / HTTP/1.1\r\n\r\n' |
		expect '.status == 400'
}

@test "two Hosts are 400, also two of a kind" {
	with_field 'Host: localhost' 'Host: example.com' 'HOST: localhost' | expect '.status == 400'
}

@test "a Host that is none is 400" {
	messages 'GET /health HTTP/1.1\r\nHost: a b\r\n\r\n' 'GET /health HTTP/1.1\r\nHost: a/b\r\n\r\n' \
		'GET /health HTTP/1.1\r\nHost: ..\r\n\r\n' 'GET /health HTTP/1.1\r\nHost: a\x00b\r\n\r\n' \
		'GET /health HTTP/1.1\r\nHost:\r\n\r\n' | expect '.status == 400'
}

@test "an address in a Host is fine, with and without a port" {
	messages 'GET /health HTTP/1.1\r\nHost: [::1]:80\r\n\r\n' 'GET /health HTTP/1.1\r\nHost: 127.0.0.1:1\r\n\r\n' \
		'GET /health HTTP/1.1\r\nhost:x\r\n\r\n' 'GET /health HTTP/1.1\r\nHost:   x   \r\n\r\n' |
		expect '.status == 200' '.body == health'
}

@test "a blank or a control character in a header name is 400" {
	with_field 'Bad Name: x' 'Name : x' 'Content-Length : 5' 'Transfer-Encoding : chunked' 'X\t: x' 'X\x00: x' \
		'X\x01Y: x' 'X\x7f: x' ': x' 'X\rY: x' | expect '.status == 400'
}

@test "a NUL or a bare CR in a header value is 400" {
	with_field 'X: a\x00b' 'X: \x00' 'X: a\rb' 'X: a\r\rb' | expect '.status == 400'
}

@test "a folded header is 400" {
	{
		with_field 'X: a\r\n b' 'X: a\r\n\tb' 'X:\r\n Host: y' 'Transfer-Encoding:\r\n chunked'
		messages 'GET /health HTTP/1.1\r\n Host: x\r\n\r\n'
	} | expect '.status == 400'
}

@test "a bare LF ends a line, or is 400" {
	messages 'GET /health HTTP/1.1\nHost: x\n\n' 'GET /health HTTP/1.1\r\nHost: x\n\r\n' \
		'GET /health HTTP/1.1\r\nHost: x\r\n\n' | expect '.status == 400 or .body == health'
}

@test "a line without a colon, or a name that is no token, is ignored or refused" {
	with_field 'Nothing' 'X(y): z' 'X"y": z' 'X\xe9: z' 'X@y: z' 'Content-Length' '{}: x' |
		expect '.status == 400 or .body == health'
}

@test "a header of 9000 bytes is 431" {
	local method
	for method in GET HEAD POST; do
		request "$method" /health "X: $(repeat 9000 a)"
		request "$method" /health "$(repeat 9000 a): x"
		request "$method" /nothing "Cookie: $(repeat 4500 a=)"
	done | expect '.status == 431' '.connection.end == "closed"'
}

@test "headers of 40 KB together are 431" {
	request GET /health "$(repeat 200 "X: $(repeat 196 a)\r\n")X: y" | expect '.status == 431'
}

@test "ten thousand headers are 431" {
	request GET /health "$(repeat 10000 'X: y\r\n')X: y" | expect '.status == 431'
}

@test "what a client says of itself or of the request changes nothing" {
	with_field 'X-Accel-Redirect: /info' 'X-Sendfile: /etc/passwd' 'Status: 500 No' 'Request-Method: DELETE' \
		'Script-Name: /nothing' 'X-HTTP-Method-Override: DELETE' 'X-HTTP-Method: PUT' 'X-Method-Override: PUT' \
		'X-Original-URL: /nothing' 'X-Rewrite-URL: /nothing' 'Proxy: http://127.0.0.1:1' 'TE: trailers' \
		'Forwarded: for=192.0.2.1' 'X-Forwarded-For: 192.0.2.1' 'X-Forwarded-Host: x' 'X-Forwarded-Port: 1' \
		'Content-Type: text/html' 'Accept: text/html' 'Origin: https://example.com' 'Cookie: a=b' \
		'Authorization: Basic YTpi' | expect '.status == 200' '.body == health'
}

@test "a client that accepts only HTML gets its problem in JSON" {
	request GET /nothing 'Accept: text/html' | expect '.status == 404' '.body == problem'
	request GET /%zz 'Accept: text/html' | expect '.status == 400' '.body == problem'
}

@test "a client's request id is not taken over" {
	with_field 'X-Request-Id: 00112233445566778899aabbccddeeff' |
		expect '.status == 200' 'values("X-Request-Id") != ["00112233445566778899aabbccddeeff"]'
}

@test "a range is not cut out" {
	with_field 'Range: bytes=0-3' 'Range: bytes=-1' 'Range: bytes=99999-' 'Range: x' \
		"Range: bytes=$(repeat 500 0-,)0-" | expect '.status == 200' '.body == health'
}

@test "conditions are ignored" {
	with_field 'If-Modified-Since: Fri, 31 Dec 2100 23:59:59 GMT' 'If-None-Match: "x"' 'If-Modified-Since: x' \
		'If-Range: "x"\r\nRange: bytes=0-3' | expect '.status == 200' '.body == health'
	request GET /nothing 'If-Match: "x"' | expect '.status == 404'
	{
		request GET /%zz 'If-Match: "x"'
		request GET /%zz 'If-None-Match: *'
	} | expect '.status == 400'
}

@test "nothing is compressed" {
	local target
	for target in / /health /info /nothing /%zz; do
		request GET "$target" 'Accept-Encoding: gzip, deflate, br, zstd, *'
	done | expect 'values("Content-Encoding") == []' '.body[:1] == "{"'
}

@test "no protocol is switched to" {
	with_field 'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: eA==' \
		'Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__' |
		expect '.status == 200' '.body == health'
}

# Content-Length and Transfer-Encoding

@test "a Content-Length that is no number is 400" {
	local length
	for length in -1 +1 '1 1' 0x1 x 1.0 1e1 '' '1,' '1;' '"1"'; do
		with_field "Content-Length: $length"
	done | expect '.status == 400' '.connection.end == "closed"'
}

@test "a huge Content-Length is 413, or 400 if no number holds it" {
	request GET /health 'Content-Length: 9223372036854775807' | client --timeout 1 |
		judged judge_connections '.answers | map(.status) == [413] and (.[0] | .body == problem)'
	with_field 'Content-Length: 9223372036854775808' 'Content-Length: 18446744073709551617' \
		"Content-Length: $(repeat 500 9)" | expect '.status | IN(400, 413)'
}

@test "two Content-Lengths that differ are 400" {
	with_field 'Content-Length: 1\r\nContent-Length: 2' 'Content-Length: 0\r\nContent-Length: 1' \
		'Content-Length: 5\r\nX: y\r\ncontent-length: 6' 'Content-Length: 1, 2' |
		expect '.status == 400' '.connection.end == "closed"'
}

@test "two Content-Lengths that agree are 400, or one" {
	{
		request GET /health 'Content-Length: 1' 'Content-Length: 1' '' a
		request GET /health 'Content-Length: 1, 1' '' a
	} | expect '.status == 400 or .body == health'
}

@test "Content-Length with Transfer-Encoding is 400, and nothing is smuggled behind it" {
	local method target smuggled='0\r\n\r\nGET /info HTTP/1.1\r\nHost: x\r\n\r\n'
	for method in GET POST HEAD; do
		for target in /health /nothing; do
			request "$method" "$target" 'Content-Length: 5' 'Transfer-Encoding: chunked' '' "$smuggled"
			request "$method" "$target" 'Transfer-Encoding: chunked' 'Content-Length: 5' '' "$smuggled"
			request "$method" "$target" 'Content-Length: 0' 'Transfer-Encoding: chunked' '' "$smuggled"
		done
	done | expect '.status == 400' '.connection.end == "closed"'
}

@test "a Transfer-Encoding in disguise smuggles nothing" {
	local field smuggled='0\r\n\r\nGET /info HTTP/1.1\r\nHost: x\r\n\r\n'
	for field in 'Transfer-Encoding: xchunked' 'Transfer-Encoding: "chunked"' 'Transfer-Encoding: \x0bchunked' \
		'Transfer-Encoding:\x00chunked' 'X: y\rTransfer-Encoding: chunked' 'Transfer-Encoding: chunked, x' \
		'Transfer-Encoding: chunked, chunked' 'Transfer-Encoding: chunked\r\nTransfer-Encoding: identity'; do
		request POST /health 'Content-Length: 4' "$field" '' "$smuggled"
		request POST /health "$field" '' "$smuggled"
	done | expect '.status | IN(400, 501)' '.connection.end == "closed"'
}

@test "a Transfer-Encoding that is not known is 501" {
	local method target
	for method in GET HEAD POST; do
		for target in /health /nothing; do
			request "$method" "$target" 'Transfer-Encoding: gzip'
			request "$method" "$target" 'Transfer-Encoding: gzip, chunked' '' '0\r\n\r\n'
		done
	done | expect '.status == 501' '.connection.end == "closed"'
}

@test "a Transfer-Encoding in HTTP/1.0 is 400" {
	messages 'POST /health HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n' |
		expect '.status == 400' '.connection.end == "closed"'
}

@test "a broken chunk is 400, whatever the path and the method" {
	local method target
	for method in GET HEAD POST PUT OPTIONS BREW; do
		for target in /health /nothing; do
			with_chunks "$method" "$target" 'zz\r\n\r\n' '-1\r\n\r\n' '0x1\r\na\r\n0\r\n\r\n' '\r\n\r\n' \
				'1\r\nab\r\n0\r\n\r\n' '1\ra\r\n0\r\n\r\n' ' 1\r\na\r\n0\r\n\r\n' '\x00\r\n'
		done
	done | expect '.status == 400' '.connection.end == "closed"'
}

@test "a broken chunk after TRACE is a problem, too" {
	with_chunks TRACE /health 'zz\r\n\r\n' '-1\r\n\r\n' '1\r\nab\r\n0\r\n\r\n' | expect '.status | IN(400, 405)'
	with_chunks TRACE /nothing 'zz\r\n\r\n' '-1\r\n\r\n' '1\r\nab\r\n0\r\n\r\n' | expect '.status | IN(400, 404)'
}

@test "a chunk size that no number holds is 400 or 413" {
	with_chunks POST /health 'ffffffffffffffffff\r\na' '7fffffffffffffff\r\na' '10000000000000001\r\na' \
		"$(repeat 300 f)\r\na" | expect '.status | IN(400, 413)'
}

@test "a good chunk before a broken one makes it no better" {
	with_chunks POST /health '5\r\nhello\r\nzz\r\n\r\n' '1\r\na\r\n1\r\nb\r\n-1\r\n\r\n' |
		expect '.status == 400'
}

@test "chunk extensions and trailers are read over" {
	{
		with_chunks GET /health '5;a=b;c="d"\r\nhello\r\n0;e\r\nX: y\r\nContent-Length: 9\r\n\r\n'
		request GET /info
	} | together | expect '.connection.answers[0].body == health' '.body == info'
}

# Connections

@test "after a broken request nothing else on its connection is answered" {
	{
		request GET /health
		request GET /%zz
		request GET /info
	} | together | client | judged judge_connections \
		'[.answers[].status] == [200, 400]' '.rest == ""' '.end == "closed"'
}

@test "half a request and the end of the connection is no request" {
	messages G 'GET /hea' 'GET /health HTTP/1.1' 'GET /health HTTP/1.1\r\nHost: x\r\n' '\r\n' '' \
		'POST /health HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhel' \
		'POST /health HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel' |
		client --shut | judged judge_connections \
		'.answers == [] or .answers[0].status == 400' '.rest == ""' '.end | IN("closed", "reset")'
}

@test "a request that arrives byte by byte is answered" {
	{
		request GET /health 'X: y'
		request POST /nothing 'Content-Length: 3' '' abc
		with_chunks POST /health '3\r\nabc\r\n0\r\n\r\n'
		request GET /info
	} | together | expect --in-turn --size=1 --pause=0.002 \
		'[.connection.answers[].status] == [200, 404, 405, 200]' '.body == info'
}

@test "50 pipelined requests are answered in their order" {
	for _ in {1..10}; do
		targets GET /health /info / /nothing
		request HEAD /info
	done | together | expect '[.connection.answers[] |
		if .method == "HEAD" then "HEAD" elif .status == 404 then "nothing" elif .body == health then "health"
		elif .body == info then "info" elif timeless == greeting then "greeting" else . end] ==
		[range(10) | "health", "info", "greeting", "nothing", "HEAD"]'
}

@test "clients that pipeline 100 requests and read nothing delay nobody" {
	promptly --crowd 10 "$(repeat 100 "$(request GET /)")"
}

@test "200 connections with half a header delay nobody" {
	promptly --crowd 200 'GET /health HTTP/1.1\r\nHost: loc'
}

@test "200 connections with half a body delay nobody" {
	promptly --crowd 200 "$(request POST /health 'Content-Length: 100' '' half)"
}

@test "200 connections that say nothing delay nobody" {
	promptly --crowd 200 ''
}

@test "a header or a body that never gets whole is given up within 25 s, in silence or with 408" {
	for _ in {1..250}; do
		[ ! -s "$BATS_FILE_TMPDIR/header" ] || [ ! -s "$BATS_FILE_TMPDIR/body" ] || break
		sleep 0.1
	done
	cat "$BATS_FILE_TMPDIR/header" "$BATS_FILE_TMPDIR/body" | judged judge_connections '.seconds < 25' \
		'.answers == [] or .answers[0].status == 408' '.rest == ""' '.end | IN("closed", "reset")'
}

# Every answer to the tests above

@test "every answer has the headers that each answer has to have" {
	every_answer '[header_faults] == []'
}

@test "no answer is HTML, or tells a version" {
	every_answer '.body + ([.headers[] | join(" ")] | join(" ")) | test("<[a-z!]|html|nginx[/ ][0-9]"; "i") | not'
	all_answers | judged judge_connections '.rest | test("<[a-z!]|html|nginx[/ ][0-9]"; "i") | not'
}
