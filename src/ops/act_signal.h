/* The sessions of a cancel or terminate, between act_signal.c and act_signal_plan.c. */
#ifndef PGMEDIC_OPS_ACT_SIGNAL_H
#define PGMEDIC_OPS_ACT_SIGNAL_H

#include <stdbool.h>
#include <stdint.h>

#include "ops/act_priv.h"

enum outcome {
	OUT_NONE,
	OUT_SIGNALLED,
	OUT_GONE,
	OUT_ENDING,
	OUT_VANISHED,
	OUT_OTHER,
	OUT_CHANGED,
	OUT_DENIED,
	OUT_FAILED
};

struct session {
	int pid;
	int64_t backend_start, query_start;
	const char *state, *type, *user, *database, *application, *client, *wait, *query;
	double connected_s, xact_age_s, state_age_s; /* < 0: none */
	bool has_xid, is_super, may;
	int blocks, frees;
	const char *refused, *refused_hint; /* why it is left out of the act; NULL: it is in it */
	enum outcome outcome;
};

struct signal {
	bool is_cancel;
	struct session *sessions; /* found ones, in the plan's order */
	int n;
	int waited_ms, delay_ms;
};

/* The plan in words, as steps, with its question; nacting: sessions that are not refused. */
void signal_make_plan(struct act *a, int nacting);
/* Who is left out, and why. */
void signal_describe_refused(struct act *a);

#endif
