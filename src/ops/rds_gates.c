/* What stands in the way of a failover of RDS: looked at before anything is asked for. */
#include "config.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/fmt.h"
#include "ops/gates.h"
#include "ops/op_server.h"
#include "ops/rds_events.h"
#include "ops/rds_ha.h"

enum { MAX_LAG_S = 10, RECENT_MINUTES = 10, ASK_MS = 3000, DAY_MINUTES = 1440 };

/* One that is red only where much is at stake. */
typedef void gate_fn(struct gates *g, const char *name, bool is_green, const char *fmt, ...);

static gate_fn *
soft(bool is_strict)
{
	return is_strict ? gate : gate_warn;
}

/* "02:00-02:30" of UTC, also over midnight. */
static bool
is_in_window(const char *window)
{
	int h1, m1, h2, m2, from, to, now;
	time_t t = (time_t)(wall_now().us / 1000000);
	struct tm tm;

	if (sscanf(window, "%d:%d-%d:%d", &h1, &m1, &h2, &m2) != 4)
		return false;
	gmtime_r(&t, &tm);
	from = h1 * 60 + m1;
	to = h2 * 60 + m2;
	now = tm.tm_hour * 60 + tm.tm_min;
	return (now - from + DAY_MINUTES) % DAY_MINUTES < (to - from + DAY_MINUTES) % DAY_MINUTES;
}

static void
check_window(struct gates *g, const char *window, bool is_strict)
{
	soft(is_strict)(g, "backup window", !is_in_window(window), "%s UTC%s",
	    *window ? window : "none", is_in_window(window) ? ", which is now" : "");
}

static bool
check_recent(struct gates *g, struct aws *aws, bool is_cluster, const char *id, bool is_strict)
{
	struct rds_events e;

	if (!rds_events_read(g->op, aws, is_cluster, id, 0, RECENT_MINUTES, &e, g->err))
		return false;
	soft(is_strict)(g, "last failover", !e.failover_us, "%s%s",
	    e.failover_us ? "a moment ago, RDS may refuse another: " : "none of late", e.text);
	return true;
}

static bool
check_instance(struct gates *g, struct aws *aws, const struct rds_instance *i, bool is_strict)
{
	gate(g, "state", rds_can_change(i->status), "%s", i->status);
	gate(g, "Multi-AZ", i->is_multi_az, "%s",
	    i->is_multi_az ? arena_printf(&g->op->arena, "%s, standby in %s", i->zone,
	                         *i->other_zone ? i->other_zone : "another zone") :
	                     "no: there is no standby, and it would be a mere restart");
	soft(is_strict)(
	    g, "pending changes", !*i->pending, "%s", *i->pending ? i->pending : "none");
	gate_warn(g, "parameters", !i->waits_for_reboot, "%s",
	    i->waits_for_reboot ? "some wait for a restart, which this is" : "none wait");
	check_window(g, i->backup_window, is_strict);
	return check_recent(g, aws, false, i->id, is_strict);
}

/* ------------------------------------------------------------------ clusters */

static double
aurora_lag(struct op *op, const char *member)
{
	const char *params[] = { member };
	struct error ignored = { 0 };
	struct pg_sync *pg = *op->target->conninfo ? op_connect(op, op->target, &ignored) : NULL;
	struct rowset *rows =
	    pg ? pg_sync_run(pg, "rds_aurora_lag", params, 1, ASK_MS, &ignored) : NULL;
	double lag = rows && rows->nrows ? cell_num(rowset_get(rows, 0, "lag_s"), NAN) : NAN;

	rowset_unref(rows);
	pg_sync_close(pg);
	return lag;
}

static bool
check_candidate(struct gates *g, struct aws *aws, const struct rds_cluster *c, const char *member)
{
	const char *writer = rds_writer(c);
	struct rds_instance i;
	bool is_there = false;
	int readers = 0;

	for (int m = 0; m < c->nmembers; m++) {
		readers += !c->members[m].is_writer;
		is_there |= strcasecmp(c->members[m].id, member) == 0;
	}
	gate(g, "readers", readers > 0, "%d, beside the writer %s", readers,
	    writer ? writer : "(none)");
	if (!*member)
		return true;
	gate(g, "member", is_there && writer && strcasecmp(writer, member) != 0, "%s %s", member,
	    !is_there                                     ? "is no member" :
	        writer && strcasecmp(writer, member) == 0 ? "is the writer already" :
	                                                    "is a reader");
	if (!is_there)
		return true;
	if (!rds_instance_get(g->op, aws, member, &i, g->err))
		return false;
	gate(g, "its state", rds_can_change(i.status), "%s", i.status);
	return true;
}

static bool
check_cluster(struct gates *g, struct aws *aws, const struct rds_cluster *c, const char *member,
    bool is_strict)
{
	double lag = aurora_lag(g->op, member);
	char text[32];

	gate(g, "state", strcmp(c->status, "available") == 0, "%s", c->status);
	if (!check_candidate(g, aws, c, member))
		return false;
	if (isfinite(lag)) {
		fmt_span(text, sizeof(text), lag);
		soft(is_strict)(g, "lag", lag < MAX_LAG_S, "%s", text);
	} else {
		gate_warn(g, "lag", false, "not known: the server does not say");
	}
	check_window(g, c->backup_window, is_strict);
	return check_recent(g, aws, true, c->id, is_strict);
}

/* ------------------------------------------------------------------ the plan */

static bool
look_sql(struct op *op, struct error *err)
{
	struct rds_sql sql;

	if (!rds_sql_look(op, op->target->conninfo, &sql)) {
		doc_pair(&op->doc, "server", ROLE_WARN,
		    "not reached: what happens is judged by RDS alone");
		return true;
	}
	doc_pair(&op->doc, "server", sql.is_standby ? ROLE_WARN : ROLE_NORMAL, "%s",
	    sql.is_standby ? "reached, a standby" : "reached, takes writes");
	op_identity(op, "started", "%lld", (long long)sql.started_us);
	return op_fact_set(op, err, "started_us", "%lld",
	           (long long)(sql.is_standby ? 0 : sql.started_us)) &&
	    op_fact_set(op, err, "there.timeline_before", "%lld", (long long)sql.timeline);
}

static bool
gates_with(struct op *op, struct aws *aws, const char *member, bool is_strict, struct error *err)
{
	struct gates g = { .op = op, .err = err };
	struct rds_cluster c = { .id = op->target->cluster };
	struct rds_instance i = { .cluster = "" };
	const char *writer;

	if (!*c.id) {
		if (!rds_instance_get(op, aws, op_fact(op, "source"), &i, err))
			return false;
		c.id = i.cluster;
	}
	if (!op_fact_set(op, err, "cluster", "%s", c.id) ||
	    !op_fact_set(op, err, "instance", "%s", *c.id ? "" : i.id) ||
	    !op_fact_set(op, err, "member", "%s", member) || !look_sql(op, err))
		return false;
	if (!*c.id) {
		op_identity(op, "zone", "%s", i.zone);
		return check_instance(&g, aws, &i, is_strict) && g.red == 0;
	}
	if (!rds_cluster_get(op, aws, c.id, &c, err))
		return false;
	writer = rds_writer(&c);
	op_identity(op, "writer", "%s", writer ? writer : "");
	return check_cluster(&g, aws, &c, member, is_strict) && g.red == 0;
}

bool
rds_ha_gates(struct op *op, struct aws *aws, const char *member, bool is_strict, struct error *err)
{
	return rds_look(op, aws, err) && gates_with(op, aws, member, is_strict, err);
}
