/*
 * drill failover [--kind planned|crash]: gates, baseline, fault, promotion, measurement, and back
 * to where everything was. A probe writes all the while; a job that is taken up again starts it
 * anew.
 */
#include "config.h"

#include "ops/local_drill.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "ops/local.h"
#include "ops/local_pooler.h"
#include "ops/local_probe.h"
#include "ops/op_server.h"
#include "ops/rds_ha.h"

enum { SETTLE_MS = 500, DEAD_TRIES = 3, DEAD_EVERY_MS = 200, ASK_MS = 10000 };

/* Steps of one way, each with the probe writing. */
#define STEP(name, way, function)                                                       \
	static bool name(struct op *op, struct error *err)                              \
	{                                                                               \
		struct pair p;                                                          \
                                                                                        \
		return pair_open(&p, op, way, err) && probe_start(op, err) && function; \
	}
#define SEEN(name, way, function)                                                   \
	static enum op_seen name(struct op *op, struct error *err)                  \
	{                                                                           \
		struct pair p;                                                      \
                                                                                    \
		return pair_open(&p, op, way, err) ? function(&p, err) : OP_UNSURE; \
	}

/* ------------------------------------------------------------------ the probe's table */

static bool
act(struct op *op, const struct op_target *target, const char *query, struct error *err)
{
	struct pg_sync *pg = op_connect(op, target, err);
	struct rowset *rows = pg ? pg_sync_run(pg, query, NULL, 0, ASK_MS, err) : NULL;

	rowset_unref(rows);
	pg_sync_close(pg);
	return rows != NULL;
}

bool
drill_table_make(struct op *op, const struct op_target *target, struct error *err)
{
	int64_t id;

	return op_leave(
	           op, "table", "{}", &id, err, "table pgmedic.heartbeat of %s", target->name) &&
	    act(op, target, "heartbeat_make", err);
}

static bool
table_run(struct op *op, struct error *err)
{
	struct pair p;

	return pair_open(&p, op, PAIR_THERE, err) && drill_table_make(op, p.old.target, err);
}

bool
drill_undo_table(struct op *op, const struct job_leftover *left, struct error *err)
{
	const struct op_target *all[] = { op->target, op->target->standby };
	struct rds_sql sql;

	(void)left;
	for (size_t i = 0; i < ARRAY_LEN(all); i++)
		if (all[i] && rds_sql_look(op, all[i]->conninfo, &sql) && !sql.is_standby)
			return act(op, all[i], "heartbeat_drop", err);
	return error_set(err, ERR_CONNECT, "no primary is there to drop the table");
}

bool
drill_drop_step(struct op *op, struct error *err)
{
	probe_stop();
	return drill_undo_table(op, NULL, err) && op_settle_kind(op, "table", err);
}

bool
drill_baseline_step(struct op *op, struct error *err)
{
	/* What was before, when this job was another process, does not count. */
	return probe_start(op, err) && op_fact_now(op, err, "baseline_us") &&
	    op_wait_ms(op, DRILL_BASELINE_MS, err) && drill_baseline(op, err);
}

/* ------------------------------------------------------------------ the fault */

static bool
fault(struct pair *p, struct error *err)
{
	bool is_crash = strcmp(op_fact(p->op, "kind"), "crash") == 0;
	struct node_look l;

	if (!node_look(&p->old, &l, err))
		return false;
	if (l.is_standby)
		return error_set(err, ERR_STATE, "%s is no primary", p->old.name);
	if (!pair_still_green(p, err)) {
		struct error why = { 0 }; /* what is not dropped is left behind, and said */

		pair_go_back(p, err);
		if (!drill_drop_step(p->op, &why))
			op_progress(p->op, -1, "%s", why.what);
		return false;
	}
	if (!op_fact_set(p->op, err, "fault_lsn", "%lld", (long long)l.lsn) ||
	    !op_fact_now(p->op, err, "fault_us"))
		return false;
	return is_crash ? pair_leave_down(p, err) && node_kill(&p->old, err) : pair_stop(p, err);
}

/* Down is down, however far it got. */
static enum op_seen
fault_seen(struct op *op, struct error *err)
{
	struct pair p;

	if (!pair_open(&p, op, PAIR_THERE, err))
		return OP_UNSURE;
	if (strcmp(op_fact(op, "kind"), "crash") != 0)
		return pair_stop_seen(&p, err);
	return op_fact(op, "fault_us") && node_is_down(&p.old) ? OP_SEEN : OP_NOT_SEEN;
}

static bool
detect(struct pair *p, struct error *err)
{
	for (int i = 0; i < DEAD_TRIES; i++) {
		if (!node_is_down(&p->old))
			return error_set(err, ERR_REFUSED, "%s is not down", p->old.name);
		if (!op_wait_ms(p->op, DEAD_EVERY_MS, err))
			return false;
	}
	return true;
}

static bool
verify(struct pair *p, struct error *err)
{
	struct node_look primary, standby;

	/* The way back is over: its new primary is the first. */
	if (!node_look(&p->new, &primary, err) || !node_look(&p->old, &standby, err))
		return false;
	if (primary.is_standby || !standby.is_standby ||
	    strcmp(standby.receiver_status, "streaming") != 0)
		return error_set(
		    err, ERR_STATE, "%s and %s are not as they were", p->new.name, p->old.name);
	return op_wait_ms(p->op, SETTLE_MS, err) && op_fact_set(p->op, err, "restored", "1") &&
	    op_fact_now(p->op, err, "restored_us");
}

STEP(flush_run, PAIR_THERE, pair_flush(&p, err))
STEP(fault_run, PAIR_THERE, fault(&p, err))
STEP(catch_up_run, PAIR_THERE, pair_catch_up(&p, err))
STEP(detect_run, PAIR_THERE, detect(&p, err))
STEP(promote_run, PAIR_THERE, pair_promote(&p, err) && op_fact_now(op, err, "promoted_us"))
STEP(checkpoint_run, PAIR_THERE, pair_checkpoint(&p, err))
STEP(measure_run, PAIR_THERE, drill_measure(&p, err))
STEP(slot_run, PAIR_THERE, pair_slot(&p, err))
STEP(rewind_run, PAIR_THERE, pair_rewind(&p, err))
STEP(rejoin_run, PAIR_THERE, pair_rejoin(&p, err))
STEP(stream_run, PAIR_THERE, pair_streams(&p, err))
STEP(clean_run, PAIR_THERE, pair_clean(&p, err))
STEP(back_flush_run, PAIR_BACK, pair_flush(&p, err))
STEP(back_stop_run, PAIR_BACK, pair_stop(&p, err))
STEP(back_catch_up_run, PAIR_BACK, pair_catch_up(&p, err))
STEP(back_promote_run, PAIR_BACK, pair_promote(&p, err))
STEP(back_checkpoint_run, PAIR_BACK, pair_checkpoint(&p, err))
STEP(back_slot_run, PAIR_BACK, pair_slot(&p, err))
STEP(back_rejoin_run, PAIR_BACK, pair_rejoin(&p, err))
STEP(back_stream_run, PAIR_BACK, pair_streams(&p, err))
STEP(back_clean_run, PAIR_BACK, pair_clean(&p, err))
STEP(verify_run, PAIR_BACK, verify(&p, err))
SEEN(promote_seen, PAIR_THERE, pair_promote_seen)
SEEN(rejoin_seen, PAIR_THERE, pair_rejoin_seen)
SEEN(back_stop_seen, PAIR_BACK, pair_stop_seen)
SEEN(back_promote_seen, PAIR_BACK, pair_promote_seen)
SEEN(back_rejoin_seen, PAIR_BACK, pair_rejoin_seen)

static const struct op_step_def steps[] = {
	{ "table", NULL, table_run },
	{ "baseline", NULL, drill_baseline_step },
	{ "flush", NULL, flush_run },
	{ "pause", NULL, pooler_pause_step },
	{ "fault", fault_seen, fault_run },
	{ "catch-up", NULL, catch_up_run },
	{ "detect", NULL, detect_run },
	{ "promote", promote_seen, promote_run },
	{ "resume", NULL, pooler_resume_step },
	{ "checkpoint", NULL, checkpoint_run },
	{ "measure", NULL, measure_run },
	{ "slot", NULL, slot_run },
	{ "rewind", NULL, rewind_run },
	{ "rejoin", rejoin_seen, rejoin_run },
	{ "stream", NULL, stream_run },
	{ "clean", NULL, clean_run },
	{ "back-flush", NULL, back_flush_run },
	{ "back-stop", back_stop_seen, back_stop_run },
	{ "back-catch-up", NULL, back_catch_up_run },
	{ "back-promote", back_promote_seen, back_promote_run },
	{ "back-checkpoint", NULL, back_checkpoint_run },
	{ "back-slot", NULL, back_slot_run },
	{ "back-rejoin", back_rejoin_seen, back_rejoin_run },
	{ "back-stream", NULL, back_stream_run },
	{ "back-clean", NULL, back_clean_run },
	{ "verify", NULL, verify_run },
	{ "drop", NULL, drill_drop_step },
	{ "report", NULL, drill_report },
	{ NULL, NULL, NULL },
};

/* ------------------------------------------------------------------ the plan */

static bool
read_kind(struct op *op, bool *is_crash, struct error *err)
{
	const struct word *w = op->words->w;
	int n = op->words->n;
	bool is_known = n >= 2 && strcmp(w[1].text, "failover") == 0 && (n == 2 || n == 4) &&
	    (n == 2 || strcmp(w[2].text, "--kind") == 0);
	const char *kind = n == 4 ? w[3].text : "planned";

	*is_crash = strcmp(kind, "crash") == 0;
	if (is_known && (*is_crash || strcmp(kind, "planned") == 0))
		return true;
	error_set(err, ERR_USAGE, "drill does not know this");
	return error_hint(err, "Usage: %s", op->kind->usage);
}

static void
add_back_steps(struct op *op, const char *old)
{
	op_add_step(
	    op, "back-flush", "low", "checkpoint of the new primary", "before it is stopped");
	op_add_step(op, "back-stop", "high", "stop the new primary", "in order, to go back");
	op_add_step(op, "back-catch-up", "none", "compare", "%s has all of it", old);
	op_add_step(op, "back-promote", "high", "promote the first primary", "%s", old);
	op_add_step(op, "back-checkpoint", "low", "checkpoint", "on %s", old);
	op_add_step(op, "back-slot", "none", "make the slot of before", "on %s", old);
	op_add_step(op, "back-rejoin", "low", "start the standby again", "as it was");
	op_add_step(op, "back-stream", "none", "wait until it streams", "all of it replayed");
	op_add_step(op, "back-clean", "none", "drop the slot that nobody uses now", "%s", "");
	op_add_step(op, "verify", "none", "verify", "one primary, the one of before");
	op_add_step(op, "drop", "low", "drop the table of the probe", "%s", "");
	op_add_step(op, "report", "none", "write the report", "Markdown and JSON");
}

static bool
drill_plan(struct op *op, struct error *err)
{
	const char *old;
	bool is_crash, has_pooler, waits;

	if (!read_kind(op, &is_crash, err) ||
	    !pair_gates(op, is_crash ? PAIR_REWINDS : PAIR_DRILLS, err))
		return false;
	old = op_fact(op, "first");
	/* A commit on the new primary waits for the old one to follow: so does its measurement. */
	waits = op_fact_int(op, "waits", 0) != 0;
	has_pooler = !is_crash && pooler_is_there(op);
	doc_pair(&op->doc, "hypothesis", ROLE_NORMAL,
	    "writes are back in less than %d s, no acknowledged row is lost", DRILL_RTO_S);
	op_add_step(op, "table", "low", "make a table for the probe", "pgmedic.heartbeat");
	op_add_step(op, "baseline", "none", "measure before", "a write every 100 ms for %d s",
	    DRILL_BASELINE_MS / 1000);
	/* Before a crash nobody makes one. */
	if (!is_crash)
		op_add_step(op, "flush", "low", "checkpoint of the primary",
		    "%s serves on; the checkpoint of its shutdown is short after that", old);
	if (has_pooler)
		op_add_step(op, "pause", "medium", "pause PgBouncer", "clients wait");
	op_add_step(op, "fault", "high", is_crash ? "kill the primary" : "stop the primary",
	    "%s, %s", old, is_crash ? "SIGKILL to its postmaster" : "fast, in order");
	if (is_crash)
		op_add_step(op, "detect", "none", "prove that it is down", "%d times", DEAD_TRIES);
	else
		op_add_step(op, "catch-up", "none", "compare", "the standby has all of it");
	op_add_step(op, "promote", "high", "promote the standby", "a new timeline begins");
	if (has_pooler)
		op_add_step(op, "resume", "low", "resume PgBouncer", "%s", "");
	op_add_step(op, "checkpoint", "low", "checkpoint", "its control file tells the timeline");
	if (!waits)
		op_add_step(op, "measure", "none", "measure", "outage and lost rows");
	op_add_step(op, "slot", "none", "make a slot on the new primary", "for %s", old);
	if (is_crash)
		op_add_step(op, "rewind", "medium", "rewind the old primary", "%s", old);
	op_add_step(op, "rejoin", "low", "start the old primary as a standby", "%s", old);
	op_add_step(op, "stream", "none", "wait until it streams", "all of it replayed");
	if (waits)
		op_add_step(op, "measure", "none", "measure",
		    "outage and lost rows; until now no commit came back");
	op_add_step(op, "clean", "none", "drop the slot that nobody uses now", "on %s", old);
	add_back_steps(op, old);
	op->question = arena_printf(&op->arena, "drill a %s failover of %s?",
	    is_crash ? "crash" : "planned", op->target->name);
	return op_fact_set(op, err, "kind", "%s", is_crash ? "crash" : "planned");
}

const struct op_impl local_drill = { drill_plan, steps, drill_result };
