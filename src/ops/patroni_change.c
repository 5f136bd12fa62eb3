/*
 * switchover and failover of a cluster that Patroni runs: gates by what /cluster says, one POST,
 * and the cluster's own word on what became of it. Nothing is promoted or stopped behind its back.
 */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/fmt.h"
#include "base/json.h"
#include "ops/gates.h"
#include "ops/local_pooler.h"
#include "ops/op_result.h"
#include "ops/patroni.h"

enum {
	MAX_LAG = 16 << 20,
	LOOK_MS = 500,
	SETTLE_MS = 180000,
	SEEN_MS = 60000,
	DEAD_TRIES = 3,
	DEAD_EVERY_MS = 500
};

/* ------------------------------------------------------------------ gates */

/* The synchronous one, else the one that is least behind. */
static const struct patroni_member *
best(const struct patroni_cluster *c)
{
	const struct patroni_member *found = NULL;

	for (int i = 0; i < c->n; i++) {
		const struct patroni_member *m = &c->members[i];

		if (m->is_leader || !m->is_up || m->no_failover || m->lag < 0)
			continue;
		if (!found || (m->is_sync && !found->is_sync) ||
		    (m->is_sync == found->is_sync && m->lag < found->lag))
			found = m;
	}
	return found;
}

static bool
has_sync(const struct patroni_cluster *c)
{
	for (int i = 0; i < c->n; i++)
		if (c->members[i].is_sync)
			return true;
	return false;
}

static void
show(struct op *op, const struct patroni_cluster *c)
{
	char lag[32];

	doc_pair(&op->doc, "cluster", ROLE_NORMAL, "%s, Patroni %s, system %s", c->scope,
	    c->version, c->system_identifier);
	for (int i = 0; i < c->n; i++) {
		const struct patroni_member *m = &c->members[i];

		doc_pair(&op->doc, i ? "" : "members", m->is_up ? ROLE_NORMAL : ROLE_WARN,
		    "%s: %s, %s, %s:%d, timeline %lld%s%s%s", m->name, m->role, m->state, m->host,
		    m->port, (long long)m->timeline, m->is_leader ? "" : ", lag ",
		    m->is_leader   ? "" :
		        m->lag < 0 ? "unknown" :
		                     fmt_bytes(lag, sizeof(lag), (double)m->lag),
		    m->no_failover ? ", nofailover" : "");
	}
}

static bool
leader_gate(struct op *op, struct gates *g, const struct patroni_cluster *c, bool is_dead,
    struct error *err)
{
	if (!is_dead) {
		gate(g, "leader", c->leader && c->leader->is_up, "%s",
		    c->leader ? c->leader->state : "there is none: `failover`");
		return true;
	}
	/* Proof: its own Patroni says nothing, or that it is no primary, several times. */
	for (int i = 0; c->leader && i < DEAD_TRIES; i++) {
		if (patroni_is_alive(op, c->leader)) {
			error_set(err, ERR_REFUSED, "%s is alive", c->leader->name);
			return error_hint(err, "`switchover` changes places without loss.");
		}
		if (!op_wait_ms(op, DEAD_EVERY_MS, err))
			return false;
	}
	gate_warn(g, "leader", false, "%s",
	    c->leader ? arena_printf(&op->arena, "%s does not answer", c->leader->name) : "none");
	return true;
}

static void
candidate_gates(
    struct gates *g, const struct patroni_cluster *c, const struct patroni_member *m, bool is_dead)
{
	char lag[32];

	gate(g, "candidate", m->is_up, "%s is %s", m->name, m->state);
	gate(g, "nofailover", !m->no_failover, "%s",
	    m->no_failover ? "its tag says so" : "not tagged");
	gate(g, "lag", is_dead || (m->lag >= 0 && m->lag < MAX_LAG), "%s",
	    m->lag < 0 ? "unknown" : fmt_bytes(lag, sizeof(lag), (double)m->lag));
	gate(g, "synchronous", is_dead || !has_sync(c) || m->is_sync, "%s",
	    m->is_sync      ? "yes" :
	        has_sync(c) ? "another one is" :
	                      "the cluster is not");
	if (!is_dead && c->leader)
		gate(g, "timelines", m->timeline == c->leader->timeline, "%lld and %lld",
		    (long long)c->leader->timeline, (long long)m->timeline);
}

bool
patroni_gates(struct op *op, const char *candidate, bool is_dead, struct error *err)
{
	struct gates g = { .op = op, .err = err };
	struct patroni_cluster c;
	const struct patroni_member *m;

	if (!patroni_read(op, &c, err))
		return false;
	show(op, &c);
	m = candidate ? patroni_member(&c, candidate) : best(&c);
	if (!m) {
		error_set(err, candidate ? ERR_NOT_FOUND : ERR_REFUSED, "%s%s",
		    candidate ? "the cluster has no member " : "no member could take over",
		    candidate ? candidate : "");
		return error_hint(
		    err, "Those that run, follow, and are not tagged nofailover can.");
	}
	if (m->is_leader)
		return error_set(err, ERR_REFUSED, "%s leads already", m->name);
	/* In maintenance nobody would look after the old leader. */
	gate(&g, "maintenance", !c.is_paused, "%s",
	    c.is_paused ? "Patroni is paused: `patronictl resume`" : "no");
	gate(&g, "scheduled", !c.has_scheduled, "%s",
	    c.has_scheduled ? "a switchover is scheduled" : "nothing");
	if (!leader_gate(op, &g, &c, is_dead, err))
		return false;
	candidate_gates(&g, &c, m, is_dead);
	op_identity(op, "cluster", "%s %s", c.scope, c.system_identifier);
	op_identity(op, "leader", "%s %lld", c.leader ? c.leader->name : "none",
	    (long long)(c.leader ? c.leader->timeline : 0));
	op_identity(op, "candidate", "%s", m->name);
	return g.red == 0 && op_fact_set(op, err, "from", "%s", c.leader ? c.leader->name : "") &&
	    op_fact_set(op, err, "to", "%s", m->name) &&
	    op_fact_set(op, err, "timeline_before", "%lld",
	        (long long)(c.leader ? c.leader->timeline : m->timeline));
}

/* ------------------------------------------------------------------ the change */

enum op_seen
patroni_change_seen(struct op *op, const char *to, struct error *err)
{
	struct mono begin = mono_now();
	struct patroni_cluster c;

	/* Between two leaders there is none: that ends by itself. */
	for (;;) {
		if (!patroni_read(op, &c, err))
			return OP_UNSURE;
		if (c.leader || mono_since_ms(mono_now(), begin) > SEEN_MS)
			break;
		if (!op_wait_ms(op, LOOK_MS, err))
			return OP_UNSURE;
	}
	return c.leader && strcmp(c.leader->name, to) == 0 ? OP_SEEN : OP_NOT_SEEN;
}

/* Refused or not: does it lead in the end? Not while the old one is alive. */
static bool
comes_to_lead(struct op *op, const char *from, const char *to)
{
	struct mono begin = mono_now();
	struct error ignored = { 0 };
	struct patroni_cluster c;

	do {
		if (!patroni_read(op, &c, &ignored))
			continue;
		if (c.leader && strcmp(c.leader->name, to) == 0)
			return true;
		if (c.leader && strcmp(c.leader->name, from) == 0 && patroni_is_alive(op, c.leader))
			return false;
	} while (mono_since_ms(mono_now(), begin) < SEEN_MS && op_wait_ms(op, LOOK_MS, &ignored));
	return false;
}

bool
patroni_change(struct op *op, const char *path, const char *from, const char *to, struct error *err)
{
	struct strbuf body = STRBUF_INIT(4096);
	bool first = true, is_uncertain, ok;

	strbuf_addc(&body, '{');
	if (*from) {
		json_key(&body, &first, "leader");
		json_str(&body, from, strlen(from));
	}
	json_key(&body, &first, "candidate");
	json_str(&body, to, strlen(to));
	strbuf_addc(&body, '}');
	ok = patroni_post(op, path, body.buf, &is_uncertain, err);
	strbuf_release(&body);
	return ok || (is_uncertain && comes_to_lead(op, *from ? from : op_fact(op, "from"), to));
}

/* All others that are there follow it on its timeline; needs_all: and are there. */
static bool
others_follow(const struct patroni_cluster *c, bool needs_all, const char **who)
{
	for (int i = 0; i < c->n; i++) {
		const struct patroni_member *m = &c->members[i];

		*who = m->name;
		if (m->is_leader)
			continue;
		if (m->is_up ?
		        m->timeline != c->leader->timeline || m->lag < 0 || m->lag > MAX_LAG :
		        needs_all)
			return false;
	}
	return true;
}

bool
patroni_settle(struct op *op, const char *to, bool needs_all, int64_t before,
    const char *timeline_fact, struct error *err)
{
	struct mono begin = mono_now();
	struct patroni_cluster c;
	const char *who = "";

	for (;;) {
		bool is_read = patroni_read(op, &c, err);
		bool leads = is_read && c.leader && strcmp(c.leader->name, to) == 0 &&
		    c.leader->is_up && c.leader->timeline > before;

		if (leads && others_follow(&c, needs_all, &who))
			break;
		if (is_read && c.leader && strcmp(c.leader->name, to) != 0 &&
		    strcmp(c.leader->name, op_fact(op, "from")) != 0 &&
		    strcmp(c.leader->name, op_fact(op, "to")) != 0 &&
		    patroni_is_alive(op, c.leader))
			return error_set(err, ERR_STATE, "%s leads, not %s", c.leader->name, to);
		if (mono_since_ms(mono_now(), begin) > SETTLE_MS) {
			if (!is_read)
				return false;
			return leads ? error_set(err, ERR_TIMEOUT,
			                   "%s leads, but %s does not follow", to, who) :
			               error_set(err, ERR_TIMEOUT, "%s does not lead", to);
		}
		op_progress(op, -1, "%s", leads ? who : "no leader yet");
		if (!op_wait_ms(op, LOOK_MS, err))
			return false;
	}
	return op_fact_set(op, err, timeline_fact, "%lld", (long long)c.leader->timeline);
}

static enum op_seen
change_seen(struct op *op, struct error *err)
{
	return patroni_change_seen(op, op_fact(op, "to"), err);
}

static bool
switch_run(struct op *op, struct error *err)
{
	return patroni_change(op, "/switchover", op_fact(op, "from"), op_fact(op, "to"), err);
}

static bool
fail_run(struct op *op, struct error *err)
{
	return patroni_change(op, "/failover", "", op_fact(op, "to"), err);
}

static bool
settle_run(struct op *op, struct error *err)
{
	return patroni_settle(op, op_fact(op, "to"), true, op_fact_int(op, "timeline_before", 0),
	    "timeline_after", err);
}

/* The dead one need not be there. */
static bool
lead_run(struct op *op, struct error *err)
{
	return patroni_settle(op, op_fact(op, "to"), false, op_fact_int(op, "timeline_before", 0),
	    "timeline_after", err);
}

static bool
change_result(struct op *op, struct error *err)
{
	bool first = true;

	(void)err;
	op_result_text(op, &first, "primary", op_fact(op, "to"));
	op_result_text(op, &first, "standby", *op_fact(op, "from") ? op_fact(op, "from") : NULL);
	op_result_int(op, &first, "timeline_before", op_fact_int(op, "timeline_before", 0));
	op_result_int(op, &first, "timeline_after", op_fact_int(op, "timeline_after", 0));
	return true;
}

static const struct op_step_def switch_steps[] = {
	{ "pause", NULL, pooler_pause_step },
	{ "switchover", change_seen, switch_run },
	{ "resume", NULL, pooler_resume_step },
	{ "settle", NULL, settle_run },
	{ NULL, NULL, NULL },
};
static const struct op_step_def fail_steps[] = {
	{ "failover", change_seen, fail_run },
	{ "settle", NULL, lead_run },
	{ NULL, NULL, NULL },
};

/* ------------------------------------------------------------------ plans */

/* [MEMBER] and, where it is known, one more word. */
static bool
read_words(
    struct op *op, const char *known, const char **member, bool *has_known, struct error *err)
{
	*member = NULL;
	*has_known = false;
	for (int i = 1; i < op->words->n; i++) {
		const char *w = op->words->w[i].text;

		if (known && strcmp(w, known) == 0) {
			*has_known = true;
		} else if (!*member && strcmp(w, "fenced") != 0 && strcmp(w, "rejoin") != 0) {
			*member = w;
		} else {
			error_set(err, ERR_USAGE,
			    "%s does not know '%s' where Patroni runs the cluster", op->kind->verb,
			    w);
			return error_hint(err, "Usage: %s [MEMBER]", op->kind->verb);
		}
	}
	return true;
}

static bool
switch_plan(struct op *op, struct error *err)
{
	const char *member;
	bool no_pause, has_pooler;

	if (!read_words(op, "nopause", &member, &no_pause, err) ||
	    !patroni_gates(op, member, false, err))
		return false;
	has_pooler = pooler_is_there(op) && !no_pause;
	if (has_pooler)
		op_add_step(op, "pause", "medium", "pause PgBouncer",
		    "transactions end first, clients wait");
	op_add_step(op, "switchover", "high", "let Patroni switch over",
	    "%s is stopped in order, %s is promoted: no transaction is lost", op_fact(op, "from"),
	    op_fact(op, "to"));
	if (has_pooler)
		op_add_step(op, "resume", "low", "resume PgBouncer",
		    "where its databases lead is its own configuration's matter");
	op_add_step(op, "settle", "none", "wait until all follow", "as /cluster says it");
	op->question = arena_printf(
	    &op->arena, "let %s take over from %s?", op_fact(op, "to"), op_fact(op, "from"));
	return true;
}

static bool
fail_plan(struct op *op, struct error *err)
{
	const char *member;
	bool ignored;

	if (!read_words(op, NULL, &member, &ignored, err) || !patroni_gates(op, member, true, err))
		return false;
	op_add_step(op, "failover", "high", "let Patroni fail over",
	    "to %s; what the dead leader had not sent is lost", op_fact(op, "to"));
	op_add_step(op, "settle", "none", "wait until it leads",
	    "Patroni waits until the lock of the old leader has run out (ttl)");
	op->question = arena_printf(&op->arena, "let %s take over?", op_fact(op, "to"));
	return true;
}

/* A member of its own would be a split brain, or be taken back by Patroni. */
static bool
promote_plan(struct op *op, struct error *err)
{
	error_set(err, ERR_REFUSED,
	    "%s is run by Patroni: none of its members is promoted behind its back",
	    op->target->name);
	return error_hint(
	    err, "`switchover MEMBER` or, when the leader is dead, `failover MEMBER`.");
}

const struct op_impl patroni_switchover = { switch_plan, switch_steps, change_result };
const struct op_impl patroni_failover = { fail_plan, fail_steps, change_result };
const struct op_impl patroni_promote = { promote_plan, fail_steps, change_result };
