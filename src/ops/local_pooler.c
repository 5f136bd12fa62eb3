/*
 * pool pause|resume|reconnect|kill [DATABASE]: commands of PgBouncer's admin console.
 *
 * A paused pooler that nobody resumes is worse than what it was paused for, so that it is written
 * down as left behind before PAUSE is sent, and PAUSE, which waits for the transactions under way,
 * is bounded: clients wait meanwhile, and query_wait_timeout (120 s) would throw them out.
 */
#include "config.h"

#include "ops/local_pooler.h"

#include <string.h>

#include "base/json.h"
#include "base/rowset.h"
#include "ops/local.h"
#include "ops/op_result.h"
#include "pg/admin.h"

enum { SHOW_MS = 5000, PAUSE_MS = 20000, COMMAND_MS = 10000, MAX_ARGS = 4096 };

bool
pooler_is_there(const struct op *op)
{
	return op->target->pgbouncer && *op->target->pgbouncer;
}

static bool
command(struct op *op, const char *verb, const char *database, int timeout_ms, struct error *err)
{
	const char *text = *database ?
	    arena_printf(&op->arena, "%s %s", verb, pg_admin_quote(&op->arena, database)) :
	    verb;
	struct rowset *rows = pg_admin_run(op->target->pgbouncer, text, timeout_ms, op->stop, err);

	rowset_unref(rows);
	return rows || error_prefix(err, "PgBouncer, %s", text);
}

/* The answer to what is so already. */
static bool
is_so_already(const struct error *err)
{
	return strstr(err->what, "not paused") || strstr(err->what, "already");
}

static const char *
database_args(struct op *op, const char *database)
{
	struct strbuf sb = STRBUF_INIT(MAX_ARGS);
	const char *text;
	bool first = true;

	strbuf_addc(&sb, '{');
	json_key(&sb, &first, "database");
	json_str(&sb, database, strlen(database));
	strbuf_addc(&sb, '}');
	text = arena_strndup(&op->arena, sb.buf, sb.len);
	strbuf_release(&sb);
	return text;
}

static const char *
whole(const char *database)
{
	return *database ? database : "all databases";
}

static bool
leave(struct op *op, const char *database, struct error *err)
{
	int64_t id;

	return op_leave(op, "pooler", database_args(op, database), &id, err,
	    "PgBouncer of %s is paused (%s): pool resume%s%s takes it back", op->target->name,
	    whole(database), *database ? " " : "", database);
}

/* All that jobs of this target have left of this pause. */
static bool
settle(struct op *op, const char *database, struct error *err)
{
	struct job_leftover *items;
	const char *args = database_args(op, database);
	int n;

	if (!jobs_leftovers(op->journal, 0, &op->arena, &items, &n, err))
		return false;
	for (int i = 0; i < n; i++)
		if (strcmp(items[i].kind, "pooler") == 0 &&
		    strcmp(items[i].target, op->target->name) == 0 &&
		    strcmp(items[i].args, args) == 0 && !op_settle(op, items[i].id, err))
			return false;
	return true;
}

static bool
resume_only(struct op *op, const char *database, struct error *err)
{
	/* Stopped or not: it must not stay paused. */
	const volatile sig_atomic_t *stop = op->stop;
	bool ok;

	op->stop = NULL;
	ok = command(op, "RESUME", database, COMMAND_MS, err) || is_so_already(err);
	op->stop = stop;
	return ok;
}

bool
pooler_resume(struct op *op, const char *database, struct error *err)
{
	return resume_only(op, database, err) && settle(op, database, err);
}

bool
pooler_pause(struct op *op, const char *database, struct error *err)
{
	struct error other = { 0 };

	if (!leave(op, database, err))
		return false;
	if (command(op, "PAUSE", database, PAUSE_MS, err) || is_so_already(err))
		return true;
	if (err->code == ERR_TIMEOUT) {
		error_set(err, ERR_TIMEOUT,
		    "PgBouncer could not pause %s in %d s: transactions are under way",
		    whole(database), PAUSE_MS / 1000);
		error_hint(err, "It goes on as before; the pane activity shows the transactions.");
	}
	if (!pooler_resume(op, database, &other))
		error_hint(
		    err, "And it may still be paused, RESUME failed too: %.150s", other.what);
	return false;
}

bool
pooler_pause_step(struct op *op, struct error *err)
{
	return op_fact_set(op, err, "pooler", "paused") && pooler_pause(op, "", err);
}

bool
pooler_resume_step(struct op *op, struct error *err)
{
	return pooler_resume(op, "", err);
}

bool
pooler_undo(struct op *op, const struct job_leftover *left, struct error *err)
{
	struct json *args = json_parse(left->args, strlen(left->args), err);
	const char *database = json_text(json_get(args, "database"));
	bool ok = args && resume_only(op, database ? database : "", err);

	json_free(args);
	return ok;
}

/* ------------------------------------------------------------------ the command */

static const struct action {
	const char *name, *verb, *risk, *step, *effect, *outcome;
} actions[] = {
	{ "pause", "PAUSE", "medium", "pause", "transactions end first, then clients wait",
	    "paused" },
	{ "resume", "RESUME", "low", "resume", "clients that wait go on", "resumed" },
	{ "reconnect", "RECONNECT", "low", "reconnect",
	    "server connections are made anew as they become free", "reconnecting" },
	{ "kill", "KILL", "high", "kill",
	    "all its clients and servers are cut, and it stays paused", "killed and paused" },
};

static const struct action *
action_of(const char *name)
{
	for (size_t i = 0; name && i < ARRAY_LEN(actions); i++)
		if (strcmp(actions[i].name, name) == 0)
			return &actions[i];
	return NULL;
}

/* 1, 0; -1: there is no such database, or the pooler cannot be asked. */
static int
is_paused(struct op *op, const char *database, int *clients, struct error *err)
{
	struct rowset *rows =
	    pg_admin_run(op->target->pgbouncer, "SHOW DATABASES", SHOW_MS, op->stop, err);
	int paused = *database ? -1 : 0;

	*clients = 0;
	for (int i = 0; rows && i < rows->nrows; i++) {
		const struct cell *name = rowset_get(rows, i, "name");

		if (name->type != CELL_TEXT || !cell_is(name, database))
			continue;
		paused = cell_i64(rowset_get(rows, i, "paused"), 0) != 0;
		*clients = (int)cell_i64(rowset_get(rows, i, "current_connections"), 0);
	}
	if (!rows)
		error_prefix(err, "PgBouncer of %s", op->target->name);
	else if (paused < 0)
		error_set(err, ERR_NOT_FOUND, "PgBouncer has no database %s", database);
	paused = rows ? paused : -1;
	rowset_unref(rows);
	return paused;
}

static bool
pool_plan(struct op *op, struct error *err)
{
	const struct action *a = action_of(op->words->n > 1 ? op->words->w[1].text : NULL);
	const char *database = op->words->n > 2 ? op->words->w[2].text : "";
	int paused, clients;

	if (!a || op->words->n > 3 || (strcmp(a->name, "kill") == 0 && !*database)) {
		error_set(err, ERR_USAGE, "pool does not know this");
		return error_hint(err, "Usage: %s; kill needs a database.", op->kind->usage);
	}
	if (!pooler_is_there(op)) {
		error_set(err, ERR_CONFIG, "no PgBouncer is configured for %s", op->target->name);
		return error_hint(err,
		    "pgbouncer = host=… port=6432 dbname=pgbouncer user=… in its [target] section.");
	}
	paused = is_paused(op, database, &clients, err);
	if (paused < 0)
		return false;
	if (strcmp(a->name, "kill") == 0)
		op->confirm = OP_DESTROYS;
	doc_pair(&op->doc, "pooler", ROLE_NORMAL, "%s of PgBouncer of %s", whole(database),
	    op->target->name);
	if (*database)
		doc_pair(&op->doc, "now", ROLE_NORMAL, "%s, %d server connections",
		    paused ? "paused" : "not paused", clients);
	op_add_step(op, a->name, a->risk, a->step, "%s", a->effect);
	op->question = arena_printf(
	    &op->arena, "%s %s of PgBouncer of %s?", a->name, whole(database), op->target->name);
	return op_fact_set(op, err, "action", "%s", a->name) &&
	    op_fact_set(op, err, "database", "%s", database);
}

static bool
pause_run(struct op *op, struct error *err)
{
	return pooler_pause(op, op_fact(op, "database"), err);
}

static bool
resume_run(struct op *op, struct error *err)
{
	return pooler_resume(op, op_fact(op, "database"), err);
}

static bool
reconnect_run(struct op *op, struct error *err)
{
	return command(op, "RECONNECT", op_fact(op, "database"), COMMAND_MS, err);
}

/* A database that was cut stays paused. */
static enum op_seen
kill_seen(struct op *op, struct error *err)
{
	int clients, paused = is_paused(op, op_fact(op, "database"), &clients, err);

	return paused < 0 ? OP_UNSURE : paused ? OP_SEEN : OP_NOT_SEEN;
}

static bool
kill_run(struct op *op, struct error *err)
{
	const char *database = op_fact(op, "database");

	return leave(op, database, err) && command(op, "KILL", database, COMMAND_MS, err);
}

static bool
pool_result(struct op *op, struct error *err)
{
	bool first = true;

	(void)err;
	op_result_text(op, &first, "database", op_fact(op, "database"));
	op_result_text(op, &first, "pool", action_of(op_fact(op, "action"))->outcome);
	return true;
}

static const struct op_step_def pool_steps[] = {
	{ "pause", NULL, pause_run },
	{ "resume", NULL, resume_run },
	{ "reconnect", NULL, reconnect_run },
	{ "kill", kill_seen, kill_run },
	{ NULL, NULL, NULL },
};

const struct op_impl local_pool = { pool_plan, pool_steps, pool_result };
