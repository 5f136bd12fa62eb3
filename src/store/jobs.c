#include "config.h"

#include "store/jobs.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/strbuf.h"
#include "store/chain.h"
#include "store/journal_priv.h"

static const char *const step_names[] = {
	[JOB_STEP_DOING] = "doing",
	[JOB_STEP_DONE] = "done",
	[JOB_STEP_FAILED] = "failed",
};

/* What a statement's parameters are made of: exactly one of text and a number. */
struct param {
	bool is_number;
	const char *text; /* NULL: "" */
	int64_t number;
};
#define TEXT(s)   ((struct param){ false, (s), 0 })
#define NUMBER(n) ((struct param){ true, NULL, (n) })
#define PARAMS(...)                            \
	(const struct param[]){ __VA_ARGS__ }, \
	    (int)(sizeof((const struct param[]){ __VA_ARGS__ }) / sizeof(struct param))

static sqlite3_stmt *
prepare(struct journal *j, const char *sql, const struct param *params, int n)
{
	sqlite3_stmt *st = NULL;

	if (sqlite3_prepare_v2(j->db, sql, -1, &st, NULL) != SQLITE_OK)
		return NULL;
	for (int i = 0; i < n; i++) {
		struct strbuf clean = STRBUF_INIT(1 << 20);

		if (params[i].is_number) {
			sqlite3_bind_int64(st, i + 1, params[i].number);
			continue;
		}
		redact(&clean, params[i].text ? params[i].text : "");
		sqlite3_bind_text(st, i + 1, clean.buf, (int)clean.len, SQLITE_TRANSIENT);
		strbuf_release(&clean);
	}
	return st;
}

/* A statement without rows; changes: how many it touched, may be NULL. */
static bool
change(struct journal *j, const char *sql, const struct param *params, int n, int *changes,
    struct error *err)
{
	sqlite3_stmt *st = prepare(j, sql, params, n);
	bool ok = st && sqlite3_step(st) == SQLITE_DONE;

	if (!ok)
		journal_fail(j, err, "written");
	else if (changes)
		*changes = sqlite3_changes(j->db);
	sqlite3_finalize(st);
	return ok;
}

/* `ok` is what was done in the transaction; with its chained line it is kept. */
static bool
chained(struct journal *j, bool ok, int64_t job, const char *event, const char *name,
    const char *text, struct error *err)
{
	return journal_atomic_end(
	    j, ok && journal_chain(j, &(struct chain_event){ job, event, name, text }, err), err);
}

static const char *
column(sqlite3_stmt *st, int col, struct arena *arena)
{
	const char *s = (const char *)sqlite3_column_text(st, col);

	return arena_strdup(arena, s ? s : "");
}

/* ------------------------------------------------------------------ the job */

bool
jobs_create(struct journal *j, const struct job_row *row, struct error *err)
{
	return journal_atomic(j, err) &&
	    chained(j,
	        change(j, "INSERT INTO jobs (act, kind, plan_hash, plan) VALUES (?, ?, ?, ?)",
	            PARAMS(NUMBER(row->id), TEXT(row->kind), TEXT(row->plan_hash), TEXT(row->plan)),
	            NULL, err),
	        row->id, "plan", row->kind, row->plan, err);
}

int
jobs_begin(struct journal *j, struct journal_act *act, struct job_row *row, struct error *err)
{
	int lock = -1;
	bool ok;

	if (!journal_atomic(j, err))
		return -1;
	ok = journal_begin(j, act, err);
	row->id = act->id;
	ok = ok && jobs_create(j, row, err);
	/* Before anybody can see it: a job without its lock would be a lost one. */
	lock = ok ? journal_lock_take(row->id, err) : -1;
	if (journal_atomic_end(j, lock >= 0, err))
		return lock;
	journal_lock_drop(row->id, lock);
	return -1;
}

bool
jobs_again(struct journal *j, int64_t id, const char *why, struct error *err)
{
	int changes = 0;
	bool ok = journal_atomic(j, err);

	if (!ok)
		return false;
	ok = change(j,
	    "UPDATE acts SET state = 'planned', finished_at = NULL, pid = 0"
	    " WHERE id = ? AND finished_at IS NOT NULL AND NOT (? = 'resume' AND state = 'done')",
	    PARAMS(NUMBER(id), TEXT(why)), &changes, err);
	if (ok && changes == 0)
		ok = error_set(
		    err, ERR_STATE, "job %lld is under way, or done by now", (long long)id);
	ok = ok &&
	    change(j, "UPDATE jobs SET cancelled = 0, error = '', progress = '' WHERE act = ?",
	        PARAMS(NUMBER(id)), NULL, err);
	return chained(j, ok, id, "state", why, "its process begins again", err);
}

bool
jobs_get(struct journal *j, int64_t id, struct arena *arena, struct job_row *out, struct error *err)
{
	sqlite3_stmt *st = prepare(j,
	    "SELECT act, kind, plan_hash, plan, progress, heartbeat, cancelled, result, error"
	    " FROM jobs WHERE act = ?",
	    PARAMS(NUMBER(id)));
	int rc = st ? sqlite3_step(st) : SQLITE_ERROR;

	if (rc == SQLITE_ROW)
		*out = (struct job_row){
			.id = sqlite3_column_int64(st, 0),
			.kind = column(st, 1, arena),
			.plan_hash = column(st, 2, arena),
			.plan = column(st, 3, arena),
			.progress = column(st, 4, arena),
			.heartbeat.us = sqlite3_column_int64(st, 5),
			.is_cancelled = sqlite3_column_int(st, 6) != 0,
			.result = column(st, 7, arena),
			.error = column(st, 8, arena),
		};
	else if (rc == SQLITE_DONE)
		error_set(err, ERR_NOT_FOUND, "there is no job %lld of steps", (long long)id);
	else
		journal_fail(j, err, "read");
	sqlite3_finalize(st);
	return rc == SQLITE_ROW;
}

int
jobs_latest(struct journal *j, const char *target, const char *kind, int64_t *ids, int max,
    struct error *err)
{
	sqlite3_stmt *st = prepare(j,
	    "SELECT a.id FROM acts a JOIN jobs b ON b.act = a.id"
	    " WHERE a.target = ? AND b.kind = ? AND a.state = 'done' ORDER BY a.id DESC LIMIT ?",
	    PARAMS(TEXT(target), TEXT(kind), NUMBER(max)));
	int n = 0, status = SQLITE_DONE;

	while (st && n < max && (status = sqlite3_step(st)) == SQLITE_ROW)
		ids[n++] = sqlite3_column_int64(st, 0);
	sqlite3_finalize(st);
	if (!st || (status != SQLITE_DONE && status != SQLITE_ROW))
		journal_fail(j, err, "read");
	return n;
}

bool
jobs_last(struct journal *j, const char *target, const char *kind, int64_t *id, struct error *err)
{
	sqlite3_stmt *st = prepare(j,
	    "SELECT coalesce(max(a.id), 0) FROM acts a JOIN jobs b ON b.act = a.id"
	    " WHERE a.target = ? AND b.kind = ? AND a.state = 'done'",
	    PARAMS(TEXT(target), TEXT(kind)));
	bool ok = st && sqlite3_step(st) == SQLITE_ROW;

	*id = ok ? sqlite3_column_int64(st, 0) : 0;
	sqlite3_finalize(st);
	return ok || journal_fail(j, err, "read");
}

void
jobs_beat(struct journal *j, int64_t id, const char *progress)
{
	struct error err = { 0 };

	if (!change(j, "UPDATE jobs SET progress = ?, heartbeat = ? WHERE act = ?",
	        PARAMS(TEXT(progress), NUMBER(wall_now().us), NUMBER(id)), NULL, &err))
		log_warn("job", "%lld: %s", (long long)id, err.what);
}

bool
jobs_cancel(struct journal *j, int64_t id, struct error *err)
{
	int changes = 0;
	bool ok = journal_atomic(j, err);

	if (!ok)
		return false;
	ok = change(j,
	    "UPDATE jobs SET cancelled = 1 WHERE act = (SELECT id FROM acts WHERE id = ? AND"
	    " finished_at IS NULL)",
	    PARAMS(NUMBER(id)), &changes, err);
	if (ok && changes == 0)
		ok = error_set(err, ERR_STATE, "there is no job %lld under way", (long long)id);
	return chained(j, ok, id, "state", "cancel", "asked to stop", err);
}

bool
jobs_is_cancelled(struct journal *j, int64_t id)
{
	sqlite3_stmt *st =
	    prepare(j, "SELECT cancelled FROM jobs WHERE act = ?", PARAMS(NUMBER(id)));
	bool is = st && sqlite3_step(st) == SQLITE_ROW && sqlite3_column_int(st, 0) != 0;

	sqlite3_finalize(st);
	return is;
}

bool
jobs_end(struct journal *j, int64_t id, const char *result, const char *error, struct error *err)
{
	bool has_error = error && *error;

	return journal_atomic(j, err) &&
	    chained(j,
	        change(j, "UPDATE jobs SET result = ?, error = ?, heartbeat = ? WHERE act = ?",
	            PARAMS(TEXT(result), TEXT(error), NUMBER(wall_now().us), NUMBER(id)), NULL,
	            err),
	        id, "result", has_error ? "error" : "", has_error ? error : result, err);
}

/* ------------------------------------------------------------------ steps */

bool
jobs_step(struct journal *j, int64_t id, const char *name, enum job_step_state state,
    const char *detail, struct error *err)
{
	static const char begin[] =
	    "INSERT INTO job_steps (job, name, state, detail, began_at) VALUES (?, ?, ?, ?, ?)"
	    " ON CONFLICT (job, name) DO UPDATE SET state = excluded.state,"
	    " detail = excluded.detail, began_at = excluded.began_at, ended_at = 0";
	static const char end[] = "UPDATE job_steps SET state = ?, detail = ?, ended_at = ?"
	                          " WHERE job = ? AND name = ?";
	const struct param text = TEXT(step_names[state]);
	const int64_t now = wall_now().us;
	struct strbuf line = STRBUF_INIT(64 << 10);
	bool ok;

	strbuf_addf(&line, "%s%s%s", step_names[state], detail && *detail ? ": " : "",
	    detail ? detail : "");
	ok = journal_atomic(j, err);
	if (ok && state == JOB_STEP_DOING)
		ok = chained(j,
		    change(j, begin,
		        PARAMS(NUMBER(id), TEXT(name), text, TEXT(detail), NUMBER(now)), NULL, err),
		    id, "step", name, line.buf, err);
	else if (ok)
		ok = chained(j,
		    change(j, end, PARAMS(text, TEXT(detail), NUMBER(now), NUMBER(id), TEXT(name)),
		        NULL, err),
		    id, "step", name, line.buf, err);
	strbuf_release(&line);
	return ok;
}

static enum job_step_state
step_state(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(step_names); i++)
		if (strcmp(step_names[i], name) == 0)
			return (enum job_step_state)i;
	return JOB_STEP_DOING; /* of a newer program: looked at again */
}

bool
jobs_steps(struct journal *j, int64_t id, struct arena *arena, struct job_step_row **steps, int *n,
    struct error *err)
{
	enum { MOST = 256 };
	sqlite3_stmt *st = prepare(j,
	    "SELECT name, state, detail, began_at, ended_at FROM job_steps WHERE job = ?"
	    " ORDER BY began_at, rowid LIMIT 256",
	    PARAMS(NUMBER(id)));
	int rc = SQLITE_ERROR;

	*n = 0;
	*steps = arena_zalloc(arena, MOST, sizeof(**steps));
	while (st && *n < MOST && (rc = sqlite3_step(st)) == SQLITE_ROW)
		(*steps)[(*n)++] = (struct job_step_row){
			.name = column(st, 0, arena),
			.state = step_state(column(st, 1, arena)),
			.detail = column(st, 2, arena),
			.began_at.us = sqlite3_column_int64(st, 3),
			.ended_at.us = sqlite3_column_int64(st, 4),
		};
	if (rc != SQLITE_DONE && rc != SQLITE_ROW)
		journal_fail(j, err, "read");
	sqlite3_finalize(st);
	return rc == SQLITE_DONE || rc == SQLITE_ROW;
}

/* ------------------------------------------------------------------ facts */

bool
jobs_fact_set(struct journal *j, int64_t id, const char *name, const char *value, struct error *err)
{
	return journal_atomic(j, err) &&
	    chained(j,
	        change(j,
	            "INSERT INTO job_facts (job, name, value) VALUES (?, ?, ?)"
	            " ON CONFLICT (job, name) DO UPDATE SET value = excluded.value",
	            PARAMS(NUMBER(id), TEXT(name), TEXT(value)), NULL, err),
	        id, "fact", name, value, err);
}

const char *
jobs_fact(struct journal *j, int64_t id, const char *name, struct arena *arena, struct error *err)
{
	sqlite3_stmt *st = prepare(j, "SELECT value FROM job_facts WHERE job = ? AND name = ?",
	    PARAMS(NUMBER(id), TEXT(name)));
	int rc = st ? sqlite3_step(st) : SQLITE_ERROR;
	const char *value = rc == SQLITE_ROW ? column(st, 0, arena) : NULL;

	if (rc != SQLITE_ROW && rc != SQLITE_DONE)
		journal_fail(j, err, "read");
	sqlite3_finalize(st);
	return value;
}

bool
jobs_facts(struct journal *j, int64_t id, struct arena *arena, struct job_fact **facts, int *n,
    struct error *err)
{
	enum { MOST = 256 };
	sqlite3_stmt *st =
	    prepare(j, "SELECT name, value FROM job_facts WHERE job = ? ORDER BY name LIMIT 256",
	        PARAMS(NUMBER(id)));
	int rc = SQLITE_ERROR;

	*n = 0;
	*facts = arena_zalloc(arena, MOST, sizeof(**facts));
	while (st && *n < MOST && (rc = sqlite3_step(st)) == SQLITE_ROW)
		(*facts)[(*n)++] = (struct job_fact){ column(st, 0, arena), column(st, 1, arena) };
	if (rc != SQLITE_DONE && rc != SQLITE_ROW)
		journal_fail(j, err, "read");
	sqlite3_finalize(st);
	return rc == SQLITE_DONE || rc == SQLITE_ROW;
}

/* ------------------------------------------------------------------ leftovers */

bool
jobs_leave(struct journal *j, int64_t job, const char *kind, const char *what, const char *args,
    int64_t *id, struct error *err)
{
	bool ok = journal_atomic(j, err);

	if (!ok)
		return false;
	ok = change(j, "INSERT INTO leftovers (job, kind, what, args, at) VALUES (?, ?, ?, ?, ?)",
	    PARAMS(NUMBER(job), TEXT(kind), TEXT(what), TEXT(args), NUMBER(wall_now().us)), NULL,
	    err);
	*id = sqlite3_last_insert_rowid(j->db);
	return chained(j, ok, job, "leftover", kind, what, err);
}

bool
jobs_settle(struct journal *j, int64_t id, struct error *err)
{
	char number[32];

	snprintf(number, sizeof(number), "%lld", (long long)id);
	return journal_atomic(j, err) &&
	    chained(j,
	        change(j, "UPDATE leftovers SET settled_at = ? WHERE id = ?",
	            PARAMS(NUMBER(wall_now().us), NUMBER(id)), NULL, err),
	        0, "settled", "leftover", number, err);
}

bool
jobs_step_end(struct journal *j, int64_t id, const char *name, enum job_step_state state,
    const char *detail, const int64_t *settled, int n, struct error *err)
{
	bool ok = journal_atomic(j, err);

	if (!ok)
		return false;
	for (int i = 0; i < n && ok; i++)
		ok = jobs_settle(j, settled[i], err);
	return journal_atomic_end(j, ok && jobs_step(j, id, name, state, detail, err), err);
}

bool
jobs_leftovers(struct journal *j, int64_t job, struct arena *arena, struct job_leftover **items,
    int *n, struct error *err)
{
	enum { MOST = 256 };
	sqlite3_stmt *st = prepare(j,
	    "SELECT l.id, l.job, a.target, l.kind, l.what, l.args, l.at FROM leftovers l"
	    " JOIN acts a ON a.id = l.job WHERE l.settled_at IS NULL AND ? IN (0, l.job)"
	    " ORDER BY l.id DESC LIMIT 256",
	    PARAMS(NUMBER(job)));
	int rc = SQLITE_ERROR;

	*n = 0;
	*items = arena_zalloc(arena, MOST, sizeof(**items));
	while (st && *n < MOST && (rc = sqlite3_step(st)) == SQLITE_ROW)
		(*items)[(*n)++] = (struct job_leftover){
			.id = sqlite3_column_int64(st, 0),
			.job = sqlite3_column_int64(st, 1),
			.target = column(st, 2, arena),
			.kind = column(st, 3, arena),
			.what = column(st, 4, arena),
			.args = column(st, 5, arena),
			.at.us = sqlite3_column_int64(st, 6),
		};
	if (rc != SQLITE_DONE && rc != SQLITE_ROW)
		journal_fail(j, err, "read");
	sqlite3_finalize(st);
	return rc == SQLITE_DONE || rc == SQLITE_ROW;
}

/* ------------------------------------------------------------------ what is to be looked after */

bool
jobs_list(
    struct journal *j, struct arena *arena, struct journal_act **acts, int *n, struct error *err)
{
	enum { MOST = 200 };
	sqlite3_stmt *st = prepare(j,
	    "SELECT id FROM acts WHERE finished_at IS NULL"
	    " UNION SELECT a.id FROM acts a JOIN jobs k ON k.act = a.id WHERE a.state = 'lost'"
	    " UNION SELECT job FROM leftovers WHERE settled_at IS NULL"
	    " ORDER BY 1 DESC LIMIT 200",
	    NULL, 0);
	int rc = SQLITE_ERROR;
	bool ok = true;

	*n = 0;
	*acts = arena_zalloc(arena, MOST, sizeof(**acts));
	while (st && ok && *n < MOST && (rc = sqlite3_step(st)) == SQLITE_ROW)
		ok = journal_get(j, sqlite3_column_int64(st, 0), arena, &(*acts)[(*n)++], err);
	if (ok && rc != SQLITE_DONE && rc != SQLITE_ROW)
		ok = journal_fail(j, err, "read");
	sqlite3_finalize(st);
	return ok;
}

/* ------------------------------------------------------------------ lease, verified */

bool
jobs_lease(struct journal *j, const char *target, int64_t job, struct error *err)
{
	sqlite3_stmt *st = NULL;
	int64_t holder = 0;
	bool ok;

	if (!journal_atomic(j, err))
		return false;
	st = prepare(j, "SELECT job FROM leases WHERE target = ?", PARAMS(TEXT(target)));
	if (st && sqlite3_step(st) == SQLITE_ROW)
		holder = sqlite3_column_int64(st, 0);
	sqlite3_finalize(st);
	if (holder && holder != job && journal_lock_held(holder)) {
		error_set(err, ERR_STATE, "job %lld is acting on %s", (long long)holder, target);
		error_hint(
		    err, "One job at a time acts on a target: see `job %lld`.", (long long)holder);
		ok = false;
	} else {
		ok = change(j,
		    "INSERT INTO leases (target, job) VALUES (?, ?)"
		    " ON CONFLICT (target) DO UPDATE SET job = excluded.job",
		    PARAMS(TEXT(target), NUMBER(job)), NULL, err);
	}
	return journal_atomic_end(j, ok, err);
}

bool
jobs_verified_set(
    struct journal *j, const char *target, const struct job_verified *v, struct error *err)
{
	char rto[32], rpo[32];

	snprintf(rto, sizeof(rto), "%.3f", v->rto_s);
	snprintf(rpo, sizeof(rpo), "%.3f", v->rpo_s);
	return change(j,
	    "INSERT INTO verified (target, snapshot, at, passed, rto_s, rpo_s)"
	    " VALUES (?, ?, ?, ?, nullif(?, 'nan') + 0.0, nullif(?, 'nan') + 0.0)"
	    " ON CONFLICT (target, snapshot) DO UPDATE SET at = excluded.at,"
	    " passed = excluded.passed, rto_s = excluded.rto_s, rpo_s = excluded.rpo_s",
	    PARAMS(TEXT(target), TEXT(v->snapshot), NUMBER(v->at.us), NUMBER(v->passed), TEXT(rto),
	        TEXT(rpo)),
	    NULL, err);
}

static double
real_or_nan(sqlite3_stmt *st, int col)
{
	return sqlite3_column_type(st, col) == SQLITE_NULL ? NAN : sqlite3_column_double(st, col);
}

bool
jobs_verified(struct journal *j, const char *target, struct arena *arena,
    struct job_verified **items, int *n, struct error *err)
{
	enum { MOST = 1000 };
	sqlite3_stmt *st = prepare(j,
	    "SELECT snapshot, at, passed, rto_s, rpo_s FROM verified WHERE target = ?"
	    " ORDER BY at DESC LIMIT 1000",
	    PARAMS(TEXT(target)));
	int rc = SQLITE_ERROR;

	*n = 0;
	*items = arena_zalloc(arena, MOST, sizeof(**items));
	while (st && *n < MOST && (rc = sqlite3_step(st)) == SQLITE_ROW)
		(*items)[(*n)++] = (struct job_verified){
			.snapshot = column(st, 0, arena),
			.at.us = sqlite3_column_int64(st, 1),
			.passed = sqlite3_column_int(st, 2) != 0,
			.rto_s = real_or_nan(st, 3),
			.rpo_s = real_or_nan(st, 4),
		};
	if (rc != SQLITE_DONE && rc != SQLITE_ROW)
		journal_fail(j, err, "read");
	sqlite3_finalize(st);
	return rc == SQLITE_DONE || rc == SQLITE_ROW;
}

bool
jobs_point_set(struct journal *j, const char *target, const struct job_point *p, struct error *err)
{
	return change(j,
	    "INSERT OR REPLACE INTO points (target, name, lsn, timeline, at, label)"
	    " VALUES (?, ?, ?, ?, ?, ?)",
	    PARAMS(TEXT(target), TEXT(p->name), NUMBER(p->lsn), TEXT(p->timeline), NUMBER(p->at.us),
	        TEXT(p->label)),
	    NULL, err);
}

bool
jobs_point(struct journal *j, const char *target, const char *name, struct arena *arena,
    struct job_point *out, struct error *err)
{
	sqlite3_stmt *st = prepare(j,
	    "SELECT name, lsn, timeline, at, label FROM points WHERE target = ? AND name = ?",
	    PARAMS(TEXT(target), TEXT(name)));
	int rc = st ? sqlite3_step(st) : SQLITE_ERROR;

	if (rc == SQLITE_ROW)
		*out = (struct job_point){
			.name = column(st, 0, arena),
			.lsn = sqlite3_column_int64(st, 1),
			.timeline = column(st, 2, arena),
			.at.us = sqlite3_column_int64(st, 3),
			.label = column(st, 4, arena),
		};
	else if (rc == SQLITE_DONE)
		error_set(err, ERR_NOT_FOUND, "no restore point '%s' of %s is known", name, target);
	else
		journal_fail(j, err, "read");
	sqlite3_finalize(st);
	return rc == SQLITE_ROW;
}

bool
jobs_setting_set(
    struct journal *j, const char *target, const char *name, const char *value, struct error *err)
{
	return change(j,
	    "INSERT OR REPLACE INTO target_settings (target, name, value) VALUES (?, ?, ?)",
	    PARAMS(TEXT(target), TEXT(name), TEXT(value)), NULL, err);
}

const char *
jobs_setting(
    struct journal *j, const char *target, const char *name, struct arena *arena, struct error *err)
{
	sqlite3_stmt *st =
	    prepare(j, "SELECT value FROM target_settings WHERE target = ? AND name = ?",
	        PARAMS(TEXT(target), TEXT(name)));
	int rc = st ? sqlite3_step(st) : SQLITE_ERROR;
	const char *value = rc == SQLITE_ROW ? column(st, 0, arena) : rc == SQLITE_DONE ? "" : NULL;

	if (!value)
		journal_fail(j, err, "read");
	sqlite3_finalize(st);
	return value;
}
