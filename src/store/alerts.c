/*
 * The file of the alerts. WAL mode, so that a reader never stops a writer; synchronous NORMAL:
 * after a power cut the last seconds may be missing, never the file. Alerts of the past are kept
 * for a year, ten thousand at most.
 */
#include "config.h"

#include "store/alerts.h"

#include <math.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/conf.h"

enum { BUSY_MS = 2000, MEMORY_COLS = 7 };

struct alerts {
	sqlite3 *db;
};

static const char *const migrations[] = {
	"CREATE TABLE alert ("
	" id INTEGER PRIMARY KEY,"
	" target TEXT NOT NULL,"
	" rule TEXT NOT NULL,"
	" severity TEXT NOT NULL,"
	" raised INTEGER NOT NULL," /* microseconds since 1970, server clock */
	" cleared INTEGER,"
	" value REAL,"
	" what TEXT NOT NULL,"
	" evidence TEXT NOT NULL);"
	"CREATE INDEX alert_past ON alert (target, raised);"
	"CREATE UNIQUE INDEX alert_open ON alert (target, rule) WHERE cleared IS NULL;"
	"CREATE TABLE mute ("
	" target TEXT NOT NULL, rule TEXT NOT NULL, until INTEGER NOT NULL, reason TEXT NOT NULL,"
	" PRIMARY KEY (target, rule)) WITHOUT ROWID;"
	"CREATE TABLE memory ("
	" target TEXT NOT NULL, n INTEGER NOT NULL,"
	" kind TEXT, name TEXT, text TEXT, since INTEGER, seen INTEGER, a REAL, b REAL,"
	" PRIMARY KEY (target, n)) WITHOUT ROWID;",
};

static bool
fail(struct alerts *a, struct error *err, const char *what)
{
	error_set(err, ERR_STATE, "the alerts cannot be %s: %s", what, sqlite3_errmsg(a->db));
	if (sqlite3_errcode(a->db) == SQLITE_NOTADB || sqlite3_errcode(a->db) == SQLITE_CORRUPT)
		return error_hint(err, "Move alerts.db away; a new one is made.");
	return error_hint(
	    err, "The state folder must be writable; XDG_STATE_HOME chooses another.");
}

static bool
execute(struct alerts *a, const char *sql, struct error *err)
{
	return sqlite3_exec(a->db, sql, NULL, NULL, NULL) == SQLITE_OK || fail(a, err, "written");
}

static int
user_version(struct alerts *a)
{
	sqlite3_stmt *st = NULL;
	int version = -1;

	if (sqlite3_prepare_v2(a->db, "PRAGMA user_version", -1, &st, NULL) == SQLITE_OK &&
	    sqlite3_step(st) == SQLITE_ROW)
		version = sqlite3_column_int(st, 0);
	sqlite3_finalize(st);
	return version;
}

static bool
rollback(struct alerts *a)
{
	(void)sqlite3_exec(a->db, "ROLLBACK", NULL, NULL, NULL);
	return false;
}

static bool
migrate(struct alerts *a, struct error *err)
{
	int version = user_version(a);

	if (version == (int)ARRAY_LEN(migrations))
		return true;
	if (version > (int)ARRAY_LEN(migrations))
		return error_set(err, ERR_STATE,
		    "the alerts were written by a newer pgmedic (version %d)", version);
	/* Another process may be migrating: look again under the write lock. */
	if (!execute(a, "BEGIN IMMEDIATE", err))
		return false;
	version = user_version(a);
	if (version < 0) {
		fail(a, err, "read");
		return rollback(a);
	}
	for (; version < (int)ARRAY_LEN(migrations); version++) {
		char pragma[64];

		snprintf(pragma, sizeof(pragma), "PRAGMA user_version = %d", version + 1);
		if (!execute(a, migrations[version], err) || !execute(a, pragma, err))
			return rollback(a);
	}
	return execute(a, "COMMIT", err);
}

struct alerts *
alerts_open(struct error *err)
{
	struct arena arena = { 0 };
	struct alerts *a = xcalloc(1, sizeof(*a));
	const char *dir = path_state(&arena, "");
	const char *path = path_state(&arena, "alerts.db");
	mode_t mask = umask(077);
	bool ok = path_make(dir, err);

	if (ok &&
	    sqlite3_open_v2(path, &a->db,
	        SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX,
	        NULL) != SQLITE_OK)
		ok = fail(a, err, "opened");
	if (ok) {
		sqlite3_busy_timeout(a->db, BUSY_MS);
		ok = execute(a, "PRAGMA journal_mode = WAL", err) &&
		    execute(a, "PRAGMA synchronous = NORMAL", err) && migrate(a, err);
	}
	umask(mask);
	arena_release(&arena);
	if (ok)
		return a;
	err->code = ERR_STATE;
	alerts_close(a);
	return NULL;
}

void
alerts_close(struct alerts *a)
{
	if (!a)
		return;
	sqlite3_close(a->db);
	free(a);
}

static sqlite3_stmt *
prepare(struct alerts *a, const char *sql, struct error *err)
{
	sqlite3_stmt *st = NULL;

	if (sqlite3_prepare_v2(a->db, sql, -1, &st, NULL) == SQLITE_OK)
		return st;
	fail(a, err, "read");
	return NULL;
}

static void
bind_text(sqlite3_stmt *st, int at, const char *s)
{
	sqlite3_bind_text(st, at, s ? s : "", -1, SQLITE_TRANSIENT);
}

static void
bind_num(sqlite3_stmt *st, int at, double v)
{
	if (isfinite(v))
		sqlite3_bind_double(st, at, v);
	else
		sqlite3_bind_null(st, at);
}

/* Runs a statement without rows, and ends it. */
static bool
finish(struct alerts *a, sqlite3_stmt *st, struct error *err)
{
	bool ok = sqlite3_step(st) == SQLITE_DONE || fail(a, err, "written");

	sqlite3_finalize(st);
	return ok;
}

static void
bind_row(sqlite3_stmt *st, const struct alert_row *row)
{
	bind_text(st, 1, row->target);
	bind_text(st, 2, row->rule);
	bind_text(st, 3, row->severity);
	sqlite3_bind_int64(st, 4, row->at.us);
	bind_num(st, 5, row->value);
	bind_text(st, 6, row->what);
	bind_text(st, 7, row->evidence);
}

bool
alerts_raise(struct alerts *a, const struct alert_row *row, bool *is_news, struct error *err)
{
	sqlite3_stmt *st = prepare(a,
	    "INSERT OR IGNORE INTO alert (target, rule, severity, raised, value, what, evidence)"
	    " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
	    err);

	if (!st)
		return false;
	bind_row(st, row);
	if (!finish(a, st, err))
		return false;
	*is_news = sqlite3_changes(a->db) > 0;
	if (*is_news)
		return execute(a,
		    "DELETE FROM alert WHERE id <= (SELECT max(id) FROM alert) - 10000"
		    " OR raised < (SELECT max(raised) FROM alert) - 366 * 86400000000",
		    err);
	st = prepare(a,
	    "UPDATE alert SET severity = ?3, value = ?5, what = ?6, evidence = ?7"
	    " WHERE target = ?1 AND rule = ?2 AND cleared IS NULL AND severity <> ?3"
	    " AND ?4 IS NOT NULL",
	    err);
	if (!st)
		return false;
	bind_row(st, row);
	if (!finish(a, st, err))
		return false;
	*is_news = sqlite3_changes(a->db) > 0;
	return true;
}

bool
alerts_clear(struct alerts *a, const struct alert_row *row, bool *was_open, struct error *err)
{
	sqlite3_stmt *st = prepare(a,
	    "UPDATE alert SET cleared = ?3 WHERE target = ?1 AND rule = ?2 AND cleared IS NULL",
	    err);

	if (!st)
		return false;
	bind_text(st, 1, row->target);
	bind_text(st, 2, row->rule);
	sqlite3_bind_int64(st, 3, row->at.us);
	if (!finish(a, st, err))
		return false;
	*was_open = sqlite3_changes(a->db) > 0;
	return true;
}

static struct cell
column(struct rowset *rs, sqlite3_stmt *st, int i, uint8_t type)
{
	if (sqlite3_column_type(st, i) == SQLITE_NULL)
		return cell_null(WHY_NONE);
	switch (type) {
	case CELL_TEXT:
		return cell_textn(
		    arena_strndup(&rs->arena, (const char *)sqlite3_column_text(st, i),
		        (size_t)sqlite3_column_bytes(st, i)),
		    (size_t)sqlite3_column_bytes(st, i));
	case CELL_TIME:
		return cell_time(sqlite3_column_int64(st, i));
	default:
		return cell_float(sqlite3_column_double(st, i));
	}
}

/* All rows of a statement into a rowset of as many columns; ends the statement. */
static struct rowset *
fetch(struct alerts *a, sqlite3_stmt *st, struct rowset *rs, struct error *err)
{
	int got;

	while ((got = sqlite3_step(st)) == SQLITE_ROW) {
		struct cell *c = rowset_add(rs);
		for (int i = 0; i < rs->ncols; i++)
			c[i] = column(rs, st, i, rs->types[i]);
	}
	sqlite3_finalize(st);
	if (got == SQLITE_DONE)
		return rs;
	fail(a, err, "read");
	rowset_unref(rs);
	return NULL;
}

struct rowset *
alerts_past(struct alerts *a, const char *target, int limit, struct error *err)
{
	static const char *const names[] = { "rule", "severity", "raised", "cleared", "value",
		"what", "evidence" };
	static const uint8_t types[] = { CELL_TEXT, CELL_TEXT, CELL_TIME, CELL_TIME, CELL_FLOAT,
		CELL_TEXT, CELL_TEXT };
	sqlite3_stmt *st = prepare(a,
	    "SELECT rule, severity, raised, cleared, value, what, evidence FROM alert"
	    " WHERE target = ?1 ORDER BY raised DESC, id DESC LIMIT ?2",
	    err);

	if (!st)
		return NULL;
	bind_text(st, 1, target);
	sqlite3_bind_int(st, 2, limit);
	return fetch(a, st, rowset_new((int)ARRAY_LEN(names), names, types), err);
}

bool
alerts_mute(struct alerts *a, const char *target, const char *rule, struct wall until,
    const char *reason, struct error *err)
{
	sqlite3_stmt *st = prepare(a,
	    until.us ? "INSERT OR REPLACE INTO mute (target, rule, until, reason)"
	               " VALUES (?1, ?2, ?3, ?4)" :
	               "DELETE FROM mute WHERE target = ?1 AND rule = ?2 AND ?3 = 0 AND ?4 = ''",
	    err);

	if (!st)
		return false;
	bind_text(st, 1, target);
	bind_text(st, 2, rule);
	sqlite3_bind_int64(st, 3, until.us);
	bind_text(st, 4, until.us ? reason : "");
	return finish(a, st, err);
}

struct rowset *
alerts_mutes(struct alerts *a, const char *target, struct wall now, struct error *err)
{
	static const char *const names[] = { "rule", "until", "reason" };
	static const uint8_t types[] = { CELL_TEXT, CELL_TIME, CELL_TEXT };
	sqlite3_stmt *st = prepare(a,
	    "SELECT rule, until, reason FROM mute WHERE target = ?1 AND until > ?2 ORDER BY rule",
	    err);

	if (!st)
		return NULL;
	bind_text(st, 1, target);
	sqlite3_bind_int64(st, 2, now.us);
	return fetch(a, st, rowset_new((int)ARRAY_LEN(names), names, types), err);
}

static bool
add_memory(
    struct alerts *a, const char *target, const struct rowset *rs, int row, struct error *err)
{
	const struct cell *c = rowset_row(rs, row);
	sqlite3_stmt *st = prepare(a,
	    "INSERT INTO memory (target, n, kind, name, text, since, seen, a, b)"
	    " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
	    err);

	if (!st)
		return false;
	bind_text(st, 1, target);
	sqlite3_bind_int(st, 2, row);
	for (int i = 0; i < MEMORY_COLS; i++) {
		if (cell_is_null(&c[i]))
			sqlite3_bind_null(st, i + 3);
		else if (rs->types[i] == CELL_TEXT)
			sqlite3_bind_text(st, i + 3, c[i].s, (int)c[i].len, SQLITE_TRANSIENT);
		else if (rs->types[i] == CELL_TIME)
			sqlite3_bind_int64(st, i + 3, c[i].i);
		else
			bind_num(st, i + 3, cell_num(&c[i], NAN));
	}
	return finish(a, st, err);
}

bool
alerts_remember(
    struct alerts *a, const char *target, const struct rowset *memory, struct error *err)
{
	sqlite3_stmt *st;
	bool ok;

	if (memory->ncols != MEMORY_COLS)
		return error_set(err, ERR_STATE, "the rules' memory has %d columns", memory->ncols);
	if (!execute(a, "BEGIN IMMEDIATE", err))
		return false;
	st = prepare(a, "DELETE FROM memory WHERE target = ?1", err);
	if (!st)
		return rollback(a);
	bind_text(st, 1, target);
	ok = finish(a, st, err);
	for (int i = 0; ok && i < memory->nrows; i++)
		ok = add_memory(a, target, memory, i, err);
	return ok ? execute(a, "COMMIT", err) : rollback(a);
}

struct rowset *
alerts_recall(struct alerts *a, const char *target, struct rowset *empty, struct error *err)
{
	sqlite3_stmt *st = prepare(a,
	    "SELECT kind, name, text, since, seen, a, b FROM memory WHERE target = ?1 ORDER BY n",
	    err);

	if (!st) {
		rowset_unref(empty);
		return NULL;
	}
	bind_text(st, 1, target);
	return fetch(a, st, empty, err);
}
