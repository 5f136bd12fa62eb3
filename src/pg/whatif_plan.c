/*
 * Statements made ready and planned. Generic plans come from PREPARE and EXPLAIN EXECUTE under
 * force_generic_plan: values bound to parameters make a custom plan, and NULLs bound collapse it.
 * They are prepared anew each time, since a cached generic plan does not see the hypothetical set
 * change (and HypoPG's indexes vanish under it). Custom plans come from EXPLAIN with bound values.
 *
 * The first try of a statement parses it, asks for the types, prepares and explains it in one round
 * trip; after each complaint it is sent again with what was learned. Where the role may not change
 * what the statement changes, or the server refuses it otherwise, the SELECT that finds the same
 * rows is planned instead.
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/strbuf.h"
#include "pg/fault.h"
#include "pg/sqlrewrite.h"
#include "pg/sqltyped.h"
#include "pg/whatif_priv.h"

enum { MAX_SQL = 16 << 20, BATCH = 16, GRACE_MS = 3000, MAX_TRIES = 14 };
enum stage { AS_IS, AS_CTID, AS_ROW, STAGES };

struct attempt {
	struct whatif_job *job;
	struct arena *arena;
	const char *statement; /* taken out of its utility statement */
	struct sql_typed *typed;
	enum stage stage;
	bool is_active, no_pruning;
	char name[40];
	/* of the present try */
	const char *text;
	bool is_parsed, is_prepared;
	struct error error;
};

/* ------------------------------------------------------------------ types */

const struct whatif_type *
whatif_type(const struct whatif *w, uint32_t oid)
{
	for (int i = 0; i < w->ntypes; i++)
		if (w->types[i].oid == oid)
			return &w->types[i];
	return NULL;
}

static const char *
keep(struct whatif *w, const struct cell *c)
{
	return c->type == CELL_TEXT ? arena_strndup(&w->arena, c->s, c->len) : NULL;
}

/* Look up the types of n statements that are not known yet. */
static bool
learn_types(struct whatif *w, struct attempt *a, int n, struct error *err)
{
	struct strbuf oids = STRBUF_INIT(1 << 20);
	struct rowset *rows;
	const char *params[1];

	for (int i = 0; i < n; i++)
		for (int k = 0; a[i].is_parsed && k < a[i].job->statement.nparams; k++)
			if (!whatif_type(w, a[i].job->statement.types[k]))
				strbuf_addf(&oids, "%c%u", oids.len ? ',' : '{',
				    a[i].job->statement.types[k]);
	if (!oids.len) {
		strbuf_release(&oids);
		return true;
	}
	strbuf_addc(&oids, '}');
	params[0] = oids.buf;
	rows = whatif_query(w, "whatif_types", params, 1, err);
	strbuf_release(&oids);
	for (int i = 0; rows && i < rows->nrows; i++) {
		GROW(w->types, w->ntypes, w->types_cap);
		w->types[w->ntypes++] = (struct whatif_type){
			.oid = (uint32_t)cell_i64(rowset_get(rows, i, "oid"), 0),
			.name = keep(w, rowset_get(rows, i, "name")),
			.base = keep(w, rowset_get(rows, i, "base")),
		};
	}
	rowset_unref(rows);
	return rows != NULL;
}

/* ------------------------------------------------------------------ generic plans */

static bool
send_formatted(struct whatif *w, struct strbuf *sql, struct error *err)
{
	bool ok = sql->cut ? error_set(err, ERR_MEMORY, "the statement is too long") :
	                     whatif_send(w, sql->buf, 0, NULL, NULL, err);

	strbuf_release(sql);
	return ok;
}

/* An EXPLAIN with NULLs first: where it fails, nothing is prepared that would stay behind on a
 * server process which the pooler gives to others. */
static bool
send_probe(struct whatif *w, const char *text, int nparams, struct error *err)
{
	const char **nulls = xcalloc((size_t)nparams + 1, sizeof(*nulls));
	struct strbuf sql = STRBUF_INIT(MAX_SQL);
	bool ok;

	strbuf_adds(&sql, "/* pgmedic:whatif */ EXPLAIN ");
	strbuf_adds(&sql, text);
	ok = whatif_send(w, sql.buf, nparams, NULL, nulls, err);
	strbuf_release(&sql);
	free(nulls);
	w->explains++;
	return ok;
}

/* PREPARE, EXPLAIN EXECUTE, DEALLOCATE: three answers; through a pooler one more before them. */
static bool
send_generic(struct whatif *w, const char *name, const char *text, int nparams, struct error *err)
{
	struct strbuf prepare = STRBUF_INIT(MAX_SQL), explain = STRBUF_INIT(MAX_SQL),
	              drop = STRBUF_INIT(64);

	strbuf_addf(&prepare, "/* pgmedic:whatif */ PREPARE %s AS ", name);
	strbuf_adds(&prepare, text);
	strbuf_addf(
	    &explain, "/* pgmedic:whatif */ EXPLAIN (VERBOSE, FORMAT JSON) EXECUTE %s", name);
	for (int i = 0; i < nparams; i++)
		strbuf_adds(&explain, i ? ", NULL" : " (NULL");
	if (nparams)
		strbuf_addc(&explain, ')');
	strbuf_addf(&drop, "DEALLOCATE %s", name);
	w->explains++;
	if ((w->is_pooled && !send_probe(w, text, nparams, err)) ||
	    !send_formatted(w, &prepare, err)) {
		strbuf_release(&explain);
		strbuf_release(&drop);
		return false;
	}
	if (!send_formatted(w, &explain, err)) {
		strbuf_release(&drop);
		return false;
	}
	return send_formatted(w, &drop, err);
}

/* Earlier statements whose EXPLAIN failed are still prepared; only where the session is ours. */
static bool
send_leftover(struct whatif *w, bool *is_sent, struct error *err)
{
	*is_sent = w->has_leftover && !w->is_pooled;
	w->has_leftover = false;
	return !*is_sent || whatif_send(w, "DEALLOCATE ALL", 0, NULL, NULL, err);
}

static bool
has_removed_subplans(const char *json)
{
	static const char key[] = "\"Subplans Removed\": ";

	for (const char *s = json; (s = strstr(s, key));) {
		s += strlen(key);
		if (*s != '0')
			return true;
	}
	return false;
}

/* One answer; false and *err unless it is of this kind. The first error counts. */
static bool
take(
    struct whatif *w, int64_t deadline, ExecStatusType status, PGresult **result, struct error *err)
{
	struct error ignored = { 0 };
	bool failed = *err->what != '\0';
	PGresult *r = whatif_next(w, deadline, failed ? &ignored : err);
	bool ok = r && PQresultStatus(r) == status;

	if (r && !ok && !failed && PQresultStatus(r) != PGRES_PIPELINE_ABORTED)
		fault_result(err, r, NULL);
	if (result)
		*result = r;
	else
		PQclear(r);
	return ok;
}

/* The answers of send_generic(). */
static bool
take_generic(
    struct whatif *w, int64_t deadline, struct arena *arena, const char **json, struct error *err)
{
	PGresult *plan = NULL;
	bool probed = !w->is_pooled || take(w, deadline, PGRES_TUPLES_OK, NULL, err);
	bool prepared = w->pq && take(w, deadline, PGRES_COMMAND_OK, NULL, err) && probed;
	bool ok = w->pq && take(w, deadline, PGRES_TUPLES_OK, &plan, err);

	if (ok && PQntuples(plan) == 1)
		*json = arena_strdup(arena, PQgetvalue(plan, 0, 0));
	PQclear(plan);
	if (w->pq && !take(w, deadline, PGRES_COMMAND_OK, NULL, err) && prepared)
		w->has_leftover = true;
	return ok && w->pq;
}

/* ------------------------------------------------------------------ one try of many statements */

static void
name_statement(struct whatif *w, char *name, size_t size)
{
	snprintf(name, size, "pgmedic_%x_%d", (unsigned)PQbackendPID(w->pq), ++w->serial);
}

/* Answers to come: of the beginning, leftover?, Parse, Describe, PREPARE, EXPLAIN, DEALLOCATE. */
static bool
send_try(struct whatif *w, struct attempt *a, bool *with_leftover, struct error *err)
{
	struct whatif_frame frame = {
		.search_path = a->job->search_path ? a->job->search_path : w->home_path,
		.timeout_ms = w->statement_ms,
		.no_pruning = a->no_pruning,
	};

	a->text = sql_typed_text(a->typed);
	a->is_parsed = a->is_prepared = false;
	memset(&a->error, 0, sizeof(a->error));
	name_statement(w, a->name, sizeof(a->name));
	if (!whatif_begin(w, &frame, err) || !send_leftover(w, with_leftover, err))
		return false;
	if (!PQsendPrepare(w->pq, "", a->text, 0, NULL) || !PQsendDescribePrepared(w->pq, ""))
		return whatif_lose(w, err);
	return send_generic(w, a->name, a->text, sql_typed_params(a->typed), err) &&
	    whatif_end(w, err);
}

/* The types that the server resolved. */
static void
describe(struct attempt *a, const PGresult *result)
{
	struct whatif_statement *s = &a->job->statement;
	uint32_t *types;

	s->nparams = PQnparams(result);
	types = arena_zalloc(a->arena, (size_t)s->nparams + 1, sizeof(*types));
	for (int i = 0; i < s->nparams; i++)
		types[i] = PQparamtype(result, i);
	s->types = types;
	a->is_parsed = true;
}

/* The answers of one try; *complained: the parse failed and the text was changed. */
static bool
take_try(
    struct whatif *w, struct attempt *a, bool with_leftover, bool *complained, struct error *err)
{
	int64_t deadline = whatif_deadline(w->statement_ms + GRACE_MS);
	struct whatif_statement *s = &a->job->statement;
	PGresult *parsed = NULL, *described = NULL;
	bool ok = whatif_begun(w, deadline, &a->error);
	struct error ended = { 0 };

	*complained = false;
	s->plan = NULL;
	if (w->pq && with_leftover)
		(void)take(w, deadline, PGRES_COMMAND_OK, NULL, &a->error);
	if (w->pq && !take(w, deadline, PGRES_COMMAND_OK, &parsed, &a->error) && ok && parsed &&
	    PQresultStatus(parsed) == PGRES_FATAL_ERROR) {
		struct sql_complaint c = fault_complaint(parsed);

		*complained = sql_typed_learn(a->typed, &c);
	}
	if (w->pq && take(w, deadline, PGRES_COMMAND_OK, &described, &a->error))
		describe(a, described);
	PQclear(parsed);
	PQclear(described);
	if (w->pq && take_generic(w, deadline, a->arena, &s->plan, &a->error))
		a->is_prepared = s->plan != NULL;
	if (w->pq && whatif_ended(w, deadline, &ended))
		return true;
	*err = *ended.what ? ended : a->error;
	return false;
}

/* ------------------------------------------------------------------ after a try */

static enum whatif_why
classify(const struct attempt *a)
{
	static const struct {
		const char *state; /* of 2 bytes: the whole class */
		enum whatif_why why;
	} states[] = {
		{ "42501", WHATIF_DENIED },
		{ "42P01", WHATIF_GONE },
		{ "42703", WHATIF_GONE },
		{ "42704", WHATIF_GONE },
		{ "42P02", WHATIF_SYNTAX },
		{ "3F000", WHATIF_GONE },
		{ "0A000", WHATIF_OTHER },
		{ "57014", WHATIF_TIMEOUT },
		{ "55P03", WHATIF_TIMEOUT },
		{ "25P04", WHATIF_TIMEOUT },
		{ "22", WHATIF_SYNTAX },
		{ "42", WHATIF_SYNTAX },
	};
	const char *state = a->error.sqlstate;

	/* a function that is not there, not one whose arguments could not be typed */
	if (strcmp(state, "42883") == 0 && sql_typed_params(a->typed) == 0)
		return WHATIF_GONE;
	for (size_t i = 0; i < ARRAY_LEN(states); i++)
		if (strncmp(state, states[i].state, strlen(states[i].state)) == 0)
			return states[i].why;
	return a->error.code == ERR_TIMEOUT ? WHATIF_TIMEOUT : WHATIF_OTHER;
}

/* Domains that do not allow NULL, where NULL stands for a parameter: their base types do. */
static bool
undomain(struct whatif *w, struct attempt *a)
{
	const struct whatif_statement *s = &a->job->statement;
	bool any = false;

	for (int i = 0; a->is_parsed && i < s->nparams; i++) {
		const struct whatif_type *type = whatif_type(w, s->types[i]);

		if (!type || !type->base)
			continue;
		sql_typed_set(a->typed, i + 1, type->base);
		any = true;
	}
	return any;
}

/* Plan the SELECT instead: for want of a privilege, of an updatable view and the like. */
static bool
next_stage(struct whatif *w, struct attempt *a)
{
	static const char *const states[] = { "42501", "55000", "0A000", "428C9", "42809", "25006",
		"42703", "42P01" };
	const char *text = NULL;

	for (size_t i = 0; i < ARRAY_LEN(states); i++) {
		bool is_late = i >= 6; /* what the SELECT itself brings: ctid of a view */

		if (strcmp(a->error.sqlstate, states[i]) == 0 && (!is_late || a->stage != AS_IS) &&
		    a->stage + 1 < STAGES)
			text = sql_as_select(a->arena, a->statement, a->stage + 1 == AS_ROW);
	}
	if (!text || text == a->statement)
		return false;
	if (a->stage == AS_IS && strcmp(a->error.sqlstate, "42501") == 0)
		w->is_reader = true;
	a->stage++;
	a->typed = sql_typed_new(a->arena, text);
	return true;
}

static void
settle(struct whatif *w, struct attempt *a)
{
	struct whatif_statement *s = &a->job->statement;
	const char **names = arena_zalloc(a->arena, (size_t)s->nparams + 1, sizeof(*names));

	for (int i = 0; i < s->nparams; i++) {
		const struct whatif_type *type = whatif_type(w, s->types[i]);

		names[i] = type && type->name ? type->name : "unknown";
	}
	s->text = a->text;
	s->type_names = names;
	s->is_rewritten = a->stage != AS_IS;
	s->search_path = a->job->search_path;
	s->generation = w->generation;
	a->job->why = WHATIF_OK;
	a->is_active = false;
}

/* What to do after a try: nothing more, or another one. */
static void
consider(struct whatif *w, struct attempt *a, bool complained)
{
	struct whatif_statement *s = &a->job->statement;
	bool again = complained;

	if (a->is_prepared && !a->no_pruning && has_removed_subplans(s->plan)) {
		a->no_pruning = again = true;
	} else if (a->is_prepared) {
		settle(w, a);
		return;
	} else if (!again) {
		again = (strncmp(a->error.sqlstate, "23", 2) == 0 && undomain(w, a)) ||
		    next_stage(w, a);
	}
	if (again && s->retries++ < MAX_TRIES)
		return;
	a->is_active = false;
	a->job->error = a->error;
	a->job->why = classify(a);
}

/* ------------------------------------------------------------------ the beginning */

/* Does the text end within a quote or comment, or was it withheld? */
static bool
is_cut(const char *text)
{
	struct sql_token t;

	if (!text || !*text || strncmp(text, "<insufficient privilege>", 24) == 0)
		return true;
	do
		t = sql_next(&text);
	while (t.kind != SQL_END && t.kind != SQL_BROKEN);
	return t.kind == SQL_BROKEN;
}

static bool
start(struct whatif *w, struct attempt *a, struct whatif_job *job, struct arena *arena)
{
	memset(a, 0, sizeof(*a));
	memset(&job->statement, 0, sizeof(job->statement));
	memset(&job->error, 0, sizeof(job->error));
	a->job = job;
	a->arena = arena;
	job->why = WHATIF_TRUNCATED;
	if (is_cut(job->text))
		return error_set(&job->error, ERR_FORMAT, "the text is not known in full");
	job->why = WHATIF_UTILITY;
	a->statement = sql_explainable(arena, job->text, &job->error);
	if (!a->statement)
		return false;
	if (sql_is_current_of(arena, a->statement))
		return error_set(
		    &job->error, ERR_REFUSED, "it changes the row that a cursor is at");
	job->statement.command = sql_command(arena, a->statement);
	a->statement = sql_without_into(arena, a->statement);
	if (w->is_reader) {
		const char *text = sql_as_select(arena, a->statement, false);

		if (text && text != a->statement) {
			a->stage = AS_CTID;
			a->typed = sql_typed_new(arena, text);
		}
	}
	if (!a->typed)
		a->typed = sql_typed_new(arena, a->statement);
	a->is_active = true;
	return true;
}

/* One round of tries for all that are active among n. */
static bool
round_trip(struct whatif *w, struct attempt *a, int n, int *nactive, struct error *err)
{
	bool with_leftover[BATCH] = { false }, complained[BATCH] = { false };

	for (int i = 0; i < n; i++)
		if (a[i].is_active && !send_try(w, &a[i], &with_leftover[i], err))
			return false;
	for (int i = 0; i < n; i++)
		if (a[i].is_active && !take_try(w, &a[i], with_leftover[i], &complained[i], err))
			return false;
	if (!learn_types(w, a, n, err))
		return false;
	*nactive = 0;
	for (int i = 0; i < n; i++) {
		if (a[i].is_active)
			consider(w, &a[i], complained[i]);
		*nactive += a[i].is_active;
	}
	return true;
}

bool
whatif_prepare_many(
    struct whatif *w, struct whatif_job *jobs, int n, struct arena *arena, struct error *err)
{
	struct attempt *attempts = xcalloc(BATCH, sizeof(*attempts));
	int batch = w->is_pooled ? 1 : BATCH;
	bool ok = whatif_usable(w, err);

	for (int from = 0; ok && from < n; from += batch) {
		int count = n - from < batch ? n - from : batch, nactive = 0;

		for (int i = 0; i < count; i++)
			nactive += start(w, &attempts[i], &jobs[from + i], arena);
		while (ok && nactive > 0)
			ok = round_trip(w, attempts, count, &nactive, err);
	}
	free(attempts);
	return ok;
}

bool
whatif_prepare(struct whatif *w, const char *text, const char *search_path, struct arena *arena,
    struct whatif_statement *out, enum whatif_why *why, struct error *err)
{
	struct whatif_job job = { .text = text, .search_path = search_path };

	*why = WHATIF_OTHER;
	if (!whatif_prepare_many(w, &job, 1, arena, err))
		return false;
	*why = job.why;
	*out = job.statement;
	if (job.why != WHATIF_OK)
		*err = job.error;
	return job.why == WHATIF_OK;
}

/* ------------------------------------------------------------------ explain */

struct question {
	struct whatif_ask *ask;
	char name[40];
	bool is_sent, is_generic, no_pruning, with_leftover;
};

static bool
send_question(struct whatif *w, struct question *q, struct error *err)
{
	const struct whatif_statement *s = q->ask->statement;
	struct whatif_frame frame = {
		.search_path = s->search_path ? s->search_path : w->home_path,
		.timeout_ms = w->statement_ms,
		.no_pruning = q->no_pruning,
	};
	struct strbuf sql = STRBUF_INIT(MAX_SQL);
	bool ok;

	q->is_sent = true;
	name_statement(w, q->name, sizeof(q->name));
	if (!whatif_begin(w, &frame, err) || !send_leftover(w, &q->with_leftover, err))
		return false;
	if (q->is_generic)
		return send_generic(w, q->name, s->text, s->nparams, err) && whatif_end(w, err);
	w->explains++;
	strbuf_adds(&sql, "/* pgmedic:whatif */ EXPLAIN (VERBOSE, FORMAT JSON) ");
	strbuf_adds(&sql, s->text);
	ok = whatif_send(w, sql.buf, s->nparams, s->types, q->ask->values, err);
	strbuf_release(&sql);
	return ok && whatif_end(w, err);
}

static bool
take_question(struct whatif *w, struct question *q, struct arena *arena, struct error *err)
{
	int64_t deadline = whatif_deadline(w->statement_ms + GRACE_MS);
	struct error *said = &q->ask->error, ended = { 0 };
	PGresult *plan = NULL;

	memset(said, 0, sizeof(*said));
	q->ask->json = NULL;
	/* what follows is skipped after a failure, and said has the reason */
	if (!whatif_begun(w, deadline, said) && !w->pq)
		goto lost;
	if (w->pq && q->with_leftover)
		(void)take(w, deadline, PGRES_COMMAND_OK, NULL, said);
	if (w->pq && q->is_generic)
		(void)take_generic(w, deadline, arena, &q->ask->json, said);
	else if (w->pq && take(w, deadline, PGRES_TUPLES_OK, &plan, said) && PQntuples(plan) == 1)
		q->ask->json = arena_strdup(arena, PQgetvalue(plan, 0, 0));
	PQclear(plan);
	if (w->pq && whatif_ended(w, deadline, &ended))
		return true;
lost:
	*err = *ended.what ? ended : *said;
	return false;
}

static void
start_question(const struct whatif *w, struct question *q, struct whatif_ask *ask)
{
	const struct whatif_statement *s = ask->statement;

	memset(q, 0, sizeof(*q));
	q->ask = ask;
	q->is_generic = !ask->values && s->nparams > 0;
	ask->json = NULL;
	memset(&ask->error, 0, sizeof(ask->error));
	if ((q->is_generic || s->nparams == 0) && s->plan && s->generation == w->generation)
		ask->json = s->plan;
}

bool
whatif_explain_many(
    struct whatif *w, struct whatif_ask *asks, int n, struct arena *arena, struct error *err)
{
	struct question q[BATCH];
	int batch = w->is_pooled ? 1 : BATCH;
	bool ok = whatif_usable(w, err);

	for (int from = 0; ok && from < n; from += batch) {
		int count = n - from < batch ? n - from : batch, again = count;

		for (int i = 0; i < count; i++)
			start_question(w, &q[i], &asks[from + i]);
		/* a second time for plans whose partitions were pruned by NULL */
		while (ok && again > 0) {
			for (int i = 0; ok && i < count; i++) {
				q[i].is_sent = false;
				if (!q[i].ask->json && !*q[i].ask->error.what)
					ok = send_question(w, &q[i], err);
			}
			for (int i = 0; ok && i < count; i++)
				if (q[i].is_sent)
					ok = take_question(w, &q[i], arena, err);
			again = 0;
			for (int i = 0; ok && i < count; i++)
				if (q[i].is_generic && q[i].is_sent && q[i].ask->json &&
				    !q[i].no_pruning && has_removed_subplans(q[i].ask->json)) {
					q[i].no_pruning = true;
					q[i].ask->json = NULL;
					again++;
				}
		}
	}
	return ok;
}

bool
whatif_explain(struct whatif *w, const struct whatif_statement *s, const char *const *values,
    struct arena *arena, const char **json, struct error *err)
{
	struct whatif_ask ask = { .statement = s, .values = values };

	if (!whatif_explain_many(w, &ask, 1, arena, err))
		return false;
	*json = ask.json;
	if (!ask.json)
		*err = *ask.error.what ?
		    ask.error :
		    (struct error){ .code = ERR_PROTOCOL, .what = "no plan came" };
	return ask.json != NULL;
}
