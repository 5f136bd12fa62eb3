/*
 * Statements made ready to plan. The first try of a statement parses it, asks for the types,
 * prepares and explains it in one round trip; after each complaint it is sent again with what was
 * learned. Of what changes rows, or locks them, the SELECT that finds the same rows is planned: it
 * takes no lock that a writer takes, and needs no right to write.
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

enum { GRACE_MS = 3000, MAX_TRIES = 14 };
enum stage { AS_IS, AS_CTID, AS_ROW };

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

/* ------------------------------------------------------------------ one try of many statements */

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
	whatif_name(w, a->name, sizeof(a->name));
	if (!whatif_begin(w, &frame, err) || !whatif_send_leftover(w, with_leftover, err))
		return false;
	if (!PQsendPrepare(w->pq, "", a->text, 0, NULL) || !PQsendDescribePrepared(w->pq, ""))
		return whatif_lose(w, err);
	return whatif_send_generic(w, a->name, a->text, sql_typed_params(a->typed), err) &&
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
		(void)whatif_take(w, deadline, PGRES_COMMAND_OK, NULL, &a->error);
	if (w->pq && !whatif_take(w, deadline, PGRES_COMMAND_OK, &parsed, &a->error) && ok &&
	    parsed && PQresultStatus(parsed) == PGRES_FATAL_ERROR) {
		struct sql_complaint c = fault_complaint(parsed);

		*complained = sql_typed_learn(a->typed, &c);
	}
	if (w->pq && whatif_take(w, deadline, PGRES_COMMAND_OK, &described, &a->error))
		describe(a, described);
	PQclear(parsed);
	PQclear(described);
	if (w->pq && whatif_take_generic(w, deadline, a->arena, &s->plan, &a->error))
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

static bool
is_state(const char *state, const char *const *list, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (strcmp(list[i], state) == 0)
			return true;
	}
	return false;
}

/* The SELECT with whole rows where there is no ctid (views); the statement as it stands where the
 * SELECT was not understood. */
static bool
next_stage(struct attempt *a)
{
	static const char *const no_ctid[] = { "42501", "55000", "0A000", "428C9", "42809", "25006",
		"42703", "42P01" };
	static const char *const odd[] = { "42601", "42702", "42712", "42P10" };
	const char *state = a->error.sqlstate, *text = NULL;

	if (a->stage == AS_CTID && is_state(state, no_ctid, ARRAY_LEN(no_ctid))) {
		text = sql_as_select(a->arena, a->statement, true);
		a->stage = AS_ROW;
	} else if (a->stage != AS_IS && is_state(state, odd, ARRAY_LEN(odd))) {
		text = a->statement;
		a->stage = AS_IS;
	}
	if (text)
		a->typed = sql_typed_new(a->arena, text);
	return text != NULL;
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

	if (a->is_prepared && !a->no_pruning && whatif_is_pruned(s->plan)) {
		a->no_pruning = again = true;
	} else if (a->is_prepared) {
		settle(w, a);
		return;
	} else if (!again) {
		again =
		    (strncmp(a->error.sqlstate, "23", 2) == 0 && undomain(w, a)) || next_stage(a);
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
	const char *text;

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
	if (!whatif_guard_allows(w, a->statement, job->search_path, &job->error)) {
		job->why = WHATIF_UNSAFE;
		return false;
	}
	job->statement.guard = w->guard.version;
	job->statement.command = sql_command(arena, a->statement);
	a->statement = sql_without_into(arena, a->statement);
	text = sql_as_select(arena, a->statement, false);
	if (text && text != a->statement)
		a->stage = AS_CTID;
	else
		text = a->statement;
	a->typed = sql_typed_new(arena, text);
	a->is_active = true;
	return true;
}

/* One round of tries for all that are active among n. */
static bool
round_trip(struct whatif *w, struct attempt *a, int n, int *nactive, struct error *err)
{
	bool with_leftover[WHATIF_BATCH] = { false }, complained[WHATIF_BATCH] = { false };

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
	struct attempt *attempts = xcalloc(WHATIF_BATCH, sizeof(*attempts));
	int batch = w->is_pooled ? 1 : WHATIF_BATCH;
	bool ok = whatif_usable(w, err);

	for (int from = 0; ok && from < n; from += batch) {
		int count = n - from < batch ? n - from : batch, nactive = 0;

		ok = whatif_guard_look(w, err);
		for (int i = 0; ok && i < count; i++)
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
