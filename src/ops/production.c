#include "config.h"

#include "ops/production.h"

#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "ops/production_priv.h"
#include "store/jobs.h"

enum { VERIFY_DAYS = 30, DRILL_DAYS = 90, MANY_CONNECTIONS = 50, MAX_VERBS = 4 };

const char *
production_text(const struct production *p, const char *column)
{
	const struct cell *c = p->facts ? rowset_get(p->facts, 0, column) : NULL;

	return c && c->type == CELL_TEXT ? arena_strndup(p->arena, c->s, c->len) : "";
}

int64_t
production_int(const struct production *p, const char *column, int64_t other)
{
	return p->facts ? cell_i64(rowset_get(p->facts, 0, column), other) : other;
}

void
production_pooling(struct production *p, const char *proxy)
{
	int64_t now = production_int(p, "connections", -1);
	int64_t most = production_int(p, "max_connections", -1);
	bool has_pgbouncer = p->target->pgbouncer && *p->target->pgbouncer;

	if (proxy && *proxy)
		check_add(p->checks, "pooling", CHECK_OK, "the proxy %s is in front", proxy);
	else if (has_pgbouncer)
		check_add(p->checks, "pooling", CHECK_OK, "PgBouncer is in front");
	else if (!proxy)
		check_add(
		    p->checks, "pooling", CHECK_UNKNOWN, "whether a proxy is in front is unknown");
	else
		check_add(p->checks, "pooling", CHECK_WARN, "no pooler is known");
	if (now >= 0)
		check_evidence(
		    p->checks, "%lld of %lld connections", (long long)now, (long long)most);
	if (!has_pgbouncer && !(proxy && *proxy))
		check_remedy(p->checks, "%s",
		    now > MANY_CONNECTIONS ?
		        "Each connection is a process: put PgBouncer (or RDS Proxy, `proxy create`) between." :
		        "Set pgbouncer of the target where there is one (conninfo of its console).");
}

/* ------------------------------------------------------------------ what was tried */

static double
days_since(struct wall t)
{
	return (double)(wall_now().us - t.us) / 86400e6;
}

static void
check_verified(struct production *p, struct journal *j)
{
	struct job_verified *items = NULL;
	const struct job_verified *best = NULL, *last = NULL;
	struct error err = { 0 };
	int n = 0;

	if (!jobs_verified(j, p->target->name, p->arena, &items, &n, &err)) {
		check_add(p->checks, "verified_backup", CHECK_UNKNOWN, "%s", err.what);
		return;
	}
	for (int i = 0; i < n; i++) {
		if (!last || items[i].at.us > last->at.us)
			last = &items[i];
		if (items[i].passed && (!best || items[i].at.us > best->at.us))
			best = &items[i];
	}
	if (last && !last->passed)
		check_add(p->checks, "verified_backup", CHECK_FAIL,
		    "the last verification failed (%s)", last->snapshot);
	else if (!best)
		check_add(
		    p->checks, "verified_backup", CHECK_FAIL, "no backup was ever verified here");
	else
		check_add(p->checks, "verified_backup",
		    days_since(best->at) > VERIFY_DAYS ? CHECK_WARN : CHECK_OK,
		    "%s was restored and checked %.0f days ago", best->snapshot,
		    days_since(best->at));
	if (best && isfinite(best->rto_s))
		check_evidence(p->checks, "restored in %.0f s", best->rto_s);
	if (best && isfinite(best->rpo_s))
		check_evidence(p->checks, "it would lose %.0f s", best->rpo_s);
	if (!best || (last && !last->passed) || days_since(best->at) > VERIFY_DAYS)
		check_remedy(
		    p->checks, "`verify latest`: a backup that was never restored is a hope.");
}

static void
add_drill_evidence(struct production *p, const char *result)
{
	struct error unread = { 0 };
	struct json *o = *result ? json_parse(result, strlen(result), &unread) : NULL;
	double rto, rows;

	if (json_number(json_get(o, "rto_s"), &rto))
		check_evidence(p->checks, "it took %.1f s", rto);
	if (json_number(json_get(o, "rpo_rows"), &rows))
		check_evidence(p->checks, "%.0f rows were lost", rows);
	json_free(o);
}

static void
check_drill(struct production *p, struct journal *j)
{
	struct error err = { 0 };
	struct journal_act act = { 0 };
	struct job_row row = { .result = "" };
	int64_t id = 0;

	if (!jobs_last(j, p->target->name, "drill", &id, &err) ||
	    (id &&
	        (!journal_get(j, id, p->arena, &act, &err) ||
	            !jobs_get(j, id, p->arena, &row, &err)))) {
		check_add(p->checks, "drill", CHECK_UNKNOWN, "%s", err.what);
		return;
	}
	if (!id)
		check_add(p->checks, "drill", CHECK_FAIL, "no failover was ever rehearsed here");
	else
		check_add(p->checks, "drill",
		    days_since(act.finished_at) > DRILL_DAYS ? CHECK_WARN : CHECK_OK,
		    "a failover was rehearsed %.0f days ago", days_since(act.finished_at));
	if (id)
		add_drill_evidence(p, row.result);
	if (!id || days_since(act.finished_at) > DRILL_DAYS)
		check_remedy(p->checks, "`drill failover`, at a quiet hour, quarterly.");
}

static void
check_journal(struct production *p)
{
	struct error err = { 0 };
	struct journal *j = journal_open(&err);

	if (j) {
		check_verified(p, j);
		check_drill(p, j);
	} else {
		check_add(p->checks, "verified_backup", CHECK_UNKNOWN, "%s", err.what);
		check_add(p->checks, "drill", CHECK_UNKNOWN, "%s", err.what);
	}
	journal_close(j);
}

void
production_checks(const struct op_target *target, struct pg_sync *pg, struct checks *out)
{
	static const struct words no_words = { 0 };
	struct production p = { .target = target, .pg = pg, .checks = out, .arena = &out->arena };
	struct error unread = { 0 };

	if (pg)
		p.facts = pg_sync_run(pg, "look_production", NULL, 0, 5000, &unread);
	if (p.facts && p.facts->nrows != 1) {
		rowset_unref(p.facts);
		p.facts = NULL;
	}
	op_init(&p.op, target, &no_words, "doctor");
	if (op_provider_of(target) == PROVIDER_RDS)
		production_rds(&p);
	else
		production_local(&p);
	check_journal(&p);
	op_release(&p.op);
	rowset_unref(p.facts);
}
