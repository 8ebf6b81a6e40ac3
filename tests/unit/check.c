/* Runs the unit tests of all modules. Settings are Check's own: CK_RUN_SUITE, CK_FORK, CK_TAP_LOG_FILE_NAME, ... */
#include <stdlib.h>

#include "support.h"

/* Runs all suites; the exit status tells whether all passed. */
int main(void)
{
	SRunner *runner = srunner_create(answer_suite());

	srunner_add_suite(runner, clock_suite());
	srunner_add_suite(runner, connections_suite());
	srunner_add_suite(runner, endpoints_suite());
	srunner_add_suite(runner, exchange_suite());
	srunner_add_suite(runner, json_suite());
	srunner_add_suite(runner, listener_suite());
	srunner_add_suite(runner, log_suite());
	srunner_add_suite(runner, look_suite());
	srunner_add_suite(runner, master_suite());
	srunner_add_suite(runner, options_suite());
	srunner_add_suite(runner, privileges_suite());
	srunner_add_suite(runner, probe_suite());
	srunner_add_suite(runner, record_suite());
	srunner_add_suite(runner, routes_suite());
	srunner_add_suite(runner, text_suite());
	srunner_add_suite(runner, timestamp_suite());
	srunner_add_suite(runner, worker_suite());
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
