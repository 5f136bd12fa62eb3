/* Commands that look: explain, help; and psql, which leaves for a while. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "app/acting.h"
#include "app/actlog.h"
#include "app/commands.h"
#include "app/help.h"
#include "app/run.h"
#include "base/json.h"
#include "base/proc.h"
#include "base/utf8.h"
#include "pg/conninfo.h"
#include "pg/explain.h"
#include "pg/sync.h"

enum { EXPLAIN_MS = 5000 };

/* ------------------------------------------------------------------ explain */

struct subject {
	struct arena arena;
	const char *text, *database, *role, *search_path;
};

static const char *
text_of(struct arena *arena, const struct rowset *rows, const char *column)
{
	const struct cell *c = rowset_get(rows, 0, column);

	return c->type == CELL_TEXT ? arena_strndup(arena, c->s, c->len) : NULL;
}

static bool
read_subject(struct subject *s, const struct rowset *rows, struct error *err)
{
	s->text = text_of(&s->arena, rows, "query");
	s->role = text_of(&s->arena, rows, "username");
	s->database = text_of(&s->arena, rows, "database");
	if (cell_i64(rowset_get(rows, 0, "is_hidden"), 0) || !s->text ||
	    strcmp(s->text, "<insufficient privilege>") == 0) {
		error_set(err, ERR_DENIED, "this role may not see that statement");
		return error_hint(err, "GRANT pg_read_all_stats (or pg_monitor) TO the role.");
	}
	if (cell_i64(rowset_get(rows, 0, "is_cut"), 0)) {
		error_set(err, ERR_REFUSED, "the statement is cut off by the server");
		return error_hint(
		    err, "Raise track_activity_query_size, or explain it by its query id.");
	}
	return true;
}

/* "pid 123" or "id 123": the statement is looked up. */
static bool
look_up(struct subject *s, const struct target *target, const char *query, const char *param,
    struct error *err)
{
	struct pg_sync *pg = pg_sync_open(target->conninfo, target->password, err);
	struct rowset *rows = NULL;
	bool ok = false;

	if (!pg)
		return false;
	rows = pg_sync_run(pg, query, &param, 1, EXPLAIN_MS, err);
	if (rows && rows->nrows == 0)
		error_set(err, ERR_NOT_FOUND, "there is no %s %s",
		    strcmp(query, "look_query") == 0 ? "session" : "statement", param);
	else if (rows)
		ok = read_subject(s, rows, err);
	rowset_unref(rows);
	if (ok && s->role && s->database) {
		const char *params[] = { s->role, s->database };
		struct error ignored = { 0 };

		rows = pg_sync_run(pg, "look_search_path", params, 2, 2000, &ignored);
		if (rows && rows->nrows == 1)
			s->search_path = text_of(&s->arena, rows, "search_path");
		rowset_unref(rows);
	}
	pg_sync_close(pg);
	return ok;
}

static bool
is_number(const char *s)
{
	if (*s == '-')
		s++;
	return *s && s[strspn(s, "0123456789")] == '\0';
}

/* The words after "explain": pid N, id N, a bare number (a pid), or SQL. */
static bool
find_subject(struct subject *s, const struct target *target, const char *text, struct error *err)
{
	if (strncmp(text, "pid ", 4) == 0 && is_number(text + 4))
		return look_up(s, target, "look_query", text + 4, err);
	if (strncmp(text, "id ", 3) == 0 && is_number(text + 3))
		return look_up(s, target, "look_statement", text + 3, err);
	if (is_number(text))
		return look_up(s, target, "look_query", text, err);
	s->text = text;
	return true;
}

static void
explain_json(
    struct strbuf *out, const struct subject *s, const struct explain_info *info, const char *plan)
{
	bool first = true;

	strbuf_addc(out, '{');
	json_key(out, &first, "statement");
	json_str(out, s->text, strlen(s->text));
	json_key(out, &first, "generic");
	strbuf_adds(out, info->is_generic ? "true" : "false");
	json_key(out, &first, "params");
	json_int(out, info->params);
	json_key(out, &first, "plan");
	strbuf_adds(out, plan);
	strbuf_adds(out, "}\n");
}

static bool
explain_here(struct run_ctx *ctx, const char *text, struct error *err)
{
	struct subject s = { 0 };
	struct strbuf plan = STRBUF_INIT(16 << 20);
	struct explain_info info;
	bool ok = find_subject(&s, ctx->target, text, err);

	if (ok) {
		struct explain_request req = {
			.conninfo = ctx->target->conninfo,
			.password = ctx->target->password,
			.database = s.database,
			.search_path = s.search_path,
			.text = s.text,
			.timeout_ms = EXPLAIN_MS,
			.json = ctx->opt->json,
		};

		ok = explain_run(&req, &plan, &info, err);
	}
	if (ok && ctx->opt->json) {
		explain_json(ctx->out, &s, &info, plan.buf);
	} else if (ok) {
		if (info.is_generic)
			strbuf_addf(ctx->out,
			    "Generic plan: the statement's %d parameter%s have no values here.\n\n",
			    info.params, info.params == 1 ? "" : "s");
		strbuf_adds(ctx->out, plan.buf);
		if (info.is_superuser)
			strbuf_adds(ctx->out,
			    "\nPlanned as a superuser: planning may call the database's own IMMUTABLE "
			    "functions with those rights. Connect as a plain role where they are not trusted.\n");
		if (text != s.text)
			strbuf_addf(ctx->out, "\n%s\n", s.text);
	}
	strbuf_release(&plan);
	arena_release(&s.arena);
	return ok;
}

/* Without words: the statement of the row under the cursor. */
static const char *
from_cursor(struct run_ctx *ctx, struct arena *arena, struct error *err)
{
	const struct pane *pane = ctx->screen->pane(ctx->console);
	struct grid g = { 0 };
	bool any = false;
	uint64_t key = ctx->screen->cursor(ctx->console, &any);
	const char *line = NULL;
	int id, pid;

	grid_init(&g, pane->columns, pane->ncolumns);
	ctx->screen->fill(ctx->console, &g);
	id = strcmp(pane->name, "statements") == 0 ? grid_col(&g, "query_id") : -1;
	pid = grid_col(&g, "pid");
	for (int i = 0; any && i < g.nrows && !line; i++) {
		if (g.rows[i].key != key)
			continue;
		if (id >= 0)
			line = arena_printf(
			    arena, "explain id %lld", (long long)cell_i64(&g.rows[i].cells[id], 0));
		else if (pid >= 0)
			line = arena_printf(arena, "explain pid %lld",
			    (long long)cell_i64(&g.rows[i].cells[pid], 0));
	}
	grid_release(&g);
	if (!line) {
		error_set(err, ERR_USAGE, "there is no statement under the cursor");
		error_hint(err, "Usage: explain [pid PID | id QUERYID | SQL]");
	}
	return line;
}

static bool
run_explain(struct run_ctx *ctx, const struct words *words, struct error *err)
{
	struct acting *acting;
	struct arena arena = { 0 };
	const char *line = ctx->line;
	bool ok = true;

	if (!ctx->screen) {
		if (words->n > 1)
			return explain_here(ctx, words->w[1].text, err);
		error_set(err, ERR_USAGE, "explain needs to know what");
		return error_hint(err, "Usage: explain [pid PID | id QUERYID | SQL]");
	}
	acting = ctx->screen->acting(ctx->console);
	if (!acting)
		return error_set(
		    err, ERR_STATE, "there is no server to ask in the past or a recording");
	if (words->n == 1)
		line = from_cursor(ctx, &arena, err);
	ok = line &&
	    acting_child(
	        acting, ctx->screen->target(ctx->console), ctx->target, ctx->settings, line, err);
	arena_release(&arena);
	return ok;
}

const struct command cmd_explain = {
	.name = "explain",
	.usage = "explain [pid PID | id QUERYID | SQL]",
	.help = "the plan of a statement, without running it; without words, that under the cursor",
	.args = { ARG_PID, ARG_TEXT, ARG_TEXT, ARG_TEXT },
	.max_args = 1,
	.rest_is_text = true,
	.run = run_explain,
};

/* ------------------------------------------------------------------ help */

static bool
run_help(struct run_ctx *ctx, const struct words *words, struct error *err)
{
	struct doc doc = { 0 };
	bool ok = help_topic(&doc, words->n > 1 ? words->w[1].text : NULL,
	    words->n > 2 ? words->w[2].text : NULL, settings_get(ctx->settings, "keymap"), err);

	if (ok && ctx->screen)
		ctx->screen->show_doc(ctx->console, "help", &doc);
	for (int i = 0; ok && !ctx->screen && i < doc.n; i++)
		strbuf_addf(ctx->out, "%s\n", doc.lines[i].text);
	doc_release(&doc);
	return ok;
}

const struct command cmd_help = {
	.name = "help",
	.alias = "h",
	.usage = "help [TOPIC]",
	.help = "help on a topic, a command or a pane; without words, the topics",
	.args = { ARG_WORD, ARG_PANE, ARG_NONE, ARG_NONE },
	.max_args = 2,
	.run = run_help,
};

/* ------------------------------------------------------------------ psql */

/* Sessions of a target that is read-only here begin read-only. */
static void
begin_read_only(void)
{
	struct strbuf options = STRBUF_INIT(4096);
	const char *given = getenv("PGOPTIONS");

	strbuf_addf(&options, "%s%s-c default_transaction_read_only=on", given ? given : "",
	    given ? " " : "");
	setenv("PGOPTIONS", options.buf, 1);
	strbuf_release(&options);
}

/* A password is in neither its environment nor its arguments: what is started from it sees both. */
static void
psql_exec(const struct conninfo_env *env, bool read_only)
{
	const char *argv[] = { "psql", *env->rest ? env->rest : NULL, NULL };
	int fd =
	    env->passfile && !env->is_from_file ? proc_secret_fd(env->passfile, (uid_t)-1, 0) : -1;
	char file[64];

	for (int i = 0; i < env->n; i++)
		setenv(env->names[i], env->values[i], 1);
	if (fd >= 0 && fcntl(fd, F_SETFD, 0) == 0) {
		snprintf(file, sizeof(file), PROC_SECRET_FOLDER "%d", fd);
		setenv("PGPASSFILE", file, 1);
	}
	unsetenv("PGPASSWORD");
	if (read_only)
		begin_read_only();
	setenv("PGAPPNAME", "psql (pgmedic)", 1);
	execvp("psql", (char *const *)(uintptr_t)argv);
	_exit(127);
}

static bool
wait_psql(pid_t pid, struct error *err)
{
	int status = 0;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return error_set(err, ERR_PROGRAM, "psql was lost: %s", strerror(errno));
	if (WIFEXITED(status) && WEXITSTATUS(status) == 127) {
		error_set(err, ERR_PROGRAM, "psql cannot be started");
		return error_hint(err, "Install postgresql-client, or put psql into PATH.");
	}
	return true;
}

static bool
run_psql(struct run_ctx *ctx, const struct words *words, struct error *err)
{
	struct arena arena = { 0 };
	struct conninfo_env env;
	struct sigaction ignore = { .sa_handler = SIG_IGN }, old_int, old_quit, old_stop;
	pid_t pid;
	bool ok;

	(void)words;
	if (ctx->opt->verb == VERB_REPLAY)
		return error_set(err, ERR_STATE, "there is no server to ask: this is a recording");
	ok = conninfo_to_env(&arena, ctx->target->conninfo, ctx->target->password, &env, err);
	if (!ok)
		goto out;
	ctx->screen->suspend(ctx->console);
	/* Ctrl-C belongs to psql meanwhile; Ctrl-Z stops both, or the shell would not come back. */
	sigaction(SIGINT, &ignore, &old_int);
	sigaction(SIGQUIT, &ignore, &old_quit);
	sigaction(SIGTSTP, &(struct sigaction){ .sa_handler = SIG_DFL }, &old_stop);
	pid = fork();
	if (pid == 0) {
		sigaction(SIGINT, &(struct sigaction){ .sa_handler = SIG_DFL }, NULL);
		sigaction(SIGQUIT, &(struct sigaction){ .sa_handler = SIG_DFL }, NULL);
		psql_exec(&env, ctx->target->read_only_why || ctx->target->is_read_only);
	}
	ok = pid > 0 ? wait_psql(pid, err) :
	               error_set(err, ERR_PROGRAM, "cannot fork: %s", strerror(errno));
	sigaction(SIGINT, &old_int, NULL);
	sigaction(SIGQUIT, &old_quit, NULL);
	sigaction(SIGTSTP, &old_stop, NULL);
	ctx->screen->resume(ctx->console);
out:
	arena_release(&arena);
	return ok;
}

const struct command cmd_psql = {
	.name = "psql",
	.usage = "psql",
	.help = "a psql session on this target; the console comes back when it ends",
	.needs_screen = true,
	.run = run_psql,
};
