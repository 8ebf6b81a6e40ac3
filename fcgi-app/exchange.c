#include "exchange.h"

#include <fcgiapp.h>
#include <signal.h>
#include <stddef.h>

#include "log.h"
#include "routes.h"

/* Prepares libfcgi. */
bool exchange_open(void)
{
	static const int signals[] = {SIGPIPE, SIGUSR1, SIGTERM};
	enum { COUNT = sizeof(signals) / sizeof(signals[0]) };
	struct sigaction before[COUNT];

	/* FCGX_Init takes these signals for itself; what they do here is not a library's to decide. */
	for (size_t i = 0; i < COUNT; i++)
		(void)sigaction(signals[i], NULL, &before[i]);
	int error = FCGX_Init();
	for (size_t i = 0; i < COUNT; i++)
		(void)sigaction(signals[i], &before[i], NULL);
	if (error)
		log_line("cannot prepare libfcgi: error %d", error);
	return error == 0;
}

/* Reads the request's body to its end, or libfcgi would take the rest for the next request. */
static bool skip_body(FCGX_Request *request)
{
	char body[1024];

	while (FCGX_GetStr(body, sizeof(body), request->in) == sizeof(body))
		;
	return FCGX_GetError(request->in) == 0;
}

/* Writes the answer; false if it could not be written. */
static bool answer(FCGX_Request *request)
{
	size_t length;
	const char *text = routes_answer(
		FCGX_GetParam("SCRIPT_NAME", request->envp), FCGX_GetParam("REQUEST_METHOD", request->envp), &length);

	return FCGX_PutStr(text, (int)length, request->out) == (int)length;
}

/* Serves one request. */
bool exchange_serve(int fd, bool last)
{
	FCGX_Request request;

	(void)FCGX_InitRequest(&request, -1, 0); /* never fails */
	request.ipcFd = fd;
	request.keepConnection = 1; /* or FCGX_Accept_r would close fd as the end of a request before */
	FCGX_Detach(&request); /* or libfcgi would linger up to 2 s when it closes fd */
	if (FCGX_Accept_r(&request) != 0)
		return false;
	if (!skip_body(&request) || !answer(&request) || last)
		request.keepConnection = 0;
	FCGX_Finish_r(&request);
	return request.ipcFd >= 0;
}
