/* What is asked when: the table of probes. Pure. */
#ifndef PGMEDIC_COLLECT_SCHEDULE_H
#define PGMEDIC_COLLECT_SCHEDULE_H

#include <stdbool.h>

#include "base/clock.h"
#include "model/probes.h"

enum {
	EACH = 0,
	NEVER = -1,
	SESSION_TIMEOUT_MS = 2000,
	MAX_PROBE_TIMEOUT_MS = 5000,
	BACKOFF_MAX = 16
};

enum probe_scope {
	SCOPE_FAST,    /* in the first group of the refresh, all in one transaction */
	SCOPE_SINGLE,  /* a group of its own: neither its failure nor its time touches the others'
	                  answers */
	SCOPE_CONSOLE, /* PgBouncer's admin console */
	SCOPE_LOCAL,   /* no query: this machine's /proc */
	SCOPE_POSTED,  /* never asked: comes by collector_post() */
	SCOPE_CLOUD,   /* AWS, in the periods of collect/cloud.c */
};

struct probe_plan {
	enum probe_scope scope;
	int hidden_ms; /* period while no shown pane lives on it; EACH refresh, NEVER */
	int shown_ms;
	const char *work_mem; /* for its group, or NULL */
	const char *command;  /* of SCOPE_CONSOLE */
};
extern const struct probe_plan probe_plans[PROBE_COUNT];

/* The state of one probe of one target. */
struct probe_slot {
	bool is_shown;
	bool is_flying; /* asked, no answer yet */
	bool is_wanted; /* as soon as possible, whatever the period */
	bool is_next;   /* with the next refresh, whatever the period */
	int rule_ms;    /* period that the alert rules want, 0: none */
	int backoff;    /* 1: none; the period is multiplied by this */
	int answers;    /* good ones since it was first shown: the second comes soon, for a rate */
	struct mono due;
};

/* Is the probe to be asked in a refresh at `now`? */
bool schedule_is_due(enum probe_id probe, const struct probe_slot *slot, struct mono now);
/*
 * After an answer: when next. interval_us: between refreshes; cost_us: server time of the probe;
 * ok: it answered well. A probe that takes more than a quarter of its period, or fails, is asked
 * half as often, up to BACKOFF_MAX; it recovers when it takes less than an eighth.
 */
void schedule_answered(enum probe_id probe, struct probe_slot *slot, struct mono now,
    int64_t interval_us, int64_t cost_us, bool ok);
/* The same rule for whole refreshes: the next multiplier. */
int schedule_backoff(int backoff, int64_t cost_us, int64_t period_us);

#endif
