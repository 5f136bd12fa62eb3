#include "config.h"

#include "app/job_index.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "app/effect.h"
#include "app/targets.h"
#include "base/clock.h"
#include "base/fmt.h"
#include "base/log.h"
#include "base/strbuf.h"
#include "pg/job.h"
#include "pg/sync.h"

enum {
	TICK_MS = 1000,
	LOOK_MS = 5000,
	LOCK_MS = 5000, /* for the short locks on the parents of partitions */
	REACH_TRIES = 60,
	MAX_OUTPUT = 16 << 10,
};

struct index_job {
	struct journal *j;
	int64_t id;
	const char *conninfo, *password, *database, *statement, *schema, *name;
	const struct json *request;
	struct pg_sync *look; /* NULL: lost, or not yet there */
	struct strbuf output;
	struct strbuf cleaned; /* what was done after a failure */
	struct mono begin;
	char last[256]; /* progress in the journal */
	int part, parts;
};

static volatile sig_atomic_t stopped;

static void
on_signal(int sig)
{
	(void)sig;
	stopped = 1;
}

static const char *
member(const struct index_job *k, const char *key)
{
	return json_text(json_get(k->request, key));
}

/* Rows of a query, connecting again where the connection was lost; tries 1: at once or not. */
static struct rowset *
look(struct index_job *k, const char *query, const char *const *params, int n, int tries)
{
	for (int i = 0; i < tries; i++) {
		struct error err = { 0 };
		struct rowset *rows;

		if (i)
			nanosleep(&(struct timespec){ .tv_sec = 1 }, NULL);
		if (!k->look) {
			struct arena arena = { 0 };
			struct error ignored = { 0 };
			const char *where =
			    conninfo_with(&arena, k->conninfo, "dbname", k->database);

			k->look = pg_sync_open(where, k->password, &ignored);
			arena_release(&arena);
		}
		rows = k->look ? pg_sync_run(k->look, query, params, n, LOOK_MS, &err) : NULL;
		if (rows)
			return rows;
		pg_sync_close(k->look);
		k->look = NULL;
	}
	return NULL;
}

static struct rowset *
look_made(struct index_job *k, const char *schema, const char *name, int tries)
{
	const char *params[] = { schema, name };

	return look(k, "look_made_index", params, 2, tries);
}

/* ------------------------------------------------------------------ progress */

static void
progress_words(struct index_job *k, const struct rowset *rows, struct strbuf *sb)
{
	const struct cell *phase = rowset_get(rows, 0, "phase");
	const struct cell *pct = rowset_get(rows, 0, "pct");
	const struct cell *locker = rowset_get(rows, 0, "locker");
	const struct cell *who = rowset_get(rows, 0, "locker_text");
	const struct cell *waiting = rowset_get(rows, 0, "waiting");

	if (k->parts)
		strbuf_addf(sb, "partition %d of %d: ", k->part, k->parts);
	if (phase->type == CELL_TEXT)
		strbuf_addf(sb, "%.*s", (int)phase->len, phase->s);
	if (!cell_is_null(pct))
		strbuf_addf(sb, " %.0f %%", pct->f);
	if (!cell_is_null(locker))
		strbuf_addf(sb, ", waits for pid %lld%s%.*s%s", (long long)locker->i,
		    who->type == CELL_TEXT ? " (" : "", who->type == CELL_TEXT ? (int)who->len : 0,
		    who->type == CELL_TEXT ? who->s : "", who->type == CELL_TEXT ? ")" : "");
	else if (waiting->type == CELL_TEXT && waiting->len)
		strbuf_addf(
		    sb, "%swaits for pid %.*s", sb->len ? ", " : "", (int)waiting->len, waiting->s);
}

/* Where the build stands, into the journal, for jobs and whoever looks. */
static void
tick(void *arg, int pid)
{
	struct index_job *k = arg;
	struct strbuf sb = STRBUF_INIT(sizeof(k->last) - 1);
	char number[16];
	const char *params[] = { number };
	struct error err = { 0 };
	struct rowset *rows;

	snprintf(number, sizeof(number), "%d", pid);
	rows = look(k, "look_index_progress", params, 1, 1);
	if (rows && rows->nrows == 1)
		progress_words(k, rows, &sb);
	rowset_unref(rows);
	if (sb.len && strcmp(sb.buf, k->last) != 0) {
		snprintf(k->last, sizeof(k->last), "%s", sb.buf);
		if (!journal_update(k->j, k->id, JOURNAL_RUNNING, k->last, (int)getpid(), &err))
			log_error("job", "%lld: %s", (long long)k->id, err.what);
	}
	strbuf_release(&sb);
}

static bool
run(struct index_job *k, const char *statement, int lock_ms, struct error *err)
{
	struct job_watch watch = { k, TICK_MS, tick, &stopped };
	int warnings = 0;

	if (stopped)
		return error_set(err, ERR_STATE, "it was stopped");
	return job_watched(k->conninfo, k->password, k->database, statement, lock_ms, &watch,
	    &k->output, &warnings, err);
}

/* ------------------------------------------------------------------ after a failure */

/*
 * The index as it is once nobody builds it: where the connection was lost, the server may still be
 * at work on what it was told, or somebody else is.
 */
static struct rowset *
look_settled(struct index_job *k, const char *schema, const char *name)
{
	struct rowset *rows = look_made(k, schema, name, REACH_TRIES);

	while (
	    rows && rows->nrows > 0 && !cell_is_null(rowset_get(rows, 0, "builder")) && !stopped) {
		tick(k, (int)cell_i64(rowset_get(rows, 0, "builder"), 0));
		nanosleep(&(struct timespec){ .tv_sec = 1 }, NULL);
		rowset_unref(rows);
		rows = look_made(k, schema, name, REACH_TRIES);
	}
	return rows;
}

/* Drop what a build has left behind; what cannot be dropped is said with the command. */
static void
clean(struct index_job *k, const char *schema, const char *name, bool only_invalid)
{
	struct rowset *rows = look_settled(k, schema, name);
	struct job_watch watch = { k, TICK_MS, tick, NULL };
	const struct cell *statement;
	struct error err = { 0 };
	char *text;
	int warnings;

	if (!rows) {
		strbuf_addf(&k->cleaned,
		    "\nthe server cannot be reached: an invalid index %s.%s may be left, see the indexes pane",
		    schema, name);
		return;
	}
	if (rows->nrows == 0 || (only_invalid && cell_i64(rowset_get(rows, 0, "is_valid"), 0))) {
		rowset_unref(rows);
		return;
	}
	if (!cell_is_null(rowset_get(rows, 0, "builder"))) {
		strbuf_addf(&k->cleaned,
		    "\nsession %lld is still at work on %s.%s: look at it when that has ended",
		    (long long)cell_i64(rowset_get(rows, 0, "builder"), 0), schema, name);
		rowset_unref(rows);
		return;
	}
	statement = rowset_get(rows, 0, "statement");
	text = xstrndup(statement->s, statement->len);
	if (job_watched(k->conninfo, k->password, k->database, text, 0, &watch, &k->output,
	        &warnings, &err))
		strbuf_addf(&k->cleaned, "\nthe invalid index %s.%s it left is dropped again",
		    schema, name);
	else
		strbuf_addf(&k->cleaned,
		    "\nthe invalid index %s.%s is left and could not be dropped: %s\nHINT: %s",
		    schema, name, err.what, text);
	free(text);
	rowset_unref(rows);
}

/* ------------------------------------------------------------------ create */

/* Is it there, and may queries use it? */
static bool
is_valid(
    struct index_job *k, const char *schema, const char *name, double *bytes, struct error *err)
{
	struct rowset *rows = look_settled(k, schema, name);
	bool ok = false;

	if (!rows)
		error_set(err, ERR_LOST, "the server cannot be asked whether the index is valid");
	else if (rows->nrows != 1)
		error_set(err, ERR_STATE, "there is no index %s.%s afterwards", schema, name);
	else if (!cell_i64(rowset_get(rows, 0, "is_valid"), 0))
		error_set(err, ERR_STATE, "the index %s.%s is not valid", schema, name);
	else
		ok = true;
	if (ok)
		*bytes = cell_num(rowset_get(rows, 0, "bytes"), 0);
	rowset_unref(rows);
	return ok;
}

/* What bears the name now is not ours, and must not be cleaned away. */
static bool
is_free(struct index_job *k, const char *schema, const char *name, struct error *err)
{
	struct rowset *rows = look_made(k, schema, name, 1);
	bool ok = rows && rows->nrows == 0;

	if (!rows)
		error_set(err, ERR_CONNECT, "the server cannot be reached");
	else if (!ok)
		error_set(err, ERR_STATE, "there is an index %s.%s already", schema, name);
	rowset_unref(rows);
	return ok;
}

static bool
create_one(struct index_job *k, double *bytes, struct error *err)
{
	if (!is_free(k, k->schema, k->name, err))
		return false;
	if (run(k, k->statement, 0, err)) {
		if (is_valid(k, k->schema, k->name, bytes, err))
			return true;
	} else if (err->code == ERR_LOST && !stopped) {
		struct error later = { 0 };

		/* the server builds on without us, and it may come to a good end */
		if (is_valid(k, k->schema, k->name, bytes, &later))
			return true;
	}
	/* Somebody else's relation of that name is no leftover. */
	if (strcmp(err->sqlstate, "42P07") != 0)
		clean(k, k->schema, k->name, true);
	return false;
}

static char *
text_of(const struct rowset *rows, int row, const char *column)
{
	const struct cell *c = rowset_get(rows, row, column);

	return c->type == CELL_TEXT ? xstrndup(c->s, c->len) : NULL;
}

/* Run the statement in a column of one step. */
static bool
run_step(struct index_job *k, const struct rowset *steps, int i, const char *column, int lock_ms,
    struct error *err)
{
	char *statement = text_of(steps, i, column);
	bool ok = !statement || run(k, statement, lock_ms, err);

	free(statement);
	return ok;
}

static bool
build_step(struct index_job *k, const struct rowset *steps, int i, struct error *err)
{
	bool is_leaf = cell_i64(rowset_get(steps, i, "is_leaf"), 0) != 0;
	char *schema = text_of(steps, i, "schema"), *name = text_of(steps, i, "index_name");
	double bytes;
	bool ok = is_free(k, schema, name, err) &&
	    run_step(k, steps, i, "statement", is_leaf ? 0 : LOCK_MS, err) &&
	    (!is_leaf || is_valid(k, schema, name, &bytes, err));

	k->part += is_leaf;
	free(schema);
	free(name);
	return ok;
}

/* Parents first: dropping the topmost takes along what is attached to it. */
static void
clean_steps(struct index_job *k, const struct rowset *steps, int made)
{
	for (int i = 0; i < made; i++) {
		char *schema = text_of(steps, i, "schema"), *name = text_of(steps, i, "index_name");

		clean(k, schema, name, false);
		free(schema);
		free(name);
	}
}

static bool
create_parts(struct index_job *k, double *bytes, struct error *err)
{
	const char *params[] = { member(k, "relid"), k->name, member(k, "tail"),
		member(k, "unique") };
	struct rowset *steps = look(k, "look_create_parts", params, 4, 1);
	int made = 0;
	bool ok = steps != NULL;

	if (!ok)
		return error_set(err, ERR_LOST, "the partitions cannot be read");
	for (int i = 0; i < steps->nrows; i++)
		k->parts += cell_i64(rowset_get(steps, i, "is_leaf"), 0) != 0;
	k->part = 1;
	while (ok && made < steps->nrows) {
		ok = build_step(k, steps, made, err);
		/* Where the name was taken there is nothing of ours. */
		made += ok || (err->code != ERR_STATE && strcmp(err->sqlstate, "42P07") != 0);
		if (!ok)
			break;
	}
	for (int i = steps->nrows - 1; ok && i >= 0; i--)
		ok = run_step(k, steps, i, "attach", LOCK_MS, err);
	ok = ok && is_valid(k, k->schema, k->name, bytes, err);
	if (!ok)
		clean_steps(k, steps, made);
	rowset_unref(steps);
	return ok;
}

static bool
create(struct index_job *k, struct strbuf *detail, struct error *err)
{
	double bytes = 0;
	char size[32], span[32];

	if (!(member(k, "parts") ? create_parts(k, &bytes, err) : create_one(k, &bytes, err)))
		return false;
	strbuf_addf(detail, "%s.%s is valid: %s in %s\nundo: %s", k->schema, k->name,
	    fmt_bytes(size, sizeof(size), bytes),
	    fmt_span(span, sizeof(span), mono_since_ms(mono_now(), k->begin) / 1000.0),
	    member(k, "undo"));
	effect_begin(k->look, k->id, k->request, detail);
	return true;
}

/* ------------------------------------------------------------------ drop */

/* The plan's guards once more: it may have become a constraint, or the last index of a foreign key.
 */
static bool
may_still(struct index_job *k, const struct rowset *rows, struct error *err)
{
	static const char *const guards[] = { "refused", "careful" };

	if (rows->nrows != 1)
		return error_set(err, ERR_NOT_FOUND,
		    "%s.%s is not there any more, or another one since the plan", k->schema,
		    k->name);
	for (size_t i = 0; i < ARRAY_LEN(guards); i++) {
		const struct cell *c = rowset_get(rows, 0, guards[i]);

		if (c->type == CELL_TEXT && (i == 0 || !member(k, "force")))
			return error_set(err, ERR_REFUSED, "%s.%s is not dropped: %.*s", k->schema,
			    k->name, (int)c->len, c->s);
	}
	return true;
}

/* A drop that failed half-way leaves an index that is invalid: writes keep it up, so it goes. */
static bool
drop(struct index_job *k, struct strbuf *detail, struct error *err)
{
	const char *params[] = { k->schema, k->name, member(k, "relid") };
	struct rowset *rows = look(k, "look_drop_index", params, 3, 1);
	struct rowset *after = NULL;
	bool ok = rows ? may_still(k, rows, err) :
	                 error_set(err, ERR_CONNECT, "the server cannot be reached");

	rowset_unref(rows);
	if (!ok)
		return false;
	ok = run(k, k->statement, 0, err);
	if (!ok)
		clean(k, k->schema, k->name, true);
	after = look_made(k, k->schema, k->name, REACH_TRIES);
	if (ok && after && after->nrows > 0)
		ok = error_set(err, ERR_STATE, "%s.%s is still there", k->schema, k->name);
	ok = ok || (after && after->nrows == 0);
	rowset_unref(after);
	if (ok)
		strbuf_addf(detail, "%s.%s is dropped\nundo: %s", k->schema, k->name,
		    member(k, "undo") ? member(k, "undo") : "-");
	return ok;
}

void
index_job(struct journal *j, int64_t id, const struct json *request)
{
	struct index_job k = {
		.j = j,
		.id = id,
		.request = request,
		.output = STRBUF_INIT(MAX_OUTPUT),
		.cleaned = STRBUF_INIT(MAX_OUTPUT),
		.begin = mono_now(),
	};
	struct strbuf detail = STRBUF_INIT(3 * MAX_OUTPUT);
	struct error err = { 0 }, log_err = { 0 };
	bool ok;

	k.conninfo = member(&k, "conninfo") ? member(&k, "conninfo") : "";
	k.password = member(&k, "password");
	k.database = member(&k, "database");
	k.statement = member(&k, "statement");
	k.schema = member(&k, "schema");
	k.name = member(&k, "name");
	signal(SIGTERM, on_signal);
	signal(SIGINT, on_signal);
	if (!k.statement || !k.schema || !k.name || !member(&k, "relid"))
		ok = error_set(&err, ERR_PROTOCOL, "the request of the job is not complete");
	else if (strcmp(member(&k, "kind"), "create index") == 0)
		ok = create(&k, &detail, &err);
	else
		ok = drop(&k, &detail, &err);
	if (!ok) {
		strbuf_clear(&detail);
		strbuf_addf(&detail, "%s%s", err.what, k.cleaned.buf);
		if (*err.hint)
			strbuf_addf(&detail, "\nHINT: %s", err.hint);
	}
	if (k.output.len)
		strbuf_addf(&detail, "\n%s", k.output.buf);
	if (!journal_update(j, id, ok ? JOURNAL_DONE : JOURNAL_FAILED, detail.buf, 0, &log_err))
		log_error("job", "%lld: %s", (long long)id, log_err.what);
	pg_sync_close(k.look);
	strbuf_release(&k.output);
	strbuf_release(&k.cleaned);
	strbuf_release(&detail);
}
