/*
 * The journal file. WAL mode, so that a reader never stops a writer; synchronous FULL, so that what
 * was written before an act survives a power cut during it. Several consoles and jobs write to it:
 * a busy timeout, and short transactions. The schema's version is in user_version; each entry of
 * `migrations` takes it one further.
 */
#include "config.h"

#include "store/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/conf.h"
#include "base/log.h"
#include "base/strbuf.h"
#include "store/chain.h"
#include "store/journal_priv.h"

enum { BUSY_MS = 2000, LOCK_TRIES = 25, LOCK_RETRY_MS = 20 };

const char *const journal_state_names[JOURNAL_STATE_COUNT] = {
#define X(sym, name, text) name,
	JOURNAL_STATE_LIST(X)
#undef X
};

static const char *const migrations[] = {
	"CREATE TABLE acts ("
	" id INTEGER PRIMARY KEY AUTOINCREMENT,"
	" started_at INTEGER NOT NULL," /* microseconds since 1970 */
	" finished_at INTEGER,"
	" os_user TEXT NOT NULL,"
	" target TEXT NOT NULL,"
	" system_identifier INTEGER NOT NULL DEFAULT 0,"
	" host TEXT NOT NULL DEFAULT '',"
	" port TEXT NOT NULL DEFAULT '',"
	" database TEXT NOT NULL DEFAULT '',"
	" role TEXT NOT NULL DEFAULT '',"
	" command TEXT NOT NULL,"
	" plan TEXT NOT NULL DEFAULT '',"
	" risk TEXT NOT NULL DEFAULT '',"
	" confirmed_how TEXT NOT NULL DEFAULT '',"
	" state TEXT NOT NULL,"
	" detail TEXT NOT NULL DEFAULT '',"
	" pid INTEGER NOT NULL DEFAULT 0);"
	"CREATE INDEX acts_open ON acts (id) WHERE finished_at IS NULL;",
	/* Figures of statements before an act and since, per call; base_: counters when it was
	   done. */
	"CREATE TABLE effects ("
	" act INTEGER NOT NULL,"
	" at INTEGER NOT NULL,"
	" target TEXT NOT NULL,"
	" database TEXT NOT NULL,"
	" tbl TEXT NOT NULL,"
	" name TEXT NOT NULL,"
	" queryid INTEGER NOT NULL,"
	" calls_before REAL NOT NULL,"
	" ms_before REAL NOT NULL,"
	" blocks_before REAL NOT NULL,"
	" base_calls REAL NOT NULL,"
	" base_ms REAL NOT NULL,"
	" base_blocks REAL NOT NULL,"
	" calls_after REAL NOT NULL DEFAULT 0,"
	" ms_after REAL,"
	" blocks_after REAL,"
	" PRIMARY KEY (act, queryid)) WITHOUT ROWID;",
	/* Jobs of several steps: store/jobs.h. */
	"CREATE TABLE jobs ("
	" act INTEGER PRIMARY KEY,"
	" kind TEXT NOT NULL,"
	" plan_hash TEXT NOT NULL,"
	" plan TEXT NOT NULL,"
	" progress TEXT NOT NULL DEFAULT '',"
	" heartbeat INTEGER NOT NULL DEFAULT 0,"
	" cancelled INTEGER NOT NULL DEFAULT 0,"
	" result TEXT NOT NULL DEFAULT '',"
	" error TEXT NOT NULL DEFAULT '');"
	"CREATE TABLE job_steps ("
	" job INTEGER NOT NULL,"
	" name TEXT NOT NULL,"
	" state TEXT NOT NULL,"
	" detail TEXT NOT NULL,"
	" began_at INTEGER NOT NULL,"
	" ended_at INTEGER NOT NULL DEFAULT 0,"
	" UNIQUE (job, name));"
	"CREATE TABLE job_facts ("
	" job INTEGER NOT NULL,"
	" name TEXT NOT NULL,"
	" value TEXT NOT NULL,"
	" PRIMARY KEY (job, name)) WITHOUT ROWID;"
	"CREATE TABLE leftovers ("
	" id INTEGER PRIMARY KEY AUTOINCREMENT,"
	" job INTEGER NOT NULL,"
	" kind TEXT NOT NULL,"
	" what TEXT NOT NULL,"
	" args TEXT NOT NULL,"
	" at INTEGER NOT NULL,"
	" settled_at INTEGER);"
	"CREATE INDEX leftovers_open ON leftovers (job) WHERE settled_at IS NULL;"
	"CREATE TABLE leases ("
	" target TEXT PRIMARY KEY,"
	" job INTEGER NOT NULL) WITHOUT ROWID;"
	"CREATE TABLE verified ("
	" target TEXT NOT NULL,"
	" snapshot TEXT NOT NULL,"
	" at INTEGER NOT NULL,"
	" passed INTEGER NOT NULL,"
	" rto_s REAL,"
	" rpo_s REAL,"
	" PRIMARY KEY (target, snapshot)) WITHOUT ROWID;",
	/* The last of the chained lines: store/chain.h. */
	"CREATE TABLE chain_tip ("
	" one INTEGER PRIMARY KEY CHECK (one = 1),"
	" seq INTEGER NOT NULL,"
	" hash TEXT NOT NULL);",
	"CREATE TABLE points ("
	" target TEXT NOT NULL,"
	" name TEXT NOT NULL,"
	" lsn INTEGER NOT NULL,"
	" timeline TEXT NOT NULL,"
	" at INTEGER NOT NULL,"
	" label TEXT NOT NULL," /* the newest backup at that time */
	" PRIMARY KEY (target, name)) WITHOUT ROWID;",
	/* What the user has set for a target: "retention". */
	"CREATE TABLE target_settings ("
	" target TEXT NOT NULL,"
	" name TEXT NOT NULL,"
	" value TEXT NOT NULL,"
	" PRIMARY KEY (target, name)) WITHOUT ROWID;",
};

bool
journal_fail(struct journal *j, struct error *err, const char *what)
{
	int code = sqlite3_errcode(j->db);

	error_set(err, ERR_JOURNAL, "the journal cannot be %s: %s", what, sqlite3_errmsg(j->db));
	if (code == SQLITE_READONLY || code == SQLITE_CANTOPEN || code == SQLITE_PERM)
		error_hint(err, "Its folder must be writable; XDG_STATE_HOME chooses another.");
	else if (code == SQLITE_CORRUPT || code == SQLITE_NOTADB)
		error_hint(err, "Move journal.db away; a new one is made.");
	return false;
}

static bool
execute(struct journal *j, const char *sql, struct error *err)
{
	return sqlite3_exec(j->db, sql, NULL, NULL, NULL) == SQLITE_OK ||
	    journal_fail(j, err, "written");
}

static int
user_version(struct journal *j)
{
	sqlite3_stmt *st = NULL;
	int version = -1;

	if (sqlite3_prepare_v2(j->db, "PRAGMA user_version", -1, &st, NULL) == SQLITE_OK &&
	    sqlite3_step(st) == SQLITE_ROW)
		version = sqlite3_column_int(st, 0);
	sqlite3_finalize(st);
	return version;
}

static bool
migrate(struct journal *j, struct error *err)
{
	int version = user_version(j);

	if (version == (int)ARRAY_LEN(migrations))
		return true;
	if (version > (int)ARRAY_LEN(migrations)) {
		error_set(err, ERR_JOURNAL,
		    "the journal was written by a newer pgmedic (version %d)", version);
		return error_hint(err, "Use that version.");
	}
	/* Another process may be migrating: look again under the write lock. */
	if (!execute(j, "BEGIN IMMEDIATE", err))
		return false;
	version = user_version(j);
	if (version < 0) {
		(void)sqlite3_exec(j->db, "ROLLBACK", NULL, NULL, NULL);
		return journal_fail(j, err, "read");
	}
	for (; version < (int)ARRAY_LEN(migrations); version++) {
		char pragma[64];

		snprintf(pragma, sizeof(pragma), "PRAGMA user_version = %d", version + 1);
		if (!execute(j, migrations[version], err) || !execute(j, pragma, err)) {
			(void)sqlite3_exec(j->db, "ROLLBACK", NULL, NULL, NULL);
			return false;
		}
	}
	return execute(j, "COMMIT", err);
}

struct journal *
journal_open(struct error *err)
{
	struct arena arena = { 0 };
	struct journal *j = xcalloc(1, sizeof(*j));
	const char *dir = path_state(&arena, "");
	const char *path = path_state(&arena, "journal.db");
	mode_t mask = umask(077);
	bool ok = path_make(dir, err);

	if (ok &&
	    sqlite3_open_v2(path, &j->db,
	        SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX,
	        NULL) != SQLITE_OK)
		ok = journal_fail(j, err, "opened");
	if (ok) {
		sqlite3_busy_timeout(j->db, BUSY_MS);
		ok = execute(j, "PRAGMA journal_mode = WAL", err) &&
		    execute(j, "PRAGMA synchronous = FULL", err) && migrate(j, err);
	}
	umask(mask);
	if (!ok) {
		if (err->code != ERR_JOURNAL)
			err->code = ERR_JOURNAL;
		if (!*err->hint)
			error_hint(err,
			    "What cannot be written down is not done; the state folder is %s.",
			    dir);
		journal_close(j);
		j = NULL;
	}
	arena_release(&arena);
	return j;
}

void
journal_patience(struct journal *j, int ms)
{
	sqlite3_busy_timeout(j->db, ms);
}

void
journal_close(struct journal *j)
{
	if (!j)
		return;
	sqlite3_close(j->db);
	free(j);
}

static void
bind_redacted(sqlite3_stmt *st, int at, const char *s)
{
	struct strbuf sb = STRBUF_INIT(1 << 20);

	redact(&sb, s ? s : "");
	sqlite3_bind_text(st, at, sb.buf, -1, SQLITE_TRANSIENT);
	strbuf_release(&sb);
}

static void
bind(sqlite3_stmt *st, int at, const char *s)
{
	sqlite3_bind_text(st, at, s ? s : "", -1, SQLITE_TRANSIENT);
}

/* ------------------------------------------------------------------ all or nothing */

bool
journal_atomic(struct journal *j, struct error *err)
{
	if (j->depth == 0 && !execute(j, "BEGIN IMMEDIATE", err))
		return false;
	j->depth++;
	return true;
}

bool
journal_atomic_end(struct journal *j, bool ok, struct error *err)
{
	if (--j->depth > 0 || (ok && execute(j, "COMMIT", err)))
		return ok;
	(void)sqlite3_exec(j->db, "ROLLBACK", NULL, NULL, NULL);
	return false;
}

bool
journal_tip(struct journal *j, struct chain_tip *tip, struct error *err)
{
	sqlite3_stmt *st = NULL;
	int rc = SQLITE_ERROR;

	*tip = (struct chain_tip){ 0 };
	if (sqlite3_prepare_v2(j->db, "SELECT seq, hash FROM chain_tip", -1, &st, NULL) ==
	    SQLITE_OK)
		rc = sqlite3_step(st);
	if (rc == SQLITE_ROW) {
		const char *hash = (const char *)sqlite3_column_text(st, 1);

		tip->seq = sqlite3_column_int64(st, 0);
		snprintf(tip->hash, sizeof(tip->hash), "%s", hash ? hash : "");
	} else if (rc != SQLITE_DONE) {
		journal_fail(j, err, "read");
	}
	sqlite3_finalize(st);
	return rc == SQLITE_ROW || rc == SQLITE_DONE;
}

static bool
keep_tip(struct journal *j, const struct chain_tip *tip, struct error *err)
{
	static const char sql[] =
	    "INSERT INTO chain_tip (one, seq, hash) VALUES (1, ?, ?)"
	    " ON CONFLICT (one) DO UPDATE SET seq = excluded.seq, hash = excluded.hash";
	sqlite3_stmt *st = NULL;
	bool ok;

	if (sqlite3_prepare_v2(j->db, sql, -1, &st, NULL) != SQLITE_OK)
		return journal_fail(j, err, "written");
	sqlite3_bind_int64(st, 1, tip->seq);
	bind(st, 2, tip->hash);
	ok = sqlite3_step(st) == SQLITE_DONE || journal_fail(j, err, "written");
	sqlite3_finalize(st);
	return ok;
}

bool
journal_chain(struct journal *j, const struct chain_event *e, struct error *err)
{
	struct chain_tip tip;

	return journal_atomic(j, err) &&
	    journal_atomic_end(j,
	        journal_tip(j, &tip, err) && chain_append(e, &tip, err) && keep_tip(j, &tip, err),
	        err);
}

/* What and where, for the chained lines. */
static bool
chain_begin(struct journal *j, const struct journal_act *act, struct error *err)
{
	struct strbuf text = STRBUF_INIT(1 << 20);
	bool ok;

	strbuf_addf(&text, "%s on %s (%s:%s/%s, system %lld) by %s, %s: %s",
	    act->command ? act->command : "", act->target ? act->target : "",
	    act->host ? act->host : "", act->port ? act->port : "",
	    act->database ? act->database : "", (long long)act->system_identifier,
	    act->os_user ? act->os_user : "", act->confirmed_how ? act->confirmed_how : "",
	    journal_state_names[act->state]);
	ok = journal_chain(j, &(struct chain_event){ act->id, "begin", act->risk, text.buf }, err);
	strbuf_release(&text);
	return ok;
}

static bool
insert_act(struct journal *j, struct journal_act *act, struct error *err)
{
	static const char sql[] =
	    "INSERT INTO acts (started_at, os_user, target, system_identifier, host, port, database, role, command, plan,"
	    " risk, confirmed_how, state, pid) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
	sqlite3_stmt *st = NULL;
	bool ok;

	if (sqlite3_prepare_v2(j->db, sql, -1, &st, NULL) != SQLITE_OK)
		return journal_fail(j, err, "written");
	act->started_at = wall_now();
	sqlite3_bind_int64(st, 1, act->started_at.us);
	bind(st, 2, act->os_user);
	bind_redacted(st, 3, act->target);
	sqlite3_bind_int64(st, 4, act->system_identifier);
	bind(st, 5, act->host);
	bind(st, 6, act->port);
	bind(st, 7, act->database);
	bind(st, 8, act->role);
	bind_redacted(st, 9, act->command);
	bind_redacted(st, 10, act->plan);
	bind(st, 11, act->risk);
	bind(st, 12, act->confirmed_how);
	bind(st, 13, journal_state_names[act->state]);
	sqlite3_bind_int(st, 14, act->pid);
	ok = sqlite3_step(st) == SQLITE_DONE;
	if (ok)
		act->id = sqlite3_last_insert_rowid(j->db);
	else
		journal_fail(j, err, "written");
	sqlite3_finalize(st);
	return ok;
}

bool
journal_begin(struct journal *j, struct journal_act *act, struct error *err)
{
	return journal_atomic(j, err) &&
	    journal_atomic_end(j, insert_act(j, act, err) && chain_begin(j, act, err), err);
}

static bool
is_final(enum journal_state state)
{
	return state != JOURNAL_PLANNED && state != JOURNAL_RUNNING;
}

/* only_open: what has finished meanwhile stays as it is; *changes tells. */
static bool
set_state(struct journal *j, int64_t id, enum journal_state state, const char *detail, int pid,
    bool only_open, int *changes, struct error *err)
{
	static const char sql[] =
	    "UPDATE acts SET state = ?, detail = ?, pid = CASE WHEN ? > 0 THEN ? ELSE pid END,"
	    " finished_at = ? WHERE id = ? AND (? = 0 OR finished_at IS NULL)";
	sqlite3_stmt *st = NULL;
	bool ok;

	if (sqlite3_prepare_v2(j->db, sql, -1, &st, NULL) != SQLITE_OK)
		return journal_fail(j, err, "written");
	bind(st, 1, journal_state_names[state]);
	bind_redacted(st, 2, detail);
	sqlite3_bind_int(st, 3, pid);
	sqlite3_bind_int(st, 4, pid);
	if (is_final(state))
		sqlite3_bind_int64(st, 5, wall_now().us);
	sqlite3_bind_int64(st, 6, id);
	sqlite3_bind_int(st, 7, only_open);
	ok = sqlite3_step(st) == SQLITE_DONE || journal_fail(j, err, "written");
	*changes = sqlite3_changes(j->db);
	sqlite3_finalize(st);
	return ok &&
	    (*changes == 0 ||
	        journal_chain(j,
	            &(struct chain_event){ id, "state", journal_state_names[state], detail }, err));
}

bool
journal_update(struct journal *j, int64_t id, enum journal_state state, const char *detail, int pid,
    struct error *err)
{
	int changes = 0;
	bool ok = journal_atomic(j, err);

	if (!ok)
		return false;
	ok = set_state(j, id, state, detail, pid, false, &changes, err);
	if (ok && changes == 0)
		ok = error_set(err, ERR_NOT_FOUND, "the journal has no act %lld", (long long)id);
	return journal_atomic_end(j, ok, err);
}

bool
journal_lost(struct journal *j, int64_t id, struct error *err)
{
	int changes = 0;

	/* Whoever takes a job up again has its lock before he writes: so this is the last word. */
	return journal_atomic(j, err) &&
	    journal_atomic_end(j,
	        journal_lock_held(id) ||
	            set_state(j, id, JOURNAL_LOST, "its process ended without a word", 0, true,
	                &changes, err),
	        err);
}

static enum journal_state
state_by_name(const char *name)
{
	for (int i = 0; i < JOURNAL_STATE_COUNT; i++)
		if (strcmp(journal_state_names[i], name) == 0)
			return (enum journal_state)i;
	return JOURNAL_LOST;
}

static const char *
text(sqlite3_stmt *st, int col, struct arena *arena)
{
	const char *s = (const char *)sqlite3_column_text(st, col);

	return arena_strdup(arena, s ? s : "");
}

#define COLUMNS                                                                                   \
	"id, started_at, finished_at, os_user, target, system_identifier, host, port, database, " \
	"role, command, plan, risk, confirmed_how, state, detail, pid"

static void
read_row(sqlite3_stmt *st, struct arena *arena, struct journal_act *a)
{
	const char *state = (const char *)sqlite3_column_text(st, 14);

	a->id = sqlite3_column_int64(st, 0);
	a->started_at.us = sqlite3_column_int64(st, 1);
	a->finished_at.us = sqlite3_column_int64(st, 2);
	a->os_user = text(st, 3, arena);
	a->target = text(st, 4, arena);
	a->system_identifier = sqlite3_column_int64(st, 5);
	a->host = text(st, 6, arena);
	a->port = text(st, 7, arena);
	a->database = text(st, 8, arena);
	a->role = text(st, 9, arena);
	a->command = text(st, 10, arena);
	a->plan = text(st, 11, arena);
	a->risk = text(st, 12, arena);
	a->confirmed_how = text(st, 13, arena);
	a->state = state_by_name(state ? state : "");
	a->detail = text(st, 15, arena);
	a->pid = sqlite3_column_int(st, 16);
}

bool
journal_get(
    struct journal *j, int64_t id, struct arena *arena, struct journal_act *out, struct error *err)
{
	sqlite3_stmt *st = NULL;
	int rc;

	if (sqlite3_prepare_v2(j->db, "SELECT " COLUMNS " FROM acts WHERE id = ?", -1, &st, NULL) !=
	    SQLITE_OK)
		return journal_fail(j, err, "read");
	sqlite3_bind_int64(st, 1, id);
	rc = sqlite3_step(st);
	if (rc == SQLITE_ROW)
		read_row(st, arena, out);
	else if (rc == SQLITE_DONE)
		error_set(err, ERR_NOT_FOUND, "the journal has no act %lld", (long long)id);
	else
		journal_fail(j, err, "read");
	sqlite3_finalize(st);
	return rc == SQLITE_ROW;
}

bool
journal_list(struct journal *j, int limit, bool open_only, struct arena *arena,
    struct journal_act **acts, int *n, struct error *err)
{
	const char *sql = open_only ?
	    "SELECT " COLUMNS " FROM acts WHERE finished_at IS NULL ORDER BY id DESC LIMIT ?" :
	    "SELECT " COLUMNS " FROM acts ORDER BY id DESC LIMIT ?";
	sqlite3_stmt *st = NULL;
	int rc;

	*n = 0;
	if (limit < 1)
		limit = 1;
	*acts = arena_zalloc(arena, (size_t)limit, sizeof(**acts));
	if (sqlite3_prepare_v2(j->db, sql, -1, &st, NULL) != SQLITE_OK)
		return journal_fail(j, err, "read");
	sqlite3_bind_int(st, 1, limit);
	while ((rc = sqlite3_step(st)) == SQLITE_ROW && *n < limit)
		read_row(st, arena, &(*acts)[(*n)++]);
	if (rc != SQLITE_DONE && rc != SQLITE_ROW)
		journal_fail(j, err, "read");
	sqlite3_finalize(st);
	return rc == SQLITE_DONE || rc == SQLITE_ROW;
}

static const char *
lock_path(struct arena *arena, int64_t id)
{
	return path_state(arena, arena_printf(arena, "jobs/%lld.lock", (long long)id));
}

/* Is fd the file that has this path now? */
static bool
is_file_of(int fd, const char *path)
{
	struct stat mine, now;

	return fstat(fd, &mine) == 0 && stat(path, &now) == 0 && mine.st_ino == now.st_ino &&
	    mine.st_dev == now.st_dev;
}

int
journal_lock_take(int64_t id, struct error *err)
{
	struct arena arena = { 0 };
	const char *path = lock_path(&arena, id);
	bool ok = path_make(path_state(&arena, "jobs"), err);
	int fd = -1;

	/* Who only asks whether it is held has it for an instant: that is waited out. */
	for (int tries = LOCK_TRIES; ok && tries > 0; tries--) {
		fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
		if (fd < 0) {
			ok = error_set(
			    err, ERR_JOURNAL, "cannot open %s: %s", path, strerror(errno));
			break;
		}
		/* The one before may have removed the file while we waited for it. */
		if (flock(fd, LOCK_EX | LOCK_NB) == 0 && is_file_of(fd, path))
			break;
		close(fd);
		fd = -1;
		nanosleep(&(struct timespec){ .tv_nsec = LOCK_RETRY_MS * 1000000L }, NULL);
	}
	if (ok && fd < 0)
		error_set(err, ERR_STATE, "job %lld has a process already", (long long)id);
	arena_release(&arena);
	return fd;
}

int
journal_lock_inherit(int64_t id, int fd)
{
	struct arena arena = { 0 };
	bool is_it = is_file_of(fd, lock_path(&arena, id)) && flock(fd, LOCK_EX | LOCK_NB) == 0;

	arena_release(&arena);
	return is_it && fcntl(fd, F_SETFD, FD_CLOEXEC) == 0 ? fd : -1;
}

bool
journal_lock_held(int64_t id)
{
	struct arena arena = { 0 };
	int fd = open(lock_path(&arena, id), O_RDWR | O_CLOEXEC);
	bool held = fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK;

	if (fd >= 0)
		close(fd);
	arena_release(&arena);
	return held;
}

void
journal_lock_drop(int64_t id, int fd)
{
	struct arena arena = { 0 };

	if (fd < 0)
		return;
	unlink(lock_path(&arena, id));
	close(fd);
	arena_release(&arena);
}
