#include "config.h"

#include "ops/rds_ha.h"

#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "ops/op_server.h"
#include "ops/rds_events.h"
#include "ops/rds_make.h"
#include "pg/login.h"

enum {
	LIMIT_MS = 30 * 60000, /* of one failover */
	ASK_MS = 3000,
	CALM_MS = 10000,    /* for a sign, where the answer itself says that all is calm */
	FOLLOW_MS = 30000,  /* for conninfo to follow, when RDS says that it is over */
	EVENT_MINUTES = 15, /* beyond the time since it was sent */
};

static const char *
key(struct op *op, const char *way, const char *name)
{
	return arena_printf(&op->arena, "%s.%s", way, name);
}

const char *
rds_ha_fact(struct op *op, const char *way, const char *name)
{
	return op_fact(op, key(op, way, name));
}

bool
rds_ha_is_cluster(struct op *op)
{
	const char *cluster = op_fact(op, "cluster");

	return cluster && *cluster;
}

static const char *
ha_id(struct op *op)
{
	return op_fact(op, rds_ha_is_cluster(op) ? "cluster" : "instance");
}

const char *
rds_ha_name(struct op *op)
{
	return arena_printf(
	    &op->arena, "the %s %s", rds_ha_is_cluster(op) ? "cluster" : "instance", ha_id(op));
}

/* ------------------------------------------------------------------ the server itself */

bool
rds_sql_look(struct op *op, const char *conninfo, struct rds_sql *out)
{
	struct error ignored = { 0 };
	/* Connected anew each time: the endpoint's name leads elsewhere afterwards. */
	struct pg_sync *pg =
	    *conninfo ? pg_sync_open(conninfo, op->target->password, &ignored) : NULL;
	struct rowset *rows = pg ? pg_sync_run(pg, "rds_node", NULL, 0, ASK_MS, &ignored) : NULL;
	bool ok = rows && rows->nrows == 1;

	if (ok)
		*out = (struct rds_sql){
			.is_standby = cell_i64(rowset_get(rows, 0, "is_standby"), 0) != 0,
			.started_us = cell_i64(rowset_get(rows, 0, "started_at"), 0),
			.timeline = cell_i64(rowset_get(rows, 0, "timeline"), 0),
			.lsn = cell_i64(rowset_get(rows, 0, "lsn"), 0),
			.lag_s = cell_num(rowset_get(rows, 0, "lag_s"), 0),
		};
	rowset_unref(rows);
	pg_sync_close(pg);
	return ok;
}

/* An instance's own endpoint stays with it: what it says of a cluster is nothing. */
bool
rds_ha_endpoint_moves(struct op *op)
{
	char host[PG_RDS_HOST_MAX];

	return !rds_ha_is_cluster(op) ||
	    !pg_rds_host_in(op->target->conninfo, host, sizeof(host)) || strstr(host, ".cluster-");
}

/* ------------------------------------------------------------------ what can be seen of one */

struct view {
	bool is_ready;
	const char *status;
	const char *place; /* zone, or name of the writer; "" not known */
	struct rds_events events;
	bool has_sql;
	struct rds_sql sql;
};

static bool
look_place(struct op *op, struct aws *aws, struct view *v, struct error *err)
{
	struct rds_instance i;
	struct rds_cluster c;
	const char *writer;

	if (rds_ha_is_cluster(op)) {
		if (!rds_cluster_get(op, aws, ha_id(op), &c, err))
			return false;
		writer = rds_writer(&c);
		v->status = c.status;
		v->place = writer ? writer : "";
	} else {
		if (!rds_instance_get(op, aws, ha_id(op), &i, err))
			return false;
		v->status = i.status;
		v->place = i.zone;
	}
	v->is_ready = strcmp(v->status, "backing-up") == 0 || rds_can_change(v->status);
	return true;
}

static bool
look(struct op *op, struct aws *aws, const char *way, struct view *v, struct error *err)
{
	int64_t sent = op_fact_int(op, key(op, way, "sent_us"), 0);
	int64_t mark = op_fact_int(op, key(op, way, "mark"), 0);
	int64_t past = sent ? (wall_now().us - sent) / 60000000 : 0;

	*v = (struct view){ .place = "" };
	if (!look_place(op, aws, v, err) ||
	    !rds_events_read(op, aws, rds_ha_is_cluster(op), ha_id(op), mark,
	        (int)past + EVENT_MINUTES, &v->events, err))
		return false;
	v->has_sql =
	    op_fact_int(op, "started_us", 0) && rds_sql_look(op, op->target->conninfo, &v->sql);
	return true;
}

static bool
place_moved(struct op *op, const char *way, const struct view *v)
{
	const char *before = op_fact(op, key(op, way, "before"));

	return before && *before && *v->place && strcmp(before, v->place) != 0;
}

static bool
server_moved(struct op *op, const char *way, const struct view *v)
{
	int64_t before = op_fact_int(op, key(op, way, "started_us"), 0);

	return before && v->has_sql && rds_ha_endpoint_moves(op) && v->sql.started_us != before;
}

/* Anything that shows that what was sent has been taken. */
static bool
has_sign(struct op *op, const char *way, const struct view *v)
{
	return !v->is_ready || v->events.is_begun || place_moved(op, way, v) ||
	    server_moved(op, way, v);
}

/* As RDS has it. */
static bool
is_over(struct op *op, const char *way, const char *member, const struct view *v)
{
	bool is_cluster = rds_ha_is_cluster(op), has_moved;

	/* The zone may be told minutes late; the writer is what it is about. */
	has_moved = is_cluster ?
	    place_moved(op, way, v) :
	    v->events.is_done || place_moved(op, way, v) || server_moved(op, way, v);
	return v->is_ready && has_moved &&
	    !(is_cluster && *member && strcasecmp(member, v->place) != 0);
}

/* Where the server was seen before, it has to be another one, and take writes. */
static bool
server_agrees(struct op *op, const char *way, const struct view *v)
{
	return !op_fact_int(op, key(op, way, "started_us"), 0) || !rds_ha_endpoint_moves(op) ||
	    (server_moved(op, way, v) && !v->sql.is_standby);
}

/* ------------------------------------------------------------------ sending */

/* As it is now: what a sign is compared with. */
static bool
remember(struct op *op, struct aws *aws, const char *way, struct error *err)
{
	struct view v;

	if (!look(op, aws, way, &v, err))
		return false;
	if (!v.is_ready) {
		error_set(err, ERR_STATE, "%s is %s", rds_ha_name(op), v.status);
		return error_hint(err, "Nothing was sent.");
	}
	return op_fact_set(op, err, key(op, way, "mark"), "%lld", (long long)v.events.newest_us) &&
	    op_fact_set(op, err, key(op, way, "before"), "%s", v.place) &&
	    op_fact_set(op, err, key(op, way, "started_us"), "%lld",
	        v.has_sql ? (long long)v.sql.started_us : 0LL) &&
	    op_fact_now(op, err, key(op, way, "sent_us"));
}

/* What was sent, and had no answer, is looked up: it is not sent again. */
static bool
took_it(
    struct op *op, struct aws *aws, const char *way, const struct error *lost, struct error *err)
{
	struct mono begin = mono_now();
	struct view v;

	for (;;) {
		op_progress(op, -1, "sent, no answer; looking what became of it");
		if (!look(op, aws, way, &v, err))
			return false;
		if (has_sign(op, way, &v))
			return true;
		if (mono_since_ms(mono_now(), begin) > rds_sign_ms())
			break;
		if (!op_wait_ms(op, rds_poll_ms(), err))
			return false;
	}
	*err = *lost;
	return error_hint(err, "Sent, no answer, and nothing shows that it was taken: %s is %s.",
	    rds_ha_name(op), v.status);
}

bool
rds_ha_send(struct op *op, struct aws *aws, const char *way, const char *member, struct error *err)
{
	struct aws_param reboot[] = { { "DBInstanceIdentifier", op_fact(op, "instance") },
		{ "ForceFailover", "true" }, { NULL, NULL } };
	struct aws_param failover[] = { { "DBClusterIdentifier", op_fact(op, "cluster") },
		{ "TargetDBInstanceIdentifier", *member ? member : NULL }, { NULL, NULL } };
	bool is_cluster = rds_ha_is_cluster(op), ok;
	struct aws_call call = { .service = AWS_RDS,
		.op = is_cluster ? "FailoverDBCluster" : "RebootDBInstance",
		.params = is_cluster ? failover : reboot,
		.changes = true };
	struct aws_answer answer;
	struct error lost = { 0 };

	if (!rds_same(op, aws, err) || !remember(op, aws, way, err))
		return false;
	aws_answer_init(&answer);
	ok = aws_do(aws, &call, &answer, &lost);
	if (ok && !is_cluster) {
		ok = op_fact_set(op, err, key(op, way, "answer"), "%s",
		    xml_text(answer.xml, "DBInstance/DBInstanceStatus"));
	} else if (!ok && answer.is_uncertain) {
		ok = took_it(op, aws, way, &lost, err);
	} else if (!ok) {
		*err = lost;
		/* Refused: it may be sent when the job goes on. */
		if (!op_fact_set(op, &lost, key(op, way, "sent_us"), "%s", ""))
			error_hint(err, "And the journal failed: %.150s", lost.what);
	}
	aws_answer_release(&answer);
	return ok;
}

enum op_seen
rds_ha_seen(struct op *op, struct aws *aws, const char *way, struct error *err)
{
	int64_t sent = op_fact_int(op, key(op, way, "sent_us"), 0);
	struct view v;

	if (!sent)
		return OP_NOT_SEEN;
	for (;;) {
		if (!look(op, aws, way, &v, err))
			return OP_UNSURE;
		if (has_sign(op, way, &v))
			return OP_SEEN;
		if (wall_now().us - sent > (int64_t)rds_sign_ms() * 1000)
			break;
		op_progress(op, -1, "may have been sent; looking what became of it");
		if (!op_wait_ms(op, rds_poll_ms(), err))
			return OP_UNSURE;
	}
	/* The server was there before, and is the same one: it was not sent. */
	if (v.has_sql || !op_fact_int(op, key(op, way, "started_us"), 0))
		return OP_NOT_SEEN;
	error_set(err, ERR_STATE, "%s does not answer, and RDS says nothing of a failover",
	    rds_ha_name(op));
	error_hint(err, "Look at it; `job resume %lld` looks again.", (long long)op->job);
	return OP_UNSURE;
}

/* ------------------------------------------------------------------ waiting */

static bool
keep_end(struct op *op, const char *way, const struct view *v, struct error *err)
{
	return op_fact_set(op, err, key(op, way, "after"), "%s", v->place) &&
	    op_fact_set(op, err, key(op, way, "text"), "%s", v->events.text) &&
	    op_fact_now(op, err, key(op, way, "done_us"));
}

static bool
has_refused(struct op *op, const struct view *v, struct error *err)
{
	if (v->events.is_abandoned) {
		error_set(err, ERR_REFUSED, "RDS has abandoned it: %.120s", v->events.text);
		return !error_hint(err, "Wait some minutes; %s is as it was.", rds_ha_name(op));
	}
	if (!v->events.has_failed || !v->is_ready)
		return false;
	error_set(err, ERR_STATE, "the failover has failed: %.120s", v->events.text);
	return !error_hint(err, "See the events of %s.", rds_ha_name(op));
}

static int
least(int a, int b)
{
	return a < b ? a : b;
}

/* The answer to a reboot that is taken says "rebooting". */
static int
sign_limit_ms(struct op *op, const char *way)
{
	const char *answer = rds_ha_fact(op, way, "answer");
	bool is_calm = answer && rds_can_change(answer);

	return is_calm ? least(CALM_MS, rds_sign_ms()) : rds_sign_ms();
}

/*
 * RDS says that it is over, and the server that conninfo leads to was not even restarted: it is
 * none of these. A failover has happened all the same; a drill has measured nothing.
 */
static bool
end_elsewhere(struct op *op, const char *way, const struct view *v, struct error *err)
{
	if (strcmp(op->kind->verb, "drill") != 0)
		return keep_end(op, way, v, err) &&
		    op_fact_set(op, err, "notes",
		        "conninfo leads to the same server as before: not to what failed over");
	error_set(err, ERR_STATE,
	    "%s has failed over, and conninfo leads to the same server as before", rds_ha_name(op));
	return error_hint(err, "Let conninfo of [target %s] name the endpoint of %s.",
	    op->target->name, rds_ha_name(op));
}

/* RDS took the call, and nothing came of it. */
static bool
fail_calm(struct op *op, const char *way, const struct view *v, struct error *err)
{
	const char *place = rds_ha_fact(op, way, "before");

	error_set(err, ERR_TIMEOUT,
	    "nothing shows that %s has failed over: RDS took the call, then no event, %s, %s%s",
	    rds_ha_name(op), v->status,
	    place && *place ? arena_printf(&op->arena, "%s still ",
	                          rds_ha_is_cluster(op) ? "the writer" : "the zone") :
	                      "",
	    place && *place ? place : "where it was");
	return error_hint(err,
	    "It may come late: look at its events (the pane `cloud`) before you give it again; `job resume %lld` looks once more.",
	    (long long)op->job);
}

bool
rds_ha_wait(struct op *op, struct aws *aws, const char *way, const char *member, struct error *err)
{
	struct mono begin = mono_now(), told = { 0 };
	bool was_taken = false;
	struct view v;

	for (;;) {
		int64_t past = mono_since_ms(mono_now(), begin);
		struct error why = { 0 };

		if (!look(op, aws, way, &v, &why)) {
			/* AWS itself may be hard to reach meanwhile. */
			if (!rds_is_passing(&why) || past > LIMIT_MS) {
				*err = why;
				return error_prefix(err, "while waiting");
			}
			op_progress(op, -1, "RDS does not answer: %s", why.what);
			if (!op_wait_ms(op, rds_poll_ms(), err))
				return false;
			continue;
		}
		if (has_refused(op, &v, err))
			return false;
		if (is_over(op, way, member, &v)) {
			bool is_same = v.has_sql && !server_moved(op, way, &v);

			if (server_agrees(op, way, &v))
				return keep_end(op, way, &v, err);
			told = told.us ? told : mono_now();
			if (is_same &&
			    mono_since_ms(mono_now(), told) > least(FOLLOW_MS, rds_sign_ms()))
				return end_elsewhere(op, way, &v, err);
		}
		was_taken |= has_sign(op, way, &v);
		if (!was_taken && past > sign_limit_ms(op, way))
			return fail_calm(op, way, &v, err);
		if (past > LIMIT_MS)
			return error_set(err, ERR_TIMEOUT, "%s %s: %s, %s", rds_ha_name(op),
			    told.us ? "has failed over, and no server takes writes there" :
			              "has not failed over",
			    v.status, v.events.text);
		op_progress(op, -1, "%s%s%s", v.status, *v.events.text ? "; " : "", v.events.text);
		if (!op_wait_ms(op, rds_poll_ms(), err))
			return false;
	}
}
