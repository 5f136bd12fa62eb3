/*
 * drill failover of a cluster that Patroni runs: a switchover there, measured by the probe, and one
 * back. The two targets are the leader and the member that takes over; they may be other machines:
 * they are asked by SQL alone, and moved by Patroni alone.
 *
 * A crash: the leader's processes are killed, which takes its machine, and Patroni is left to do
 * what it does. That is to start the server again where it is, for as long as
 * primary_start_timeout (master_start_timeout before Patroni 3; 300 s, unless set) allows; only
 * then, or at once where that is 0, another one takes over. The drill says which of the two it was,
 * and what either has cost.
 */
#include "config.h"

#include <string.h>

#include "base/clock.h"
#include "ops/gates.h"
#include "ops/local_drill.h"
#include "ops/local_pooler.h"
#include "ops/local_probe.h"
#include "ops/op_server.h"
#include "ops/patroni.h"

enum {
	SETTLE_MS = 500,
	TRIES = 15,
	EVERY_MS = 2000,
	RECOVER_MS = 600000, /* primary_start_timeout is 300 s */
	RECOVER_LOOK_MS = 250,
};

/* ------------------------------------------------------------------ which is which */

/* The member whose server that is: by its port, and where several have it by its host. */
static const struct patroni_member *
member_at(const struct patroni_cluster *c, const char *host, int64_t port)
{
	const struct patroni_member *found = NULL;
	int n = 0;

	for (int i = 0; i < c->n; i++) {
		const struct patroni_member *m = &c->members[i];

		if (m->port != port)
			continue;
		if (strcmp(m->host, host) == 0)
			return m;
		found = m;
		n++;
	}
	return n == 1 ? found : NULL;
}

static const struct patroni_member *
member_of(struct op *op, const struct patroni_cluster *c, const struct op_target *target,
    bool *is_standby, struct error *err)
{
	const struct patroni_member *m;
	struct node_look look;
	struct pg_peer peer;
	struct pg_sync *pg;
	struct node n;

	node_by_sql(&n, op, target);
	pg = op_connect(op, target, err);
	if (!pg)
		return NULL;
	pg_sync_peer(pg, &peer);
	pg_sync_close(pg);
	if (!node_look(&n, &look, err))
		return NULL;
	*is_standby = look.is_standby;
	if (target == op->target)
		op->system_identifier = look.system_identifier;
	m = member_at(c, peer.host, look.port);
	if (!m) {
		error_set(err, ERR_CONFIG, "%s is no member of Patroni's cluster %s", target->name,
		    c->scope);
		error_hint(err, "Its conninfo has to lead to the server itself.");
	}
	return m;
}

static bool
find_members(struct op *op, const char **candidate, struct error *err)
{
	const struct op_target *own = op->target, *other = op->target->standby;
	const struct patroni_member *a, *b;
	bool a_follows, b_follows;
	struct patroni_cluster c;

	if (!other) {
		error_set(err, ERR_CONFIG, "no standby of %s is known", own->name);
		return error_hint(
		    err, "standby = NAME of [target %s]: the member that takes over.", own->name);
	}
	if (!pair_may_act(op, err) || !patroni_read(op, &c, err))
		return false;
	a = member_of(op, &c, own, &a_follows, err);
	b = a ? member_of(op, &c, other, &b_follows, err) : NULL;
	if (!b)
		return false;
	if (a == b || a_follows == b_follows)
		return error_set(err, ERR_REFUSED, "%s and %s are not leader and standby",
		    own->name, other->name);
	*candidate = a_follows ? a->name : b->name;
	return op_fact_set(op, err, "first", "%s", a_follows ? other->name : own->name);
}

/* The targets by their roles before the drill. */
static void
open_pair(struct op *op, struct pair *p)
{
	const struct op_target *own = op->target, *other = op->target->standby;
	bool is_own = strcmp(op_fact(op, "first"), own->name) == 0;

	*p = (struct pair){ .op = op, .way = PAIR_THERE };
	node_by_sql(&p->old, op, is_own ? own : other);
	node_by_sql(&p->new, op, is_own ? other : own);
}

/* A crash after which the server was started where it was: nobody has moved. */
static bool
has_stayed(struct op *op)
{
	return strcmp(op_fact(op, "kind"), "crash") == 0 && !op_fact_int(op, "moved", 0);
}

/* ------------------------------------------------------------------ steps */

static bool
table_run(struct op *op, struct error *err)
{
	struct pair p;

	open_pair(op, &p);
	return drill_table_make(op, p.old.target, err);
}

static bool
fault_run(struct op *op, struct error *err)
{
	struct node_look look;
	struct pair p;

	open_pair(op, &p);
	return probe_start(op, err) && node_look(&p.old, &look, err) &&
	    op_fact_set(op, err, "fault_lsn", "%lld", (long long)look.lsn) &&
	    op_fact_now(op, err, "fault_us") &&
	    patroni_change(op, "/switchover", op_fact(op, "from"), op_fact(op, "to"), err) &&
	    op_fact_now(op, err, "promoted_us");
}

static enum op_seen
fault_seen(struct op *op, struct error *err)
{
	return patroni_change_seen(op, op_fact(op, "to"), err);
}

static bool
settle_run(struct op *op, struct error *err)
{
	return probe_start(op, err) &&
	    patroni_settle(op, op_fact(op, "to"), true, op_fact_int(op, "there.timeline_before", 0),
	        "there.timeline_after", err);
}

static bool
measure_run(struct op *op, struct error *err)
{
	struct pair p;

	struct drill_site same = { .name = op_fact(op, "from") };

	open_pair(op, &p);
	same.target = p.old.target;
	return probe_start(op, err) &&
	    (has_stayed(op) ? drill_measure_at(op, &same, err) : drill_measure(&p, err));
}

/* ------------------------------------------------------------------ a crash */

/* When the server of a target was started, 0 unknown; is it a primary? */
static int64_t
started_at(struct op *op, const struct op_target *target, bool *is_primary)
{
	struct error ignored = { 0 };
	struct pg_sync *pg = op_connect(op, target, &ignored);
	struct op_server server = { .is_standby = true };
	bool ok = pg && op_server_read(op, pg, &server, &ignored);

	pg_sync_close(pg);
	*is_primary = ok && !server.is_standby;
	return ok ? server.started_at.us : 0;
}

static enum op_seen
kill_seen(struct op *op, struct error *err)
{
	struct error ignored = { 0 };
	struct pair p;
	struct node n;
	bool is_primary;
	int64_t started;

	open_pair(op, &p);
	if (!op_fact(op, "fault_us"))
		return OP_NOT_SEEN;
	/* It is down, or another start of it is up: not twice. One that runs and does not answer
	 * says nothing. */
	started = started_at(op, p.old.target, &is_primary);
	if (started == 0 && node_open(&n, op, p.old.target, &ignored) && node_pid(&n)) {
		error_set(err, ERR_STATE, "%s runs, and does not say since when", n.name);
		return OP_UNSURE;
	}
	return started == op_fact_int(op, "started_us", 0) ? OP_NOT_SEEN : OP_SEEN;
}

static bool
kill_run(struct op *op, struct error *err)
{
	struct patroni_cluster c;
	struct node_look look;
	struct pair p;
	struct node n;
	bool is_primary;
	int64_t started;

	open_pair(op, &p);
	if (!node_open(&n, op, p.old.target, err) || !probe_start(op, err) ||
	    !node_look(&n, &look, err) || !pair_is_own(&n, &look, err) ||
	    !patroni_read(op, &c, err))
		return false;
	started = started_at(op, p.old.target, &is_primary);
	if (!is_primary || c.is_paused || !c.leader ||
	    strcmp(c.leader->name, op_fact(op, "from")) != 0) {
		error_set(err, ERR_CHANGED, "%s does not lead any more, or Patroni is paused",
		    op_fact(op, "from"));
		return error_hint(err, "Nothing was killed.");
	}
	return op_fact_set(op, err, "started_us", "%lld", (long long)started) &&
	    op_fact_set(op, err, "fault_lsn", "%lld", (long long)look.lsn) &&
	    op_fact_now(op, err, "fault_us") &&
	    /* Patroni may have started it again before all were seen to be gone. */
	    (node_kill(&n, err) || kill_seen(op, err) == OP_SEEN);
}

/* Which of the two Patroni has done; false: not yet. */
static bool
has_come_back(struct op *op, struct pair *p, bool *has_moved)
{
	int64_t was = op_fact_int(op, "started_us", 0), is;
	bool is_primary;

	is = started_at(op, p->old.target, &is_primary);
	*has_moved = false;
	if (is_primary && is && is != was)
		return true;
	is = started_at(op, p->new.target, &is_primary);
	*has_moved = true;
	return is && is_primary;
}

static bool
recover_run(struct op *op, struct error *err)
{
	struct mono begin = mono_now();
	int64_t before = op_fact_int(op, "there.timeline_before", 0);
	struct pair p;
	bool has_moved;

	open_pair(op, &p);
	if (!probe_start(op, err))
		return false;
	while (!has_come_back(op, &p, &has_moved)) {
		if (mono_since_ms(mono_now(), begin) > RECOVER_MS) {
			error_set(err, ERR_TIMEOUT, "no server takes writes %d s after the crash",
			    RECOVER_MS / 1000);
			return error_hint(err,
			    "patronictl list; `failover %s` where its leader stays away.",
			    op_fact(op, "to"));
		}
		op_progress(op, -1, "Patroni has not brought a leader back yet");
		if (!op_wait_ms(op, RECOVER_LOOK_MS, err))
			return false;
	}
	return op_fact_now(op, err, "promoted_us") &&
	    op_fact_set(op, err, "outcome", "%s",
	        has_moved ?
	            arena_printf(&op->arena, "Patroni failed over to %s", op_fact(op, "to")) :
	            "Patroni started the server again where it was") &&
	    op_fact_set(op, err, "moved", "%d", has_moved) &&
	    patroni_settle(op, op_fact(op, has_moved ? "to" : "from"), true,
	        has_moved ? before : before - 1, "there.timeline_after", err);
}

/* Patroni refuses for a moment while it does not know yet how far the old leader is. */
static bool
back_run(struct op *op, struct error *err)
{
	if (has_stayed(op))
		return true;
	for (int i = 1;; i++) {
		struct error why = { 0 };

		if (!probe_start(op, err))
			return false;
		if (patroni_change(op, "/switchover", op_fact(op, "to"), op_fact(op, "from"), &why))
			return true;
		if (why.code != ERR_STATE || i == TRIES) {
			*err = why;
			return false;
		}
		op_progress(op, -1, "%s", why.what);
		if (!op_wait_ms(op, EVERY_MS, err))
			return false;
	}
}

static enum op_seen
back_seen(struct op *op, struct error *err)
{
	return patroni_change_seen(op, op_fact(op, "from"), err);
}

static bool
back_settle_run(struct op *op, struct error *err)
{
	return has_stayed(op) ||
	    (probe_start(op, err) &&
	        patroni_settle(op, op_fact(op, "from"), true,
	            op_fact_int(op, "there.timeline_after", 0), "back.timeline_after", err));
}

static bool
verify_run(struct op *op, struct error *err)
{
	struct node_look primary, standby;
	struct pair p;

	open_pair(op, &p);
	if (!node_look(&p.old, &primary, err) || !node_look(&p.new, &standby, err))
		return false;
	if (primary.is_standby || !standby.is_standby)
		return error_set(
		    err, ERR_STATE, "%s and %s are not as they were", p.old.name, p.new.name);
	return op_wait_ms(op, SETTLE_MS, err) && op_fact_set(op, err, "restored", "1") &&
	    op_fact_now(op, err, "restored_us");
}

static const struct op_step_def steps[] = {
	{ "table", NULL, table_run },
	{ "baseline", NULL, drill_baseline_step },
	{ "pause", NULL, pooler_pause_step },
	{ "switchover", fault_seen, fault_run },
	{ "kill", kill_seen, kill_run },
	{ "recover", NULL, recover_run },
	{ "resume", NULL, pooler_resume_step },
	{ "settle", NULL, settle_run },
	{ "measure", NULL, measure_run },
	{ "back", back_seen, back_run },
	{ "back-settle", NULL, back_settle_run },
	{ "verify", NULL, verify_run },
	{ "drop", NULL, drill_drop_step },
	{ "report", NULL, drill_report },
	{ NULL, NULL, NULL },
};

/* ------------------------------------------------------------------ the plan */

static bool
read_words(struct op *op, const char **kind, struct error *err)
{
	const struct word *w = op->words->w;
	int n = op->words->n;
	bool is_known = n >= 2 && strcmp(w[1].text, "failover") == 0 &&
	    (n == 2 || (n == 4 && strcmp(w[2].text, "--kind") == 0));

	*kind = n == 4 ? w[3].text : "planned";
	if (is_known && (strcmp(*kind, "planned") == 0 || strcmp(*kind, "crash") == 0))
		return true;
	error_set(err, ERR_USAGE, "drill does not know this");
	return error_hint(err, "Usage: drill failover [--kind planned|crash]");
}

static bool
back_gate(struct op *op, struct error *err)
{
	struct gates g = { .op = op, .err = err };
	struct patroni_cluster c;
	const struct patroni_member *m;

	if (!patroni_read(op, &c, err))
		return false;
	m = patroni_member(&c, op_fact(op, "from"));
	gate(&g, "way back", m && !m->no_failover, "%s",
	    m && m->no_failover ? "the leader's tag says nofailover" : "the leader may lead again");
	return g.red == 0;
}

/* The leader's processes are to be killed: on this machine, and its Patroni is there to see it. */
static bool
crash_gates(struct op *op, struct error *err)
{
	struct gates g = { .op = op, .err = err };
	struct patroni_cluster c;
	struct node_look look;
	struct pair p;
	struct node n;

	open_pair(op, &p);
	if (!node_open(&n, op, p.old.target, err) || !node_look(&n, &look, err) ||
	    !pair_is_own(&n, &look, err) || !patroni_read(op, &c, err))
		return false;
	gate(&g, "Patroni", c.leader && patroni_is_alive(op, c.leader), "%s",
	    c.leader ? "that of the leader answers" : "no leader");
	gate_warn(&g, "rewind", look.can_rewind, "%s",
	    look.can_rewind ?
	        "checksums or wal_log_hints" :
	        "neither checksums nor wal_log_hints: a new base backup if it fails over");
	return g.red == 0;
}

static void
add_fault_steps(struct op *op, bool crashes)
{
	const char *from = op_fact(op, "from"), *to = op_fact(op, "to");
	bool has_pooler = !crashes && pooler_is_there(op);

	if (has_pooler)
		op_add_step(op, "pause", "medium", "pause PgBouncer", "clients wait");
	if (crashes) {
		op_add_step(op, "kill", "high", "kill the leader's server",
		    "%s: SIGKILL to all its processes; its Patroni lives", from);
		op_add_step(op, "recover", "none", "see what Patroni does",
		    "starts it again where it is, or fails over to %s (primary_start_timeout)", to);
	} else {
		op_add_step(op, "switchover", "high", "let Patroni switch over",
		    "%s takes over from %s", to, from);
	}
	if (has_pooler)
		op_add_step(op, "resume", "low", "resume PgBouncer", "%s", "");
	if (!crashes)
		op_add_step(op, "settle", "none", "wait until all follow", "as /cluster says it");
}

static bool
drill_plan(struct op *op, struct error *err)
{
	const char *candidate, *from, *kind;
	bool crashes;

	if (!read_words(op, &kind, err) || !find_members(op, &candidate, err) ||
	    !patroni_gates(op, candidate, false, err) || !back_gate(op, err))
		return false;
	crashes = strcmp(kind, "crash") == 0;
	if (crashes && !crash_gates(op, err))
		return false;
	from = op_fact(op, "from");
	doc_pair(&op->doc, "hypothesis", ROLE_NORMAL,
	    "writes are back in less than %d s, no acknowledged row is lost", DRILL_RTO_S);
	op_add_step(op, "table", "low", "make a table for the probe", "pgmedic.heartbeat");
	op_add_step(op, "baseline", "none", "measure before", "a write every 100 ms for %d s",
	    DRILL_BASELINE_MS / 1000);
	add_fault_steps(op, crashes);
	op_add_step(op, "measure", "none", "measure", "outage and lost rows");
	op_add_step(op, "back", "high", "let Patroni switch back", "to %s%s", from,
	    crashes ? ", if it has failed over" : "");
	op_add_step(op, "back-settle", "none", "wait until all follow", "as /cluster says it");
	op_add_step(op, "verify", "none", "verify", "one primary, the one of before");
	op_add_step(op, "drop", "low", "drop the table of the probe", "%s", "");
	op_add_step(op, "report", "none", "write the report", "Markdown and JSON");
	op->question =
	    arena_printf(&op->arena, "drill a %s failover of %s?", kind, op->target->name);
	return op_fact_set(op, err, "kind", "%s", kind) &&
	    op_fact_set(op, err, "there.timeline_before", "%s", op_fact(op, "timeline_before"));
}

const struct op_impl patroni_drill = { drill_plan, steps, drill_result };
