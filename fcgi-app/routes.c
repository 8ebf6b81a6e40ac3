#include "routes.h"

#include <stdlib.h>
#include <string.h>

#include "answer.h"
#include "endpoints.h"
#include "log.h"

/* An endpoint in use: its document, and the answer rendered last. */
struct route {
	const struct endpoint *endpoint;
	struct json_object *document;
	struct answer answer;
};

static struct route *routes;
static struct answer allow, not_found, not_allowed, failed;

/* Makes an endpoint's document and renders it for the first time. */
static bool open_route(struct route *route, const struct endpoint *endpoint, const struct options *options)
{
	route->endpoint = endpoint;
	route->document = endpoint->make(options);
	return route->document && answer_json(&route->answer, route->document);
}

/* Opens the routes of all endpoints. */
bool routes_open(const struct options *options)
{
	routes = calloc(endpoints_count, sizeof(*routes));
	bool well = routes && answer_allow(&allow) && answer_problem(&not_found, 404, "Not Found", false) &&
		answer_problem(&not_allowed, 405, "Method Not Allowed", true) &&
		answer_problem(&failed, 500, "Internal Server Error", false);

	for (unsigned i = 0; well && i < endpoints_count; i++)
		well = open_route(&routes[i], &endpoints[i], options);
	if (!well) {
		log_line("cannot make the endpoints' documents");
		routes_close();
	}
	return well;
}

/* Finds the route of a path; NULL if there is none. */
static struct route *find(const char *path)
{
	for (unsigned i = 0; path && i < endpoints_count; i++)
		if (strcmp(path, routes[i].endpoint->path) == 0)
			return &routes[i];
	return NULL;
}

/* Renders a route's document again if anything in it changes; returns its answer. */
static const struct answer *render(struct route *route)
{
	if (!route->endpoint->renew)
		return &route->answer;
	if (route->endpoint->renew(route->document) && answer_json(&route->answer, route->document))
		return &route->answer;
	log_line("%s: cannot render the document", route->endpoint->path);
	return &failed;
}

/* Chooses the answer: the path decides first. */
static const struct answer *choose(const char *path, const char *method)
{
	struct route *route = find(path);

	if (!route)
		return &not_found;
	if (method && (strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0))
		return render(route);
	return method && strcmp(method, "OPTIONS") == 0 ? &allow : &not_allowed;
}

/* Answers a request. */
const char *routes_answer(const char *path, const char *method, size_t *length)
{
	const struct answer *answer = choose(path, method);

	*length = method && strcmp(method, "HEAD") == 0 ? answer->head : answer->length;
	return answer->text;
}

/* Frees everything that routes_open made. */
void routes_close(void)
{
	struct answer *const fixed[] = {&allow, &not_found, &not_allowed, &failed};

	for (unsigned i = 0; routes && i < endpoints_count; i++) {
		json_object_put(routes[i].document);
		answer_free(&routes[i].answer);
	}
	for (unsigned i = 0; i < sizeof(fixed) / sizeof(fixed[0]); i++)
		answer_free(fixed[i]);
	free(routes);
	routes = NULL;
}
