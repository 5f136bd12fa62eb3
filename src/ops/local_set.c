/*
 * set PARAM VALUE|DEFAULT on a server of one's own: ALTER SYSTEM, reload, and then what the server
 * says about it, since neither statement tells whether the value is in effect. A file with an error
 * is not loaded at all, the command line and ALTER ROLE win over it, and what only a restart
 * changes is not changed.
 *
 * Reloading is asynchronous: a new connection shows by pg_conf_load_time() whether its server
 * process was started after it (the postmaster reads the files first, and its children inherit what
 * it knows).
 */
#include "config.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/json.h"
#include "base/log.h"
#include "base/rowset.h"
#include "ops/local.h"
#include "ops/op_result.h"
#include "ops/op_server.h"
#include "ops/parameter.h"
#include "ops/set.h"
#include "pg/job.h"

enum { LOOK_MS = 3000, LOAD_MS = 20000, POLL_MS = 200, MAX_TEXT = 8192 };

/* What the files say. */
struct files {
	bool is_known;      /* the role may read them */
	const char *ours;   /* what ALTER SYSTEM has set, NULL nothing */
	const char *others; /* what another file says, NULL nothing */
	const char *error;  /* of any line, "" none */
	bool is_applied;    /* the last line about it was taken */
};

static void
read_files(struct op *op, struct pg_sync *pg, const char *name, struct files *f)
{
	struct error denied = { 0 };
	struct rowset *rows = pg_sync_run(pg, "op_parameter_file", &name, 1, LOOK_MS, &denied);

	*f = (struct files){ .is_known = rows != NULL, .error = "" };
	for (int i = 0; rows && i < rows->nrows; i++) {
		const char *error = set_text(op, rows, i, "error");
		bool is_about = strcmp(set_text(op, rows, i, "name"), name) == 0;

		if (*error && strcmp(error, "setting could not be applied") != 0 && !*f->error)
			f->error = arena_printf(&op->arena, "%s (%s, line %lld)", error,
			    set_text(op, rows, i, "sourcefile"),
			    (long long)cell_i64(rowset_get(rows, i, "sourceline"), 0));
		if (!is_about)
			continue;
		if (cell_i64(rowset_get(rows, i, "is_auto"), 0))
			f->ours = set_text(op, rows, i, "setting");
		else
			f->others = set_text(op, rows, i, "setting");
		f->is_applied = cell_i64(rowset_get(rows, i, "applied"), 0) != 0;
	}
	rowset_unref(rows);
}

/* Where the files cannot be read, the server still says where a value comes from, or at least what
 * it is. */
static const char *
before_of(const struct set_looked *l, const struct files *f)
{
	const char *auto_conf = strstr(l->sourcefile, "postgresql.auto.conf");

	if (f->is_known)
		return f->ours;
	return auto_conf || (!*l->sourcefile && strcmp(l->source, "configuration file") == 0) ?
	    l->reset :
	    NULL;
}

/* ------------------------------------------------------------------ plan */

static bool
refused_for_role(struct op *op, const struct set_looked *l, struct error *err)
{
	if (l->is_rds) {
		error_set(err, ERR_UNSUPPORTED, "%s is on RDS, which has no ALTER SYSTEM",
		    op->target->name);
		error_hint(
		    err, "Set provider = rds and instance in [target %s].", op->target->name);
	} else if (!l->is_allowed) {
		error_set(
		    err, ERR_REFUSED, "the server forbids ALTER SYSTEM (allow_alter_system = off)");
		error_hint(err, "Its settings are kept elsewhere: change them there.");
	} else if (!l->may_set) {
		error_set(err, ERR_DENIED, "the role may not set %s", l->p.name);
		error_hint(err,
		    "From PostgreSQL 15 on: GRANT ALTER SYSTEM ON PARAMETER %s TO …; before, superusers only.",
		    l->p.name);
	} else if (!l->may_reload) {
		error_set(err, ERR_DENIED, "the role may not reload the configuration");
		error_hint(err, "GRANT EXECUTE ON FUNCTION pg_reload_conf() TO …");
	} else {
		return false;
	}
	return true;
}

static bool
gates(struct op *op, const struct set_looked *l, const struct files *f, struct error *err)
{
	if (refused_for_role(op, l, err))
		return false;
	if (strcmp(l->p.context, "internal") == 0) {
		error_set(err, ERR_REFUSED, "%s cannot be set", l->p.name);
		return error_hint(err, "It tells how the server was built or its cluster made.");
	}
	if (strcmp(l->source, "command line") == 0) {
		error_set(err, ERR_REFUSED,
		    "%s is given on the server's command line, which wins over ALTER SYSTEM",
		    l->p.name);
		return error_hint(err,
		    *op->target->patroni_url ?
		        "Patroni does that: patronictl edit-config changes it." :
		        "Change it where the server is started (pg_ctl -o, the unit file, the container).");
	}
	if (*f->error) {
		error_set(err, ERR_STATE, "the server would not load its files: %s", f->error);
		return error_hint(err, "Mend that line first: one error keeps all changes out.");
	}
	return true;
}

static const char *
takes_effect(const char *context)
{
	static const struct {
		const char *context, *text;
	} texts[] = {
		{ "postmaster", "only when the server is restarted, which this does not do" },
		{ "sighup", "at once, for the whole server" },
		{ "backend", "for sessions that begin from then on" },
		{ "superuser-backend", "for sessions that begin from then on" },
		{ "superuser", "for all sessions that have no value of their own" },
		{ "user", "for all sessions that have no value of their own" },
	};

	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		if (strcmp(texts[i].context, context) == 0)
			return texts[i].text;
	return "as the server decides";
}

static void
describe(struct op *op, const struct set_looked *l, const char *value, const char *to)
{
	char from[64], shown[64];
	const char *risk = strcmp(l->p.context, "postmaster") == 0 ? "medium" : "low";

	doc_pair(&op->doc, "parameter", ROLE_NORMAL, "%s: %s", l->p.name, l->about);
	doc_pair(&op->doc, "now", ROLE_NORMAL, "%s (%s%s%s)",
	    parameter_show(&l->p, l->setting, from, sizeof(from)), l->source,
	    *l->sourcefile ? ", " : "", l->sourcefile);
	doc_pair(&op->doc, "then", ROLE_NORMAL, "%s%s",
	    *to || value ? parameter_show(&l->p, to, shown, sizeof(shown)) : "its default",
	    value ? "" : " (what ALTER SYSTEM has set is taken away)");
	doc_pair(&op->doc, "takes effect", ROLE_NORMAL, "%s", takes_effect(l->p.context));
	if (*l->overrides)
		doc_pair(&op->doc, "not for", ROLE_WARN, "%s: they have their own", l->overrides);
	risk = set_warn(op, &l->p, l->setting, to, risk);
	op_add_step(op, "alter", risk, "write it to postgresql.auto.conf", "%s", l->statement);
	op_add_step(op, "reload", "low", "have the files read again", "%s",
	    "pg_reload_conf(): what else was changed in them takes effect, too");
	op_add_step(op, "judge", "none", "see what became of it", "%s",
	    "by pg_settings and pg_file_settings, in a new session");
	doc_pair(&op->doc, "undo", ROLE_NORMAL, "job undo: %s", l->undo);
}

/* What it will be; "" for a default that cannot be known. */
static const char *
becomes(const struct set_looked *l, const struct files *f, const char *value)
{
	if (value)
		return value;
	if (!f->is_known)
		return "";
	return f->others ? f->others : l->boot;
}

static bool
keep(
    struct op *op, const struct set_looked *l, const char *value, const char *to, struct error *err)
{
	char from[64], shown[64];

	return op_fact_set(op, err, "name", "%s", l->p.name) &&
	    op_fact_set(op, err, "to_shown", "%s",
	        *to ? parameter_show(&l->p, to, shown, sizeof(shown)) : "") &&
	    op_fact_set(op, err, "value", "%s", value ? value : "") &&
	    op_fact_set(op, err, "is_default", "%d", value == NULL) &&
	    op_fact_set(op, err, "to", "%s", to) &&
	    op_fact_set(
	        op, err, "from", "%s", parameter_show(&l->p, l->setting, from, sizeof(from))) &&
	    op_fact_set(op, err, "statement", "%s", l->statement) &&
	    op_fact_set(op, err, "back", "%s", l->undo);
}

static bool
plan_with(struct op *op, struct pg_sync *pg, const char *name, const char *value, struct error *err)
{
	struct set_looked l;
	struct files f;
	const char *to;

	if (!set_look(op, pg, name, value, NULL, &l, err))
		return false;
	name = l.p.name;
	read_files(op, pg, name, &f);
	if (!gates(op, &l, &f, err) || (value && !parameter_check(&l.p, value, err)) ||
	    !set_look(op, pg, name, value, before_of(&l, &f), &l, err))
		return false;
	to = becomes(&l, &f, value);
	if ((value ? f.ours != NULL && parameter_same(&l.p, f.ours, value) :
	             f.is_known && !f.ours) &&
	    !l.is_pending && (!*to || parameter_same(&l.p, l.setting, to))) {
		error_set(err, ERR_REFUSED, "%s is that already", name);
		return error_hint(err, "There is nothing to do.");
	}
	describe(op, &l, value, to);
	op_identity(op, "parameter", "%s %s %s", name, l.setting, f.ours ? f.ours : "");
	op->question = arena_printf(&op->arena, "set %s to %s on %s?", name,
	    value ? value : "its default", op->target->name);
	return keep(op, &l, value, to, err);
}

static bool
set_plan(struct op *op, struct error *err)
{
	const char *name, *value;
	struct op_server server;
	struct pg_sync *pg;
	bool ok;

	if (!set_words(op, &name, &value, err) ||
	    !op_server_look(op, op->target, "server", &server, err))
		return false;
	doc_pair(&op->doc, "server", ROLE_NORMAL, "%s, PostgreSQL %s, %s", op->target->name,
	    server.version, server.is_standby ? "standby" : "primary");
	pg = op_connect(op, op->target, err);
	ok = pg && plan_with(op, pg, name, value, err);
	pg_sync_close(pg);
	return ok;
}

/* ------------------------------------------------------------------ run */

static bool
statement(struct op *op, const char *text, struct error *err)
{
	struct strbuf output = STRBUF_INIT(MAX_TEXT);
	int warnings;
	bool ok = job_statement(op->target->conninfo, op->target->password, NULL, text, LOOK_MS,
	    &output, &warnings, err);

	strbuf_release(&output);
	return ok;
}

/* Doing it again sets the same value again. */
static bool
alter_run(struct op *op, struct error *err)
{
	struct error other = { 0 };
	int64_t id;

	if (!op_leave(op, "parameter", "{}", &id, err,
	        "%s of %s was set, and not seen to be in effect", op_fact(op, "name"),
	        op->target->name))
		return false;
	if (statement(op, op_fact(op, "statement"), err))
		return true;
	/* The server has refused it, so that there is nothing to take back. */
	if (*err->sqlstate && !op_settle(op, id, &other))
		error_prefix(err, "%.60s", other.what);
	return false;
}

static bool
reload_run(struct op *op, struct error *err)
{
	struct pg_sync *pg = op_connect(op, op->target, err);
	struct rowset *rows = pg ? pg_sync_run(pg, "op_reload", NULL, 0, LOOK_MS, err) : NULL;
	bool ok = rows && rows->nrows == 1;

	if (ok && !set_true(rows, "sent"))
		ok = error_set(err, ERR_STATE, "the server did not take the signal to reload");
	if (ok)
		ok = op_fact_set(op, err, "reload_at", "%lld",
		    (long long)cell_i64(rowset_get(rows, 0, "now"), 0));
	rowset_unref(rows);
	pg_sync_close(pg);
	return ok;
}

/* In a new session, once the files have been loaded; false: not yet, or *err. */
static bool
look_loaded(struct op *op, struct set_looked *l, struct files *f, struct error *err)
{
	const char *name = op_fact(op, "name");
	struct pg_sync *pg = op_connect(op, op->target, err);
	bool ok = pg && set_look(op, pg, name, NULL, NULL, l, err);

	if (ok)
		read_files(op, pg, name, f);
	pg_sync_close(pg);
	return ok;
}

static bool
wait_loaded(struct op *op, struct set_looked *l, struct files *f, struct error *err)
{
	int64_t sent = op_fact_int(op, "reload_at", 0);

	for (int waited = 0;; waited += POLL_MS) {
		if (!look_loaded(op, l, f, err))
			return error_prefix(err, "while looking what became of it");
		if (l->loaded_at >= sent)
			return true;
		if (*f->error || waited > LOAD_MS)
			break;
		op_progress(op, -1, "waits until the server has loaded its files");
		if (!op_wait_ms(op, POLL_MS, err))
			return false;
	}
	error_set(err, ERR_STATE, "the server has not loaded its files: %s",
	    *f->error ? f->error : "its log says why");
	return error_hint(err, "Nothing is in effect. `job undo %lld` takes the setting back.",
	    (long long)op->job);
}

static bool
keep_pending(struct op *op, struct error *err)
{
	struct pg_sync *pg = op_connect(op, op->target, err);
	struct rowset *rows = pg ? pg_sync_run(pg, "op_pending", NULL, 0, LOOK_MS, err) : NULL;
	bool ok = rows && op_fact_set(op, err, "pending", "%s", set_text(op, rows, 0, "names"));

	rowset_unref(rows);
	pg_sync_close(pg);
	return ok;
}

static bool
keep_judgement(struct op *op, const struct set_looked *l, const char *state, struct error *err)
{
	char shown[64];

	return op_fact_set(op, err, "state", "%s", state) &&
	    op_fact_set(op, err, "value_now", "%s",
	        parameter_show(&l->p, l->setting, shown, sizeof(shown))) &&
	    op_fact_set(op, err, "context", "%s", l->p.context) &&
	    op_fact_set(op, err, "overridden_by", "%s", l->overrides) && keep_pending(op, err) &&
	    op_fact_set(op, err, "undo", "%s", op_fact(op, "back")) &&
	    op_fact_set(op, err, "undo_kind", "parameter") && op_settle_kind(op, "parameter", err);
}

static bool
is_of_session(const char *source)
{
	static const char *const names[] = { "database", "user", "database user", "global",
		"client", "session", NULL };

	for (int i = 0; names[i]; i++)
		if (strcmp(names[i], source) == 0)
			return true;
	return false;
}

static bool
judge_run(struct op *op, struct error *err)
{
	const char *to = op_fact(op, "to");
	struct set_looked l;
	struct files f;

	if (!wait_loaded(op, &l, &f, err))
		return false;
	if (l.is_pending)
		return keep_judgement(op, &l, "pending_restart", err);
	if (!*to || parameter_same(&l.p, l.setting, to))
		return keep_judgement(op, &l, "applied", err);
	/* This session has a value of its own; the file was taken for the others. */
	if (is_of_session(l.source) &&
	    (!f.is_known || f.is_applied || op_fact_int(op, "is_default", 0)))
		return keep_judgement(op, &l, "applied", err);
	error_set(err, ERR_STATE, "%s is %s and not %s (%s)", l.p.name, l.setting, to, l.source);
	return error_hint(err, "Something else has set it; `job undo %lld` takes the setting back.",
	    (long long)op->job);
}

static const char *
or_null(const char *text)
{
	return text && *text ? text : NULL;
}

static bool
set_result(struct op *op, struct error *err)
{
	bool first = true;

	(void)err;
	op_result_text(op, &first, "parameter", op_fact(op, "name"));
	op_result_text(op, &first, "from", op_fact(op, "from"));
	op_result_text(op, &first, "to",
	    op_fact_int(op, "is_default", 0) ? or_null(op_fact(op, "to_shown")) :
	                                       op_fact(op, "value"));
	op_result_text(op, &first, "in_effect", op_fact(op, "value_now"));
	op_result_text(op, &first, "state", op_fact(op, "state"));
	op_result_text(op, &first, "context", op_fact(op, "context"));
	op_result_text(op, &first, "overridden_by", or_null(op_fact(op, "overridden_by")));
	op_result_text(op, &first, "needs_restart", or_null(op_fact(op, "pending")));
	return true;
}

/* ------------------------------------------------------------------ set back */

/* What was set by somebody else since is not for us to take away. */
static bool
is_still_ours(struct op *op, struct error *err)
{
	const char *value = op_fact(op, "value");
	bool was_default = op_fact_int(op, "is_default", 0) != 0;
	struct set_looked l;
	struct files f;

	if (!look_loaded(op, &l, &f, err))
		return false;
	if (!f.is_known || (was_default ? !f.ours : f.ours && parameter_same(&l.p, f.ours, value)))
		return true;
	error_set(err, ERR_CHANGED, "%s has been set to something else since: %s", l.p.name,
	    f.ours ? f.ours : "its default");
	return error_hint(err, "It was left as it is.");
}

static bool
set_back(struct op *op, struct error *err)
{
	struct set_looked l;
	struct files f;

	return is_still_ours(op, err) && statement(op, op_fact(op, "back"), err) &&
	    reload_run(op, err) && wait_loaded(op, &l, &f, err) &&
	    op_fact_set(op, err, "undo", "%s", "");
}

/* What a job has left that did not get to its end may not have come to the statement. */
bool
set_undo(struct op *op, const struct job_leftover *left, struct error *err)
{
	const char *value = op_fact(op, "value");
	struct set_looked l;
	struct files f;

	if (!left->id)
		return set_back(op, err);
	if (!look_loaded(op, &l, &f, err))
		return false;
	if (f.is_known &&
	    (op_fact_int(op, "is_default", 0) ? f.ours != NULL :
	                                        !f.ours || !parameter_same(&l.p, f.ours, value)))
		return true;
	return set_back(op, err);
}

static const struct op_step_def set_steps[] = {
	{ "alter", NULL, alter_run },
	{ "reload", NULL, reload_run },
	{ "judge", NULL, judge_run },
	{ NULL, NULL, NULL },
};

const struct op_impl local_set = { set_plan, set_steps, set_result };
