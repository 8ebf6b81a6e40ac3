/*
 * The look at a request before libfcgi gets it (FastCGI 1.0, sections 3.3, 3.4, 5.1 to 5.3).
 *
 * libfcgi trusts its peer: it waits for what has not come, has no limit on parameters, aborts on lengths that do not
 * fit and overflows a buffer on a management record (CVE-2025-23016 and its kin). So it is handed only what has been
 * seen here to be one whole, well-formed request: BEGIN_REQUEST for a RESPONDER, PARAMS up to their empty record,
 * STDIN up to its empty record, all of one request id. Refused as broken, though FastCGI allows them:
 *   - management records (id 0), and a second request between the records of the first: no web server sends them;
 *   - padding after BEGIN_REQUEST or after an empty record: libfcgi takes it for the next header;
 *   - parameters with a NUL in them: libfcgi hands out C strings.
 */
#ifndef LOOK_H
#define LOOK_H

#include <stddef.h>
#include <stdint.h>

enum { LOOK_MAX = 16384 }; /* bytes: a request that is larger is not served */

enum look { LOOK_PARTIAL, LOOK_WHOLE, LOOK_BROKEN };

/*
 * Looks at the first length bytes of what a peer sent. They may be overwritten (parameters that lie in several records
 * are joined in place). If LOOK_WHOLE, *request is how many of them the request takes.
 */
enum look look_request(uint8_t *bytes, size_t length, size_t *request);

#endif
