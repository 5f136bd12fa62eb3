/* What goes wrong on request: set over the control path, used up by the calls they meet. */
#ifndef PGMEDIC_LABCLOUD_FAULT_H
#define PGMEDIC_LABCLOUD_FAULT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compat.h"
#include "base/error.h"
#include "base/strbuf.h"

#include "labcloud/request.h"

/* Name, and what it does: one line each for the control path's answer and the manual. */
#define FAULT_LIST(X)                                                                          \
	X(THROTTLE, "throttle", "HTTP 400 with the service's throttling code")                 \
	X(UNAVAILABLE, "unavailable", "HTTP 503 without a body")                               \
	X(HTML, "html", "HTTP 502 with a page of a proxy")                                     \
	X(RESET_BEFORE, "reset-before", "the connection is cut before the call is done")       \
	X(RESET_AFTER, "reset-after", "the call is done, then the connection is cut")          \
	X(SLOW, "slow", "the body comes a few bytes at a time, over value milliseconds")       \
	X(DELAY, "delay", "nothing for value milliseconds, then the answer")                   \
	X(EXPIRED, "expired", "the session token is called expired")                           \
	X(DENIED, "denied", "no policy allows the action")                                     \
	X(DENIED_EXPLICIT, "denied-explicit", "a policy denies the action")                    \
	X(PAGE, "page", "pages of at most value records, whatever is asked")                   \
	X(BAD_XML, "control-characters", "a text in the answer holds a byte that XML forbids") \
	X(UNKNOWN, "unknown-fields", "elements and states that no model knows")                \
	X(CLOCK, "clock", "the service's clock is value milliseconds ahead")                   \
	X(PORT_CLOSED, "port-closed", "the security group lets nobody to the endpoints")       \
	X(QUERY_ONLY, "query-only", "CloudWatch does not know JSON, as older endpoints")

enum fault_kind {
#define X(name, text, help) FAULT_##name,
	FAULT_LIST(X)
#undef X
	    FAULT_KINDS,
};

struct fault {
	enum fault_kind kind;
	char action[64]; /* "*": any */
	int64_t times;   /* left; < 0: until it is cleared */
	int64_t value;
};

struct faults {
	struct fault items[32];
	int n;
};

/* Take one of a kind for an action: true when there was one; value may be NULL. */
bool fault_take(struct faults *f, enum fault_kind kind, const char *action, int64_t *value);
/* Is there one? It is not used up. */
bool fault_peek(const struct faults *f, enum fault_kind kind, const char *action, int64_t *value);
/* kind=throttle&action=X&times=3&value=100 */
bool fault_set(struct faults *f, const struct form *form, struct error *err) MUST_CHECK;
/* As JSON: what is set. */
void fault_write(const struct faults *f, struct strbuf *out);

#endif
