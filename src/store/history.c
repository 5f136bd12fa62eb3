/*
 * The history file. WAL mode, so that readers and writers do not stop each other; synchronous
 * NORMAL: what is committed survives the end of this program, however it comes, and a power cut
 * takes the last minutes at most and never damages the file. One fsync a minute on a disk in
 * trouble is not worth those. The schema's version is in user_version; each entry of `migrations`
 * takes it one further.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/conf.h"
#include "base/log.h"
#include "base/mem.h"
#include "store/history_priv.h"

enum {
	BUSY_MS = 5000,
	WAL_BYTES = 8 << 20,    /* the write-ahead log is cut to this after a checkpoint */
	CHECK_BYTES = 64 << 20, /* files up to this size are checked when opened */
};
static const int64_t default_limit = INT64_C(256) << 20;

static const char *const migrations[] = {
	"CREATE TABLE target ("
	" id INTEGER PRIMARY KEY,"
	" name TEXT NOT NULL,"
	" system_identifier INTEGER NOT NULL DEFAULT 0,"
	" seen_at INTEGER NOT NULL," /* seconds since 1970, as all times here */
	" UNIQUE (name, system_identifier));"
	"CREATE TABLE metric (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);"
	"CREATE TABLE object (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);"
	"CREATE TABLE figures ("
	" target INTEGER NOT NULL,"
	" step INTEGER NOT NULL," /* seconds: 60, 3600 */
	" t INTEGER NOT NULL,"
	" v BLOB NOT NULL,"
	" PRIMARY KEY (target, step, t)) WITHOUT ROWID;"
	"CREATE TABLE size ("
	" target INTEGER NOT NULL,"
	" object INTEGER NOT NULL,"
	" t INTEGER NOT NULL,"
	" bytes INTEGER NOT NULL,"
	" PRIMARY KEY (target, object, t)) WITHOUT ROWID;",

	"ALTER TABLE figures ADD COLUMN wal_lsn INTEGER;"
	"CREATE TABLE statement ("
	" target INTEGER NOT NULL,"
	" step INTEGER NOT NULL," /* 3600, 86400 */
	" t INTEGER NOT NULL,"
	" queryid INTEGER NOT NULL,"
	" dbid INTEGER NOT NULL,"
	" userid INTEGER NOT NULL,"
	" calls REAL NOT NULL,"
	" total_ms REAL NOT NULL,"
	" hit REAL NOT NULL,"
	" read REAL NOT NULL,"
	" PRIMARY KEY (target, step, t, queryid, dbid, userid)) WITHOUT ROWID;",
};

static const char *const sql_texts[SQL_COUNT] = {
#define X(name, sql) sql,
	HISTORY_SQL(X)
#undef X
};

/* ------------------------------------------------------------------ statements */

bool
history_fail(struct history *h, struct error *err, const char *what)
{
	int code = h->db ? sqlite3_errcode(h->db) & 0xff : SQLITE_NOMEM;

	if (code == SQLITE_CORRUPT || code == SQLITE_NOTADB) {
		h->is_damaged = true;
		return error_set(
		    err, ERR_FORMAT, "%s is damaged: %s", h->path, sqlite3_errmsg(h->db));
	}
	error_set(err, ERR_STATE, "the history cannot be %s: %s", what,
	    h->db ? sqlite3_errmsg(h->db) : "out of memory");
	if (code == SQLITE_READONLY || code == SQLITE_CANTOPEN || code == SQLITE_PERM)
		error_hint(err, "Its folder must be writable; XDG_STATE_HOME chooses another.");
	else if (code == SQLITE_FULL)
		error_hint(err, "Make room in %s, or set history_size.", h->path);
	return false;
}

bool
history_exec(struct history *h, const char *sql, struct error *err)
{
	return sqlite3_exec(h->db, sql, NULL, NULL, NULL) == SQLITE_OK ||
	    history_fail(h, err, "written");
}

sqlite3_stmt *
history_prepare(struct history *h, const char *sql, struct error *err)
{
	sqlite3_stmt *st = NULL;

	if (sqlite3_prepare_v2(h->db, sql, -1, &st, NULL) != SQLITE_OK)
		history_fail(h, err, "read");
	return st;
}

sqlite3_stmt *
history_sql(struct history *h, enum history_sql sql, struct error *err)
{
	if (!h->st[sql])
		h->st[sql] = history_prepare(h, sql_texts[sql], err);
	if (h->st[sql]) {
		sqlite3_reset(h->st[sql]);
		sqlite3_clear_bindings(h->st[sql]);
	}
	return h->st[sql];
}

bool
history_run(struct history *h, sqlite3_stmt *st, struct error *err)
{
	bool ok = sqlite3_step(st) == SQLITE_DONE || history_fail(h, err, "written");

	sqlite3_reset(st);
	return ok;
}

bool
history_begin(struct history *h, struct error *err)
{
	struct stat st;

	if (stat(h->path, &st) != 0 || st.st_dev != h->device || st.st_ino != h->inode) {
		h->is_damaged = true;
		return error_set(
		    err, ERR_STATE, "%s was moved away or deleted while it was in use", h->path);
	}
	return history_exec(h, "BEGIN IMMEDIATE", err);
}

static void
forget_metrics(struct history *h)
{
	for (int i = 0; i < h->nmetrics; i++)
		free(h->metrics[i].name);
	h->nmetrics = 0;
}

bool
history_end(struct history *h, bool ok, struct error *err)
{
	if (ok && history_exec(h, "COMMIT", err))
		return true;
	(void)sqlite3_exec(h->db, "ROLLBACK", NULL, NULL, NULL);
	forget_metrics(h); /* their ids may have gone with it */
	return false;
}

/* ------------------------------------------------------------------ opening */

static int64_t
pragma_value(struct history *h, const char *sql)
{
	sqlite3_stmt *st = NULL;
	int64_t value = -1;

	if (sqlite3_prepare_v2(h->db, sql, -1, &st, NULL) == SQLITE_OK &&
	    sqlite3_step(st) == SQLITE_ROW)
		value = sqlite3_column_int64(st, 0);
	sqlite3_finalize(st);
	return value;
}

static bool
migrate_to(struct history *h, int version, struct error *err)
{
	char pragma[64];

	snprintf(pragma, sizeof(pragma), "PRAGMA user_version = %d", version);
	return history_exec(h, migrations[version - 1], err) && history_exec(h, pragma, err);
}

static bool
migrate(struct history *h, struct error *err)
{
	int64_t version = pragma_value(h, "PRAGMA user_version");
	bool ok = true;

	if (version < 0)
		return history_fail(h, err, "read");
	if (version > (int)ARRAY_LEN(migrations)) {
		error_set(err, ERR_STATE,
		    "the history was written by a newer pgmedic (version %" PRId64
		    "): it is left as it is",
		    version);
		return error_hint(err, "Use that version, or move %s away.", h->path);
	}
	if (version == (int)ARRAY_LEN(migrations))
		return true;
	/* Another process may be migrating: look again under the write lock. */
	if (!history_begin(h, err))
		return false;
	version = pragma_value(h, "PRAGMA user_version");
	ok = version >= 0 || history_fail(h, err, "read");
	for (; ok && version < (int)ARRAY_LEN(migrations); version++)
		ok = migrate_to(h, (int)version + 1, err);
	return history_end(h, ok, err);
}

/* While another process makes, recovers or migrates the file, its mode cannot be changed. */
static bool
enter_wal(struct history *h, struct error *err)
{
	for (int tries = BUSY_MS / 50; tries > 0; tries--) {
		int rc = sqlite3_exec(h->db, "PRAGMA journal_mode = WAL", NULL, NULL, NULL);

		if (rc == SQLITE_OK)
			return true;
		if ((rc & 0xff) != SQLITE_BUSY && (rc & 0xff) != SQLITE_LOCKED)
			break;
		poll(NULL, 0, 50);
	}
	return history_fail(h, err, "opened");
}

static bool
check(struct history *h, struct error *err)
{
	sqlite3_stmt *st;
	const char *text;
	bool ok;

	if (history_bytes(h) > CHECK_BYTES)
		return true;
	st = history_prepare(h, "PRAGMA quick_check(1)", err);
	if (!st)
		return false;
	ok = sqlite3_step(st) == SQLITE_ROW || history_fail(h, err, "read");
	text = ok ? (const char *)sqlite3_column_text(st, 0) : NULL;
	if (ok && (!text || strcmp(text, "ok") != 0)) {
		h->is_damaged = true;
		ok = error_set(err, ERR_FORMAT, "%s is damaged: %.100s", h->path, text ? text : "");
	}
	sqlite3_finalize(st);
	return ok;
}

static struct history *
try_open(const char *path, struct error *err)
{
	struct history *h = xcalloc(1, sizeof(*h));
	char pragma[80];
	struct stat st;
	bool ok;

	h->path = xstrdup(path);
	h->lead_fd = -1;
	ok = sqlite3_open_v2(path, &h->db,
	         SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX,
	         NULL) == SQLITE_OK ||
	    history_fail(h, err, "opened");
	if (ok && stat(path, &st) == 0) {
		h->device = st.st_dev;
		h->inode = st.st_ino;
	}
	if (ok) {
		sqlite3_busy_timeout(h->db, BUSY_MS);
		snprintf(pragma, sizeof(pragma), "PRAGMA journal_size_limit = %d", WAL_BYTES);
		/* The first means something to an empty file only: pages can be given back. */
		ok = history_exec(h, "PRAGMA auto_vacuum = INCREMENTAL", err) &&
		    enter_wal(h, err) && history_exec(h, "PRAGMA synchronous = NORMAL", err) &&
		    history_exec(h, pragma, err) && check(h, err) && migrate(h, err);
	}
	if (!ok) {
		history_close(h);
		return NULL;
	}
	history_limit(h, default_limit);
	return h;
}

/* The damaged file gets a name of its own, with what belongs to it. */
static bool
move_aside(const char *path, char *moved, size_t size, struct error *err)
{
	static const char *const parts[] = { "", "-wal", "-shm" };
	char from[4200], to[4200];
	struct stat st;

	for (int i = 1;; i++) {
		snprintf(moved, size, "%s.damaged-%d", path, i);
		if (stat(moved, &st) != 0)
			break;
	}
	for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
		snprintf(from, sizeof(from), "%s%s", path, parts[i]);
		snprintf(to, sizeof(to), "%s%s", moved, parts[i]);
		if (rename(from, to) != 0 && (i == 0 || errno != ENOENT))
			return error_set(err, ERR_STATE, "%s is damaged and cannot be moved: %s",
			    from, strerror(errno));
	}
	return true;
}

/*
 * Several programs may find the damage at once: one of them moves the file, the others then find a
 * good one.
 */
static struct history *
replace(const char *path, struct error *err)
{
	struct error damage = *err, again = { 0 };
	char lock[4200], moved[4200] = "";
	struct history *h;
	int fd;

	snprintf(lock, sizeof(lock), "%s.lock", path);
	fd = open(lock, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0 || flock(fd, LOCK_EX) != 0) {
		error_set(err, ERR_STATE, "cannot lock %s: %s", lock, strerror(errno));
		if (fd >= 0)
			close(fd);
		return NULL;
	}
	h = try_open(path, &again);
	if (!h && again.code == ERR_FORMAT && move_aside(path, moved, sizeof(moved), &again)) {
		again = (struct error){ 0 };
		h = try_open(path, &again);
	}
	close(fd);
	if (!h) {
		*err = again;
		return NULL;
	}
	*err = (struct error){ 0 };
	if (*moved) {
		error_set(err, ERR_FORMAT, "%s", damage.what);
		error_hint(err, "It is now %s; a new history is begun.", moved);
		log_warn("history", "%s; moved to %s", damage.what, moved);
	}
	return h;
}

struct history *
history_open(struct error *err)
{
	struct arena arena = { 0 };
	const char *dir = path_state(&arena, ""), *path = path_state(&arena, "history.db");
	struct history *h = NULL;
	int fd;

	*err = (struct error){ 0 };
	if (path_make(dir, err)) {
		/* SQLite gives its other files the mode of this one. */
		fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
		if (fd < 0) {
			error_set(err, ERR_STATE, "cannot open %s: %s", path, strerror(errno));
			error_hint(
			    err, "Its folder must be writable; XDG_STATE_HOME chooses another.");
		} else {
			close(fd);
			h = try_open(path, err);
			if (!h && err->code == ERR_FORMAT)
				h = replace(path, err);
		}
	}
	if (!h)
		err->code = ERR_STATE;
	arena_release(&arena);
	return h;
}

void
history_close(struct history *h)
{
	if (!h)
		return;
	for (int i = 0; i < SQL_COUNT; i++)
		sqlite3_finalize(h->st[i]);
	sqlite3_close(h->db);
	if (h->lead_fd >= 0)
		close(h->lead_fd);
	forget_metrics(h);
	free(h->path);
	free(h);
}

void
history_limit(struct history *h, int64_t bytes)
{
	char pragma[80];
	int64_t page = pragma_value(h, "PRAGMA page_size");

	h->limit = bytes < 1 << 20 ? 1 << 20 : bytes;
	/* The last resort, when thinning is late; it needs room itself. */
	snprintf(pragma, sizeof(pragma), "PRAGMA max_page_count = %" PRId64,
	    2 * h->limit / (page > 0 ? page : 4096));
	(void)sqlite3_exec(h->db, pragma, NULL, NULL, NULL);
}

bool
history_is_damaged(const struct history *h)
{
	return h->is_damaged;
}

const char *
history_path(const struct history *h)
{
	return h->path;
}

int64_t
history_bytes(const struct history *h)
{
	char wal[4200];
	struct stat st;
	int64_t bytes = 0;

	if (stat(h->path, &st) == 0)
		bytes += st.st_size;
	snprintf(wal, sizeof(wal), "%s-wal", h->path);
	if (stat(wal, &st) == 0)
		bytes += st.st_size;
	return bytes;
}

/* ------------------------------------------------------------------ names */

int64_t
history_target_now(struct history *h, const char *name, struct error *err)
{
	sqlite3_stmt *st = history_sql(h, SQL_TARGET_FIND, err);
	int64_t id = 0;
	int rc;

	if (!st)
		return -1;
	sqlite3_bind_text(st, 1, name, -1, SQLITE_STATIC);
	rc = sqlite3_step(st);
	if (rc == SQLITE_ROW)
		id = sqlite3_column_int64(st, 0);
	else if (rc != SQLITE_DONE) {
		history_fail(h, err, "read");
		id = -1;
	}
	sqlite3_reset(st);
	return id;
}

/* Of the targets of this name the one of this server; *sysid: what it is to be from now on. */
static int64_t
find_target(struct history *h, const char *name, int64_t *sysid, struct error *err)
{
	sqlite3_stmt *st = history_sql(h, SQL_TARGET_FIND, err);
	int64_t id = 0, unknown = 0, newest = 0, newest_sysid = 0;
	int rc;

	if (!st)
		return -1;
	sqlite3_bind_text(st, 1, name, -1, SQLITE_STATIC);
	while ((rc = sqlite3_step(st)) == SQLITE_ROW) {
		int64_t its = sqlite3_column_int64(st, 1);

		if (!newest) {
			newest = sqlite3_column_int64(st, 0);
			newest_sysid = its;
		}
		if (its == *sysid && *sysid)
			id = sqlite3_column_int64(st, 0);
		if (!its)
			unknown = sqlite3_column_int64(st, 0);
	}
	if (rc != SQLITE_DONE) {
		history_fail(h, err, "read");
		id = -1;
	}
	sqlite3_reset(st);
	if (id)
		return id;
	if (!*sysid) {
		*sysid = newest_sysid;
		return newest;
	}
	/* What was kept before anybody knew whose it is: imported, or without the privilege. */
	return unknown;
}

int64_t
history_target_id(struct history *h, const char *name, int64_t system_identifier, int64_t at,
    bool is_now, struct error *err)
{
	int64_t sysid = system_identifier, id = find_target(h, name, &sysid, err);
	sqlite3_stmt *st;

	if (id < 0)
		return 0;
	st = history_sql(h, id ? SQL_TARGET_SEEN : SQL_TARGET_NEW, err);
	if (!st)
		return 0;
	if (id) {
		sqlite3_bind_int64(st, 1, id);
		sqlite3_bind_int64(st, 2, at);
		sqlite3_bind_int64(st, 3, sysid);
		sqlite3_bind_int(st, 4, is_now);
	} else {
		sqlite3_bind_text(st, 1, name, -1, SQLITE_STATIC);
		sqlite3_bind_int64(st, 2, sysid);
		sqlite3_bind_int64(st, 3, at);
	}
	if (!history_run(h, st, err))
		return 0;
	return id ? id : sqlite3_last_insert_rowid(h->db);
}

static int64_t
name_id(struct history *h, enum history_sql find, enum history_sql make, const char *name,
    bool may_make, struct error *err)
{
	sqlite3_stmt *st = history_sql(h, find, err);
	int64_t id = 0;
	int rc;

	if (!st)
		return 0;
	sqlite3_bind_text(st, 1, name, -1, SQLITE_STATIC);
	rc = sqlite3_step(st);
	if (rc == SQLITE_ROW)
		id = sqlite3_column_int64(st, 0);
	else if (rc != SQLITE_DONE)
		history_fail(h, err, "read");
	sqlite3_reset(st);
	if (rc != SQLITE_DONE || !may_make)
		return id;
	st = history_sql(h, make, err);
	if (!st)
		return 0;
	sqlite3_bind_text(st, 1, name, -1, SQLITE_STATIC);
	return history_run(h, st, err) ? sqlite3_last_insert_rowid(h->db) : 0;
}

int
history_metric_id(struct history *h, const char *name, bool make, struct error *err)
{
	int64_t id;

	for (int i = 0; i < h->nmetrics; i++)
		if (strcmp(h->metrics[i].name, name) == 0)
			return h->metrics[i].id;
	id = name_id(h, SQL_METRIC_FIND, SQL_METRIC_NEW, name, make, err);
	if (id > UINT16_MAX) {
		error_set(err, ERR_STATE, "the history has too many metrics");
		return 0;
	}
	if (id > 0 && h->nmetrics < METRIC_IDS) {
		h->metrics[h->nmetrics].name = xstrdup(name);
		h->metrics[h->nmetrics++].id = (int)id;
	}
	return (int)id;
}

int64_t
history_object_id(struct history *h, const char *name, struct error *err)
{
	return name_id(h, SQL_OBJECT_FIND, SQL_OBJECT_NEW, name, true, err);
}
