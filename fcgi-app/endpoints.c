#include "endpoints.h"

#include <gnu/libc-version.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "json.h"
#include "text.h"
#include "timestamp.h"

#if defined(__clang__)
#define COMPILER __VERSION__
#else
#define COMPILER "GCC " __VERSION__
#endif

/* Renews the greeting's time. */
static bool greeting_renew(struct json_object *greeting)
{
	char now[TIMESTAMP_SIZE];
	struct json_object *time;

	return timestamp_now(now) && json_object_object_get_ex(greeting, "server_time", &time) &&
		json_object_set_string_len(time, now, (int)strlen(now)) == 1;
}

/* GET /: a greeting, and when and where it was given. */
static struct json_object *greeting_make(const struct options *options)
{
	struct json_object *greeting = json_object_new_object();
	bool well = json_add(greeting, "environment", text_new(options->environment)) &&
		json_add(greeting, "message", json_object_new_string("Hello from secure Docker app!")) &&
		json_add(greeting, "security_note",
			json_object_new_string("This app runs with non-root user in container")) &&
		json_add(greeting, "server_time", json_object_new_string("")) && greeting_renew(greeting);

	return json_done(greeting, well);
}

/* GET /health: that it answers is what it tells. */
static struct json_object *health_make(const struct options *options)
{
	struct json_object *health = json_object_new_object();

	(void)options;
	return json_done(health, json_add(health, "status", json_object_new_string("healthy")));
}

/* Returns language, C library and compiler in the form of Python's sys.version. */
static struct json_object *c_version(void)
{
	char version[128];
	int length = snprintf(version, sizeof(version), "C%ld (glibc %s) [%s]", __STDC_VERSION__ / 100 % 100,
		gnu_get_libc_version(), COMPILER);

	return length > 0 && length < (int)sizeof(version) ? json_object_new_string(version) : NULL;
}

/* GET /info: what runs, as whom. */
static struct json_object *info_make(const struct options *options)
{
	struct json_object *info = json_object_new_object();
	bool well = json_add(info, "c_version", c_version()) &&
		json_add(info, "container_id", text_new(options->hostname)) &&
		json_add(info, "uid", json_object_new_int64(geteuid())) &&
		json_add(info, "user", text_new(options->user));

	return json_done(info, well);
}

const struct endpoint endpoints[] = {
	{"/", greeting_make, greeting_renew},
	{"/health", health_make, NULL},
	{"/info", info_make, NULL},
};

const unsigned endpoints_count = sizeof(endpoints) / sizeof(endpoints[0]);
