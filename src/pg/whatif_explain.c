/*
 * EXPLAIN. Generic plans come from PREPARE and EXPLAIN EXECUTE under force_generic_plan: values
 * bound to parameters make a custom plan, and NULLs bound collapse it. They are prepared anew each
 * time, since a cached generic plan does not see the hypothetical set change (and HypoPG's indexes
 * vanish under it). Custom plans come from EXPLAIN with bound values.
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/strbuf.h"
#include "pg/fault.h"
#include "pg/whatif_priv.h"

enum { MAX_SQL = 16 << 20, GRACE_MS = 3000 };

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

	strbuf_adds(&sql, "EXPLAIN /* pgmedic:whatif */ ");
	strbuf_adds(&sql, text);
	ok = whatif_send(w, sql.buf, nparams, NULL, nulls, err);
	strbuf_release(&sql);
	free(nulls);
	w->explains++;
	return ok;
}

bool
whatif_send_generic(
    struct whatif *w, const char *name, const char *text, int nparams, struct error *err)
{
	struct strbuf prepare = STRBUF_INIT(MAX_SQL), explain = STRBUF_INIT(MAX_SQL),
	              drop = STRBUF_INIT(64);

	strbuf_addf(&prepare, "PREPARE /* pgmedic:whatif */ %s AS ", name);
	strbuf_adds(&prepare, text);
	strbuf_addf(
	    &explain, "EXPLAIN /* pgmedic:whatif */ (VERBOSE, FORMAT JSON) EXECUTE %s", name);
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

bool
whatif_send_leftover(struct whatif *w, bool *is_sent, struct error *err)
{
	*is_sent = w->has_leftover && !w->is_pooled;
	w->has_leftover = false;
	return !*is_sent || whatif_send(w, "DEALLOCATE ALL", 0, NULL, NULL, err);
}

bool
whatif_is_pruned(const char *json)
{
	static const char key[] = "\"Subplans Removed\": ";

	for (const char *s = json; (s = strstr(s, key));) {
		s += strlen(key);
		if (*s != '0')
			return true;
	}
	return false;
}

bool
whatif_take(
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

bool
whatif_take_generic(
    struct whatif *w, int64_t deadline, struct arena *arena, const char **json, struct error *err)
{
	PGresult *plan = NULL;
	bool probed = !w->is_pooled || whatif_take(w, deadline, PGRES_TUPLES_OK, NULL, err);
	bool prepared = w->pq && whatif_take(w, deadline, PGRES_COMMAND_OK, NULL, err) && probed;
	bool ok = w->pq && whatif_take(w, deadline, PGRES_TUPLES_OK, &plan, err);

	if (ok && PQntuples(plan) == 1)
		*json = arena_strdup(arena, PQgetvalue(plan, 0, 0));
	PQclear(plan);
	if (w->pq && !whatif_take(w, deadline, PGRES_COMMAND_OK, NULL, err) && prepared)
		w->has_leftover = true;
	return ok && w->pq;
}

void
whatif_name(struct whatif *w, char *name, size_t size)
{
	snprintf(name, size, "pgmedic_%x_%d", (unsigned)PQbackendPID(w->pq), ++w->serial);
}

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
	whatif_name(w, q->name, sizeof(q->name));
	if (!whatif_begin(w, &frame, err) || !whatif_send_leftover(w, &q->with_leftover, err))
		return false;
	if (q->is_generic)
		return whatif_send_generic(w, q->name, s->text, s->nparams, err) &&
		    whatif_end(w, err);
	w->explains++;
	strbuf_adds(&sql, "EXPLAIN /* pgmedic:whatif */ (VERBOSE, FORMAT JSON) ");
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
		(void)whatif_take(w, deadline, PGRES_COMMAND_OK, NULL, said);
	if (w->pq && q->is_generic)
		(void)whatif_take_generic(w, deadline, arena, &q->ask->json, said);
	else if (w->pq && whatif_take(w, deadline, PGRES_TUPLES_OK, &plan, said) &&
	    PQntuples(plan) == 1)
		q->ask->json = arena_strdup(arena, PQgetvalue(plan, 0, 0));
	PQclear(plan);
	if (w->pq && whatif_ended(w, deadline, &ended))
		return true;
lost:
	*err = *ended.what ? ended : *said;
	return false;
}

static void
start_question(struct whatif *w, struct question *q, struct whatif_ask *ask)
{
	const struct whatif_statement *s = ask->statement;

	memset(q, 0, sizeof(*q));
	q->ask = ask;
	q->is_generic = !ask->values && s->nparams > 0;
	ask->json = NULL;
	memset(&ask->error, 0, sizeof(ask->error));
	if ((q->is_generic || s->nparams == 0) && s->plan && s->generation == w->generation)
		ask->json = s->plan;
	/* the reason is in ask->error */
	else if (s->guard != w->guard.version &&
	    !whatif_guard_allows(w, s->text, s->search_path, &ask->error))
		return;
}

bool
whatif_explain_many(
    struct whatif *w, struct whatif_ask *asks, int n, struct arena *arena, struct error *err)
{
	struct question q[WHATIF_BATCH];
	int batch = w->is_pooled ? 1 : WHATIF_BATCH;
	bool ok = whatif_usable(w, err);

	for (int from = 0; ok && from < n; from += batch) {
		int count = n - from < batch ? n - from : batch, again = count;

		ok = whatif_guard_look(w, err);
		for (int i = 0; ok && i < count; i++)
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
				    !q[i].no_pruning && whatif_is_pruned(q[i].ask->json)) {
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
