# What the HTTP contract says of an answer, in terms of what rawhttp.py writes.

# The phrases of RFC 9110 and RFC 6585.
def phrases: {
	"400": "Bad Request", "404": "Not Found", "405": "Method Not Allowed", "408": "Request Timeout",
	"413": "Content Too Large", "414": "URI Too Long", "431": "Request Header Fields Too Large",
	"501": "Not Implemented", "503": "Service Unavailable", "504": "Gateway Timeout",
	"505": "HTTP Version Not Supported"
};

# The values that an answer has for a header field. The lengths are compared because it is fast.
def values($name): ($name | ascii_downcase) as $lower |
	[.headers[] | select(.[0] | length == ($name | length) and ascii_downcase == $lower) | .[1]];

# The headers without those that differ from answer to answer.
def lasting_headers: [.headers[] | select(.[0] | IN("Date", "X-Request-Id") | not)];

# Tells whether a value is there once and looks as it should.
def once($name; $pattern): values($name) | length == 1 and (.[0] | test("\\A(\($pattern))\\z"));

# The form of a date in a header (RFC 9110).
def http_date: "[A-Z][a-z]{2}, [0-9]{2} [A-Z][a-z]{2} [0-9]{4} [0-9]{2}:[0-9]{2}:[0-9]{2} GMT";

# The problem document of an answer's status (RFC 9457).
def problem: "{\"status\":\(.status),\"title\":\(phrases["\(.status)"] | tojson),\"type\":\"about:blank\"}\n";

# A fault is a line of text; an answer in order has none.
def fault(wrong; $text): if wrong then $text else empty end;

# The security headers, and whether an answer has one of them: once, with exactly that value.
def security_headers: {
	"Cache-Control": "no-store",
	"Content-Security-Policy":
		"default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
	"Cross-Origin-Resource-Policy": "same-origin",
	"Referrer-Policy": "no-referrer",
	"X-Content-Type-Options": "nosniff"
};
def is_secured_by($name): values($name) == [security_headers[$name]];

# What every answer has to say.
def header_faults:
	((security_headers | keys[]) as $name | fault(is_secured_by($name) | not; $name)),
	fault(once("X-Request-Id"; "[0-9a-f]{32}") | not; "X-Request-Id"),
	fault(once("Server"; "[A-Za-z-]+") | not; "Server"),
	fault(once("Date"; http_date) | not; "Date");

# What every answer has to be.
def answer_faults:
	fault(.line | test("\\AHTTP/1\\.1 [2-5][0-9]{2} [A-Za-z -]*\\z") | not; "status line"),
	fault(values("Transfer-Encoding") != []; "Transfer-Encoding"),
	fault(values("Content-Encoding") != []; "Content-Encoding"),
	fault(once("Content-Length"; "0|[1-9][0-9]*") | not; "Content-Length"),
	fault(.method != "HEAD" and values("Content-Length") != ["\(.body | utf8bytelength)"];
		"Content-Length is wrong"),
	fault(.method == "HEAD" and .status >= 400 and values("Content-Length") != ["\(problem | utf8bytelength)"];
		"Content-Length of HEAD is wrong"),
	fault(.method != "HEAD" and .status >= 400 and .body != problem; "no problem document"),
	fault(values("Content-Type") !=
		if .status >= 400 then ["application/problem+json"]
		elif values("Content-Length") == ["0"] then []
		else ["application/json"] end; "Content-Type"),
	fault(values("Allow") !=
		if .status == 405 or .status == 200 and .method == "OPTIONS" then ["GET, HEAD, OPTIONS"]
		else [] end; "Allow");

# What a connection has to bring: an answer to each message and nothing else, and an end if one is announced.
def connection_faults:
	fault(.missing > 0; "\(.missing) without an answer"),
	fault(.rest != ""; "bytes after the answers"),
	fault((.answers | length > 0) and (.answers[-1] | values("Connection")) == ["close"] and
		(.end | IN("closed", "reset") | not); "not closed");

# Writes what is wrong: of each thing in the input the faults that there are, but of three things at most.
def report(faults):
	if length == 0 then "nothing was sent"
	else
		[.[] | . as $thing | [faults] | select(length > 0) | [
			$thing.sent[:200],
			"\twrong: \(.[])",
			"\tgot: \($thing | del(.sent) | tojson[:1500])"
		] | join("\n")] |
		.[:3][], (length | select(. > 3) | "and \(. - 3) more")
	end;

# The judges' input is what rawhttp.py writes. Each finds more faults by conditions:

# of the last answer on each connection, of which the connection is made a member,
def judge(conditions):
	report(
		connection_faults,
		(.answers[] | select(.status >= 200) | answer_faults),
		if .answers == [] then "no answer" else .answers[-1] + {connection: .} | conditions end
	);

# of each answer, and none but these,
def judge_answers(conditions): [.[] | {sent} + (.answers[] | select(.status >= 200))] | report(conditions);

# and of each connection, and none but these.
def judge_connections(conditions): report(conditions);

# The body of an answer with TIME for the time, if that is ISO 8601 with microseconds and an offset from UTC.
def time_pattern: "[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\\.[0-9]{6}[+-][0-9]{2}:[0-9]{2}";
def timeless: .body | sub("\"server_time\":\"\(time_pattern)\"}\n\\z"; "\"server_time\":\"TIME\"}\n");

# GET /, with TIME for the time.
def greeting: ($ENV.EXPECT_ENVIRONMENT // (.body | fromjson | .environment | strings)) as $environment |
	"{\"environment\":\($environment | tojson),\"message\":\"Hello from secure Docker app!\"," +
	"\"security_note\":\"This app runs with non-root user in container\",\"server_time\":\"TIME\"}\n";

# GET /health.
def health: "{\"status\":\"healthy\"}\n";

# GET /info, of the values that it has.
def info: .body | fromjson | "{\"c_version\":\(.c_version | tojson),\"container_id\":\(.container_id | tojson)," +
	"\"uid\":\(.uid | tojson),\"user\":\(.user | tojson)}\n";

# What the responder was told, and has to tell again in GET /info.
def told: {user: ($ENV.EXPECT_USER // .user), container_id: ($ENV.EXPECT_HOSTNAME // .container_id)};
