/*
 * HypoPG, only ever plain-column B-trees: partial and expression ones have crashed servers (HypoPG
 * #116), as has pg_hint_plan beside it. Hypothetical indexes belong to the session and outlive
 * transactions. They get oids that no catalog knows; where a vendor's build cannot (RDS), real
 * ones are asked for.
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/strbuf.h"
#include "pg/fault.h"
#include "pg/whatif_priv.h"

enum { ASK_MS = 2000, GRACE_MS = 3000 };

static bool
judge(struct whatif *w, enum whatif_hypo state, const char *what, const char *hint)
{
	w->hypo = state;
	snprintf(w->hypo_what, sizeof(w->hypo_what), "%s", what);
	snprintf(w->hypo_hint, sizeof(w->hypo_hint), "%s", hint);
	return true;
}

static bool
is_true(const struct rowset *rows, const char *name)
{
	return cell_i64(rowset_get(rows, 0, name), 0) != 0;
}

bool
whatif_hypo_open(struct whatif *w, struct error *err)
{
	struct rowset *rows;
	const struct cell *schema;

	if (w->no_hypopg)
		return judge(
		    w, HYPO_OFF, "HypoPG is switched off", "Set hypopg = auto for this target.");
	rows = whatif_query(w, "whatif_hypopg", NULL, 0, err);
	if (!rows)
		return false;
	schema = rowset_get(rows, 0, "schema");
	if (schema->type != CELL_TEXT && cell_is_null(rowset_get(rows, 0, "available")))
		judge(w, HYPO_ABSENT, "HypoPG is not installed on the server",
		    "Install the package hypopg there, then CREATE EXTENSION hypopg.");
	else if (schema->type != CELL_TEXT)
		judge(w, HYPO_ABSENT, "HypoPG is not created in this database",
		    "CREATE EXTENSION hypopg; the server has it.");
	else if (!is_true(rows, "may_use") || !is_true(rows, "may_call"))
		judge(w, HYPO_DENIED, "this role may not call HypoPG",
		    "GRANT USAGE ON its schema and EXECUTE ON its functions to this role.");
	else if (is_true(rows, "has_hints"))
		judge(w, HYPO_REFUSED,
		    "HypoPG is not used beside pg_hint_plan, with which it has crashed",
		    "Take pg_hint_plan out of the preloaded libraries, or ask a server without it.");
	else if (w->is_pooled)
		judge(w, HYPO_REFUSED, "HypoPG is not used through a pooler",
		    "Give the target an address that leads to the server itself.");
	else
		judge(w, HYPO_USABLE, "", "");
	if (schema->type == CELL_TEXT)
		w->hypo_schema = arena_strndup(&w->arena, schema->s, schema->len);
	w->can_hide = is_true(rows, "can_hide");
	rowset_unref(rows);
	return w->hypo != HYPO_USABLE || whatif_reset(w, err);
}

enum whatif_hypo
whatif_hypo(const struct whatif *w, const char **what, const char **hint)
{
	if (what)
		*what = w->hypo_what;
	if (hint)
		*hint = w->hypo_hint;
	return w->hypo;
}

static bool
usable(struct whatif *w, struct error *err)
{
	if (w->hypo != HYPO_USABLE) {
		error_set(err, ERR_UNSUPPORTED, "%s", w->hypo_what);
		return error_hint(err, "%s", w->hypo_hint);
	}
	return whatif_usable(w, err);
}

/* Queue `SELECT … FROM hypopg.function(argument)` in a transaction of its own. */
static bool
ask(struct whatif *w, const char *columns, const char *function, const char *type,
    const char *argument, struct error *err)
{
	struct whatif_frame frame = { .timeout_ms = ASK_MS };
	char sql[512];

	snprintf(sql, sizeof(sql), "SELECT /* pgmedic:whatif */ %s FROM %s.%s(%s%s)", columns,
	    w->hypo_schema, function, argument ? "$1::" : "", argument ? type : "");
	return whatif_begin(w, &frame, err) &&
	    whatif_send(w, sql, argument != NULL, NULL, &argument, err) && whatif_end(w, err);
}

/* Its answer, for the caller to clear; NULL and *err. */
static PGresult *
answer(struct whatif *w, struct error *err)
{
	int64_t deadline = whatif_deadline(ASK_MS + GRACE_MS);
	struct error second = { 0 };
	bool ok = whatif_begun(w, deadline, err);
	PGresult *result = w->pq ? whatif_next(w, deadline, ok ? err : &second) : NULL;

	if (ok && result && PQresultStatus(result) != PGRES_TUPLES_OK)
		ok = fault_result(err, result, NULL);
	if (w->pq && !whatif_ended(w, deadline, ok ? err : &second))
		ok = false;
	if (ok && result)
		return result;
	PQclear(result);
	return NULL;
}

/* A function that is called for its effect; *is_true: it answered true. */
static bool
call(struct whatif *w, const char *function, const char *type, const char *argument, bool *is_done,
    struct error *err)
{
	PGresult *result;

	if (!usable(w, err) || !ask(w, "*", function, type, argument, err))
		return false;
	result = answer(w, err);
	if (!result)
		return false;
	*is_done = PQntuples(result) > 0 && strcmp(PQgetvalue(result, 0, 0), "f") != 0;
	PQclear(result);
	w->generation++;
	return true;
}

bool
whatif_reset(struct whatif *w, struct error *err)
{
	bool is_done;

	if (!call(w, "hypopg_reset", "", NULL, &is_done, err))
		return false;
	w->nhypo = 0;
	return true;
}

bool
whatif_drop(struct whatif *w, uint32_t oid, struct error *err)
{
	char text[16];
	bool is_done;

	snprintf(text, sizeof(text), "%u", oid);
	if (!call(w, "hypopg_drop_index", "oid", text, &is_done, err))
		return false;
	w->nhypo -= is_done;
	return is_done || error_set(err, ERR_NOT_FOUND, "there is no hypothetical index %s", text);
}

bool
whatif_hide(struct whatif *w, uint32_t oid, bool hidden, struct error *err)
{
	char text[16];
	bool is_done;

	if (usable(w, err) && !w->can_hide) {
		error_set(err, ERR_UNSUPPORTED, "this HypoPG cannot hide indexes");
		return error_hint(err, "HypoPG 1.4 and newer can.");
	}
	snprintf(text, sizeof(text), "%u", oid);
	return call(w, hidden ? "hypopg_hide_index" : "hypopg_unhide_index", "oid", text, &is_done,
	           err) &&
	    (is_done || error_set(err, ERR_NOT_FOUND, "index %s cannot be hidden", text));
}

/* Is the name written with quotes already? */
static bool
is_quoted(const char *name)
{
	size_t len = strlen(name);

	if (len < 3 || name[0] != '"' || name[len - 1] != '"')
		return false;
	for (size_t i = 1; i < len - 1; i++)
		if (name[i] == '"' && (name[++i] != '"' || i == len - 1))
			return false;
	return true;
}

static void
add_name(struct strbuf *out, const char *name)
{
	if (is_quoted(name)) {
		strbuf_adds(out, name);
		return;
	}
	strbuf_addc(out, '"');
	for (; *name; name++) {
		if (*name == '"')
			strbuf_addc(out, '"');
		strbuf_addc(out, *name);
	}
	strbuf_addc(out, '"');
}

static void
add_definition(struct strbuf *out, const struct whatif_index *ix)
{
	strbuf_adds(out, "CREATE INDEX ON ");
	add_name(out, ix->schema);
	strbuf_addc(out, '.');
	add_name(out, ix->table);
	strbuf_adds(out, " (");
	for (int i = 0; i < ix->nkeys; i++) {
		if (i)
			strbuf_adds(out, ", ");
		add_name(out, ix->columns[i]);
		if (ix->opclass[i]) {
			strbuf_addc(out, ' ');
			strbuf_adds(out, ix->opclass[i]);
		}
		if (ix->desc[i])
			strbuf_adds(out, " DESC");
		if (ix->nulls[i])
			strbuf_adds(out,
			    ix->nulls[i] == WHATIF_NULLS_FIRST ? " NULLS FIRST" : " NULLS LAST");
	}
	strbuf_addc(out, ')');
}

/* From the catalog's own oids, where there are no others. */
static bool
use_real_oids(struct whatif *w, struct error *err)
{
	static const char set[] = "SET /* pgmedic:whatif */ hypopg.use_real_oids = on";
	int64_t deadline = whatif_deadline(ASK_MS + GRACE_MS);
	PGresult *result;
	bool ok;

	if (!whatif_send(w, set, 0, NULL, NULL, err))
		return false;
	if (!PQpipelineSync(w->pq))
		return whatif_lose(w, err);
	result = whatif_next(w, deadline, err);
	ok = result && PQresultStatus(result) == PGRES_COMMAND_OK;
	if (result && !ok)
		fault_result(err, result, NULL);
	PQclear(result);
	if (w->pq)
		PQclear(whatif_next(w, deadline, err));
	w->has_real_oids = ok;
	return ok && w->pq;
}

static bool
take_created(struct whatif *w, struct arena *arena, struct whatif_created *made)
{
	PGresult *result = answer(w, &made->error);

	made->oid = 0;
	made->name = NULL;
	if (!result)
		return false;
	if (PQntuples(result) != 1 || PQnfields(result) < 2) {
		PQclear(result);
		return error_set(&made->error, ERR_PROTOCOL, "HypoPG made no index");
	}
	made->oid = (uint32_t)strtoul(PQgetvalue(result, 0, 0), NULL, 10);
	made->name = arena_strdup(arena, PQgetvalue(result, 0, 1));
	PQclear(result);
	w->nhypo++;
	w->generation++;
	return made->oid != 0;
}

static bool
create_all(struct whatif *w, const struct whatif_index *ix, int n, struct arena *arena,
    struct whatif_created *made, struct error *err)
{
	for (int i = 0; i < n; i++) {
		struct strbuf sql = STRBUF_INIT(8192);
		bool ok;

		memset(&made[i], 0, sizeof(made[i]));
		add_definition(&sql, &ix[i]);
		ok = ask(w, "*", "hypopg_create_index", "text", sql.buf, err);
		strbuf_release(&sql);
		if (!ok)
			return false;
	}
	for (int i = 0; i < n; i++)
		if (!take_created(w, arena, &made[i]) && !w->pq) {
			*err = made[i].error;
			return false;
		}
	return true;
}

bool
whatif_create_many(struct whatif *w, const struct whatif_index *ix, int n, struct arena *arena,
    struct whatif_created *made, struct error *err)
{
	if (!usable(w, err))
		return false;
	if (n > WHATIF_MAX_HYPO - w->nhypo)
		return error_set(
		    err, ERR_MEMORY, "more than %d hypothetical indexes", WHATIF_MAX_HYPO);
	if (!create_all(w, ix, n, arena, made, err))
		return false;
	/* all refused, not for a name that is gone: perhaps it cannot make up oids here */
	for (int i = 0; i < n; i++)
		if (made[i].oid || made[i].error.code == ERR_UNSUPPORTED)
			return true;
	if (n == 0 || w->has_real_oids || w->is_standby)
		return true;
	return use_real_oids(w, err) && create_all(w, ix, n, arena, made, err);
}

bool
whatif_create(struct whatif *w, const struct whatif_index *ix, struct arena *arena, uint32_t *oid,
    const char **name, struct error *err)
{
	struct whatif_created made;

	if (!whatif_create_many(w, ix, 1, arena, &made, err))
		return false;
	*oid = made.oid;
	*name = made.name;
	if (!made.oid)
		*err = made.error;
	return made.oid != 0;
}
