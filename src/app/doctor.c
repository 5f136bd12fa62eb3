#include "config.h"

#include "app/doctor.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "app/op_target.h"
#include "app/targets.h"
#include "base/checks.h"
#include "base/json.h"
#include "base/proc.h"
#include "base/utf8.h"
#include "ops/production.h"
#include "pg/sync.h"
#include "store/journal.h"

enum level { GOOD, NOTE, BAD };

static const char *const level_names[] = { "ok", "note", "missing" };

struct doctor_check {
	const char *area, *what, *hint;
	enum level level;
};

struct report {
	struct arena arena;
	struct checks production;
	struct doctor_check *checks;
	int n, cap;
};

static void PRINTF_LIKE(5, 6) add(
    struct report *r, const char *area, enum level level, const char *hint, const char *fmt, ...)
{
	struct strbuf sb = STRBUF_INIT(1024);
	va_list ap;

	va_start(ap, fmt);
	strbuf_addv(&sb, fmt, ap);
	va_end(ap);
	GROW(r->checks, r->n, r->cap);
	r->checks[r->n++] = (struct doctor_check){
		.area = area,
		.level = level,
		.what = arena_strdup(&r->arena, sb.buf),
		.hint = arena_strdup(&r->arena, level == GOOD ? "" : hint),
	};
	strbuf_release(&sb);
}

static const char *
value(struct report *r, const struct rowset *rows, const char *column)
{
	const struct cell *c = rowset_get(rows, 0, column);

	return c->type == CELL_TEXT ? arena_strndup(&r->arena, c->s, c->len) : NULL;
}

static bool
is_set(const struct rowset *rows, const char *column)
{
	return cell_i64(rowset_get(rows, 0, column), 0) != 0;
}

static void
check_server(struct report *r, const struct rowset *rows)
{
	int64_t num = cell_i64(rowset_get(rows, 0, "version_num"), 0);
	const char *version = value(r, rows, "version");

	add(r, "server",
	    num < 130000      ? BAD :
	        num >= 190000 ? NOTE :
	                        GOOD,
	    num < 130000 ? "pgmedic knows PostgreSQL 13 and newer." :
	                   "This version is newer than the ones pgmedic was tested on.",
	    "PostgreSQL %s, %s", version ? version : "?",
	    is_set(rows, "is_standby") ? "standby" : "primary");
}

static void
check_role(struct report *r, const struct rowset *rows)
{
	const char *role = value(r, rows, "role");
	bool super = is_set(rows, "is_superuser");

	add(r, "role", GOOD, "", "%s%s in database %s", role, super ? " (superuser)" : "",
	    value(r, rows, "database"));
	add(r, "role", is_set(rows, "has_read_stats") ? GOOD : BAD,
	    arena_printf(&r->arena, "GRANT pg_monitor TO %s", role),
	    is_set(rows, "has_read_stats") ?
	        "sees the statements and waits of all sessions" :
	        "sees only its own sessions: others' statements and waits are hidden");
	add(r, "role", is_set(rows, "has_read_settings") ? GOOD : NOTE,
	    arena_printf(&r->arena, "GRANT pg_monitor TO %s", role),
	    is_set(rows, "has_read_settings") ? "sees all settings" : "some settings are hidden");
	add(r, "role", is_set(rows, "has_signal") ? GOOD : NOTE,
	    arena_printf(&r->arena, "GRANT pg_signal_backend TO %s", role),
	    super ? "may cancel and terminate every session" :
	        is_set(rows, "has_signal") ?
	            "may cancel and terminate sessions, but not those of superusers" :
	            "may cancel and terminate its own sessions only");
	add(r, "role", is_set(rows, "has_checkpoint") ? GOOD : NOTE,
	    arena_printf(&r->arena, "GRANT pg_checkpoint TO %s (15 and newer)", role),
	    is_set(rows, "has_checkpoint") ? "may order a checkpoint" :
	                                     "may not order a checkpoint");
}

static void
check_statements(struct report *r, const struct rowset *rows)
{
	const char *version = value(r, rows, "pgss_version"), *preload = value(r, rows, "preload");
	bool loaded =
	    preload ? strstr(preload, "pg_stat_statements") != NULL : is_set(rows, "pgss_usable");

	if (version && loaded)
		add(r, "statements", GOOD, "", "pg_stat_statements %s is here", version);
	else if (!loaded)
		add(r, "statements", BAD,
		    "Add it to shared_preload_libraries and restart the server.",
		    "pg_stat_statements is %s",
		    version ? "installed but not preloaded: it counts nothing" : "not preloaded");
	else
		add(r, "statements", BAD, "CREATE EXTENSION pg_stat_statements",
		    is_set(rows, "pgss_available") ?
		        "pg_stat_statements is not installed in this database" :
		        "pg_stat_statements is not installed on the server");
}

/* Index advice does without it; with it the planner says what an index would change. */
static void
check_hypopg(struct report *r, const struct rowset *rows)
{
	const char *version = value(r, rows, "hypopg_version");

	if (version)
		add(r, "advice", GOOD, "",
		    "hypopg %s is here: the planner is asked what indexes save", version);
	else
		add(r, "advice", NOTE,
		    is_set(rows, "hypopg_available") ?
		        "CREATE EXTENSION hypopg" :
		        "Install postgresql-NN-hypopg on the server.",
		    "hypopg is not in this database: what indexes save is modelled");
}

static void
check_on(struct report *r, const struct rowset *rows, const char *setting, enum level level,
    const char *without)
{
	const char *v = value(r, rows, setting);
	bool on =
	    v && (strcmp(v, "on") == 0 || strcmp(v, "auto") == 0 || strcmp(v, "regress") == 0);

	if (v)
		add(r, "settings", on ? GOOD : level,
		    arena_printf(&r->arena, "ALTER SYSTEM SET %s = on", setting), "%s is %s%s%s",
		    setting, v, on ? "" : ": ", on ? "" : without);
}

static void
check_settings(struct report *r, const struct rowset *rows)
{
	const char *size = value(r, rows, "query_size");

	check_on(r, rows, "track_activities", BAD, "statements of sessions are not shown");
	check_on(r, rows, "track_counts", BAD, "no counters, and autovacuum is blind");
	check_on(r, rows, "track_io_timing", NOTE, "no times of reads and writes");
	check_on(r, rows, "compute_query_id", NOTE, "sessions cannot be tied to statements");
	if (size)
		add(r, "settings", GOOD, "",
		    "track_activity_query_size is %s: longer statements are shown cut", size);
}

static void
check_terminal(struct report *r)
{
	const char *term = getenv("TERM"), *colorterm = getenv("COLORTERM");
	struct arena arena = { 0 };
	struct winsize ws = { 0 };
	bool is_tty = isatty(STDOUT_FILENO) != 0;

	if (!term || !*term || strcmp(term, "dumb") == 0)
		add(r, "terminal", NOTE, "Set TERM to your terminal's name.",
		    "TERM is %s: the console cannot draw", term && *term ? term : "not set");
	else
		add(r, "terminal", GOOD, "", "TERM is %s%s", term,
		    colorterm && *colorterm ? " with direct colour" :
		        strstr(term, "256") ? " with 256 colours" :
		                              "");
	add(r, "terminal", utf8_enabled ? GOOD : NOTE,
	    "Use a UTF-8 locale (LANG=C.UTF-8) for finer charts.",
	    utf8_enabled ? "UTF-8" : "no UTF-8: charts are drawn in ASCII");
	if (is_tty && ioctl(STDOUT_FILENO, TIOCGWINSZ, &ws) == 0 && ws.ws_col)
		add(r, "terminal", ws.ws_col >= 80 && ws.ws_row >= 24 ? GOOD : NOTE,
		    "80 columns and 24 lines show everything.", "%d columns, %d lines", ws.ws_col,
		    ws.ws_row);
	add(r, "programs", proc_find(&arena, "psql") ? GOOD : NOTE,
	    "Install postgresql-client for the command psql.",
	    proc_find(&arena, "psql") ? "psql is here" : "psql was not found");
	arena_release(&arena);
}

static void
check_journal(struct report *r)
{
	struct error err = { 0 };
	struct journal *j = journal_open(&err);

	add(r, "journal", j ? GOOD : BAD, err.hint, "%s",
	    j ? "the journal can be written" :
	        arena_printf(&r->arena, "%s: what changes a server is refused", err.what));
	journal_close(j);
}

static void
print_json(const struct report *r, const struct target *t)
{
	struct strbuf out = STRBUF_INIT(1 << 20);

	strbuf_adds(&out, "{\"target\":");
	json_str(&out, t->name, strlen(t->name));
	strbuf_adds(&out, ",\"checks\":[");
	for (int i = 0; i < r->n; i++) {
		const struct doctor_check *c = &r->checks[i];
		bool first = true;

		strbuf_adds(&out, i ? ",{" : "{");
		json_key(&out, &first, "area");
		json_str(&out, c->area, strlen(c->area));
		json_key(&out, &first, "state");
		json_str(&out, level_names[c->level], strlen(level_names[c->level]));
		json_key(&out, &first, "what");
		json_str(&out, c->what, strlen(c->what));
		json_key(&out, &first, "hint");
		json_str(&out, c->hint, strlen(c->hint));
		strbuf_addc(&out, '}');
	}
	strbuf_adds(&out, "],\"checklist\":");
	checks_json(&out, &r->production, "check");
	strbuf_adds(&out, "}");
	puts(out.buf);
	strbuf_release(&out);
}

static void
print_text(const struct report *r)
{
	struct strbuf clean = STRBUF_INIT(1 << 18);

	for (int i = 0; i < r->n; i++) {
		const struct doctor_check *c = &r->checks[i];

		strbuf_clear(&clean);
		utf8_clean(&clean, c->what, strlen(c->what), true);
		printf("%-8s %-11s %s\n", level_names[c->level], c->area, clean.buf);
		if (*c->hint) {
			strbuf_clear(&clean);
			utf8_clean(&clean, c->hint, strlen(c->hint), true);
			printf("%-20s HINT: %s\n", "", clean.buf);
		}
	}
	strbuf_clear(&clean);
	checks_text(&clean, &r->production, 0);
	printf("\nPRODUCTION CHECKLIST\n%s", clean.buf);
	strbuf_release(&clean);
}

/* With a session or without: what it cannot tell is unknown then. */
static void
check_production(
    struct report *r, struct settings *settings, const struct target *t, struct pg_sync *pg)
{
	struct error err = { 0 };
	const struct op_target *target = op_target_of(&r->arena, settings, t, &err);

	if (target)
		production_checks(target, pg, &r->production);
	else
		add(r, "settings", BAD, err.hint, "%s", err.what);
}

static bool
examine(struct report *r, struct settings *settings, const struct target *t, struct error *err)
{
	struct pg_sync *pg = pg_sync_open(t->conninfo, t->password, err);
	struct rowset *rows = pg ? pg_sync_run(pg, "look_doctor", NULL, 0, 5000, err) : NULL;

	if (rows && rows->nrows == 1) {
		check_server(r, rows);
		check_role(r, rows);
		check_statements(r, rows);
		check_hypopg(r, rows);
		check_settings(r, rows);
	}
	check_production(r, settings, t, rows ? pg : NULL);
	rowset_unref(rows);
	pg_sync_close(pg);
	return rows != NULL;
}

int
doctor_main(const struct options *opt, struct settings *settings)
{
	struct targets targets = { 0 };
	struct report r = { 0 };
	struct error err = { 0 };
	int status = EXIT_DONE;

	if (!targets_resolve(&targets, opt, settings, opt->args, opt->nargs, &err)) {
		error_report(&err);
		targets_release(&targets);
		return options_exit_status(&err);
	}
	if (!examine(&r, settings, &targets.items[0], &err)) {
		add(&r, "server", BAD, err.hint, "cannot reach %s: %s", targets.items[0].name,
		    err.what);
		add(&r, "server", NOTE, "pgmedic diagnose connect TARGET",
		    "the way to it can be walked layer by layer");
		status = options_exit_status(&err);
	}
	check_terminal(&r);
	check_journal(&r);
	if (opt->json)
		print_json(&r, &targets.items[0]);
	else
		print_text(&r);
	for (int i = 0; i < r.n; i++)
		if (r.checks[i].level == BAD && status == EXIT_DONE)
			status = EXIT_FAILED;
	free(r.checks);
	checks_release(&r.production);
	arena_release(&r.arena);
	targets_release(&targets);
	return status;
}
