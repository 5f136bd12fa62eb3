/*
 * switchover: the primary is stopped in order, its standby has all of it and is promoted, and the
 * old primary follows. failover: the primary is dead. promote: the same, and nobody follows.
 */
#include "config.h"

#include <string.h>

#include "base/clock.h"
#include "ops/local.h"
#include "ops/local_follow.h"
#include "ops/local_pair.h"
#include "ops/local_pooler.h"
#include "ops/op_result.h"

/* Steps of one way: run and seen functions out of those of the pair. */
#define STEP(name, function)                                           \
	static bool name(struct op *op, struct error *err)             \
	{                                                              \
		struct pair p;                                         \
                                                                       \
		return pair_open(&p, op, PAIR_THERE, err) && function; \
	}
#define SEEN(name, function)                                                               \
	static enum op_seen name(struct op *op, struct error *err)                         \
	{                                                                                  \
		struct pair p;                                                             \
                                                                                           \
		return pair_open(&p, op, PAIR_THERE, err) ? function(&p, err) : OP_UNSURE; \
	}

STEP(flush_run, pair_flush(&p, err))
STEP(stop_run, op_fact_now(op, err, "stop_us") && pair_stop(&p, err))
STEP(catch_up_run, pair_catch_up(&p, err))
STEP(promote_run, pair_promote(&p, err) && op_fact_now(op, err, "promoted_us"))
STEP(checkpoint_run, pair_checkpoint(&p, err))
STEP(slot_run, pair_slot(&p, err))
STEP(rewind_run, pair_rewind(&p, err))
STEP(rejoin_run, pair_leave_down(&p, err) && pair_rejoin(&p, err))
STEP(stream_run, pair_streams(&p, err))
STEP(clean_run, pair_clean(&p, err))
SEEN(stop_seen, pair_stop_seen)
SEEN(promote_seen, pair_promote_seen)
SEEN(rejoin_seen, pair_rejoin_seen)

static const struct op_step_def steps[] = {
	{ "flush", NULL, flush_run },
	{ "pause", NULL, pooler_pause_step },
	{ "stop", stop_seen, stop_run },
	{ "catch-up", NULL, catch_up_run },
	{ "promote", promote_seen, promote_run },
	{ "resume", NULL, pooler_resume_step },
	{ "checkpoint", NULL, checkpoint_run },
	{ "slot", NULL, slot_run },
	{ "rewind", NULL, rewind_run },
	{ "rejoin", rejoin_seen, rejoin_run },
	{ "stream", NULL, stream_run },
	{ "clean", NULL, clean_run },
	{ NULL, NULL, NULL },
};

/* ------------------------------------------------------------------ plans */

static bool
has_word(const struct op *op, const char *word)
{
	for (int i = 1; i < op->words->n; i++)
		if (strcmp(op->words->w[i].text, word) == 0)
			return true;
	return false;
}

/* Only these two words, each optional; b may be NULL. */
static bool
words_are(struct op *op, const char *a, const char *b, struct error *err)
{
	for (int i = 1; i < op->words->n; i++) {
		const char *w = op->words->w[i].text;

		if (strcmp(w, a) == 0 || (b && strcmp(w, b) == 0))
			continue;
		error_set(err, ERR_USAGE, "%s does not know '%s'", op->kind->verb, w);
		return error_hint(err, "Usage: %s", op->kind->usage);
	}
	return true;
}

static void
add_follow_steps(struct op *op, const char *old, bool needs_rewind)
{
	op_add_step(op, "slot", "none", "make a slot on the new primary",
	    "it keeps WAL until %s follows", old);
	if (needs_rewind)
		op_add_step(op, "rewind", "medium", "rewind the old primary",
		    "pg_rewind takes back what %s had alone; its configuration is kept", old);
	op_add_step(op, "rejoin", "low", "start the old primary as a standby", "%s", old);
	op_add_step(op, "stream", "none", "wait until it streams", "all of it replayed");
	op_add_step(op, "clean", "none", "drop the slot that nobody uses now", "on %s", old);
}

static bool
switchover_plan(struct op *op, struct error *err)
{
	bool has_pooler = pooler_is_there(op) && !has_word(op, "nopause");
	const char *old;

	if (!words_are(op, "nopause", NULL, err) || !pair_gates(op, PAIR_SWITCHES, err))
		return false;
	old = op_fact(op, "first");
	op_add_step(op, "flush", "low", "checkpoint of the primary",
	    "%s serves on; the checkpoint of its shutdown is short after that", old);
	if (has_pooler)
		op_add_step(op, "pause", "medium", "pause PgBouncer",
		    "transactions end first, clients wait");
	op_add_step(op, "stop", "high", "stop the primary",
	    "%s, fast: sessions are cut, no transaction is lost", old);
	op_add_step(op, "catch-up", "none", "compare",
	    "the standby has the checkpoint of the shutdown, else %s is started again", old);
	op_add_step(op, "promote", "high", "promote the standby", "a new timeline begins");
	if (has_pooler)
		op_add_step(op, "resume", "low", "resume PgBouncer",
		    "where its databases lead is its own configuration's matter");
	op_add_step(op, "checkpoint", "low", "checkpoint", "its control file tells the timeline");
	add_follow_steps(op, old, false);
	op->question = arena_printf(&op->arena, "let %s and its standby change places?", old);
	return true;
}

/* Without the word the standby is promoted all the same. */
static bool
may_rejoin(struct op *op, struct error *err)
{
	struct gates g = { .op = op, .err = err };
	struct pair p;

	if (!has_word(op, "rejoin"))
		return true;
	if (!pair_open(&p, op, PAIR_THERE, err))
		return false;
	follow_gate(&g, &p);
	return g.red == 0;
}

static bool
failover_plan(struct op *op, struct error *err)
{
	bool is_fenced = has_word(op, "fenced");

	if (!words_are(op, "fenced", "rejoin", err) || !pair_gates_dead(op, is_fenced, err) ||
	    !may_rejoin(op, err) || (is_fenced && !op_fact_set(op, err, "fenced", "yes")))
		return false;
	op_add_step(op, "promote", "high", "promote the standby",
	    "what the dead primary had not sent is lost%s",
	    is_fenced ? "; that it is fenced is your word" : "");
	op_add_step(op, "checkpoint", "low", "checkpoint", "its control file tells the timeline");
	if (has_word(op, "rejoin"))
		add_follow_steps(op, op_fact(op, "first"), true);
	op->question = arena_printf(&op->arena, "promote the standby of %s?", op_fact(op, "first"));
	return true;
}

static bool
promote_plan(struct op *op, struct error *err)
{
	const char *replica = op->words->n > 1 ? op->words->w[1].text : "";
	const struct op_target *other = op->target->standby;

	if (op->words->n != 2) {
		error_set(err, ERR_USAGE, "promote needs the name of a replica");
		return error_hint(err, "Usage: %s", op->kind->usage);
	}
	if (!pair_gates_dead(op, false, err))
		return false;
	if (strcmp(replica, op_fact(op, "first")) == 0 ||
	    (strcmp(replica, op->target->name) != 0 && strcmp(replica, other->name) != 0))
		return error_set(err, ERR_REFUSED, "%s is not the standby that is left", replica);
	op_add_step(op, "promote", "high", "promote it",
	    "%s is a primary of its own, a new timeline begins", replica);
	op_add_step(op, "checkpoint", "low", "checkpoint", "its control file tells the timeline");
	op->question = arena_printf(&op->arena, "promote %s?", replica);
	return true;
}

static bool
add_result(struct op *op, struct error *err)
{
	int64_t stopped = op_fact_int(op, "stop_us", 0),
	        promoted = op_fact_int(op, "promoted_us", 0);
	bool first = true;
	struct pair p;

	if (!pair_open(&p, op, PAIR_THERE, err))
		return false;
	op_result_text(op, &first, "primary", p.new.name);
	op_result_text(op, &first, "standby", node_pid(&p.old) ? p.old.name : NULL);
	op_result_int(op, &first, "timeline_before", op_fact_int(op, "there.timeline_before", 0));
	op_result_int(op, &first, "timeline_after", op_fact_int(op, "there.timeline_after", 0));
	if (stopped && promoted)
		op_result_num(op, &first, "outage_s", (double)(promoted - stopped) / 1e6);
	return true;
}

const struct op_impl local_switchover = { switchover_plan, steps, add_result };
const struct op_impl local_failover = { failover_plan, steps, add_result };
const struct op_impl local_promote = { promote_plan, steps, add_result };
