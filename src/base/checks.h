/* Findings of an examination (diagnose, doctor): each with its state, what was found, the evidence
 * for it, and what mends it. */
#ifndef PGMEDIC_BASE_CHECKS_H
#define PGMEDIC_BASE_CHECKS_H

#include <stdbool.h>

#include "base/mem.h"
#include "base/strbuf.h"

enum check_state {
	CHECK_OK,
	CHECK_WARN, /* works, but is not as it should be */
	CHECK_FAIL,
	CHECK_UNKNOWN, /* could not be looked at; the evidence says why */
};

struct check {
	const char *area; /* "dns", "multi_az" */
	enum check_state state;
	const char *what;     /* one line */
	const char *evidence; /* lines; "" none */
	const char *remedy;   /* a sentence or a command; "" none */
};

struct checks {
	struct arena arena;
	struct check *items;
	int n, cap;
};

void checks_release(struct checks *c);
/* Add one; it stays valid until the next. */
struct check *check_add(struct checks *c, const char *area, enum check_state state, const char *fmt,
    ...) PRINTF_LIKE(4, 5);
/* A line more of evidence to the last one. */
void check_evidence(struct checks *c, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* What mends the last one; replaces what was said. */
void check_remedy(struct checks *c, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* "ok", "warn", "fail", "unknown" */
const char *check_state_name(enum check_state state);
/* [{area: …, "state", "what", "evidence", "remedy"}]; area_key: the name of that member. */
void checks_json(struct strbuf *out, const struct checks *c, const char *area_key);
/* A line each, with evidence and remedy indented below; for people. cols: wrapped there; 0: not. */
void checks_text(struct strbuf *out, const struct checks *c, int cols);

#endif
