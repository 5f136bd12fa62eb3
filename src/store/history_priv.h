/* The history's inside, shared by the history_*.c files alone. */
#ifndef PGMEDIC_STORE_HISTORY_PRIV_H
#define PGMEDIC_STORE_HISTORY_PRIV_H

#include <sqlite3.h>
#include <sys/types.h>

#include "store/history.h"

enum {
	MINUTE = 60,
	HOUR = 3600,
	DAY = 86400,
	KEEP_MINUTES = 14 * DAY, /* then hours */
	KEEP_HOURS = 366 * DAY,
	KEEP_SIZES_FULL = 2 * DAY,    /* then one an hour */
	KEEP_SIZES_HOURLY = 60 * DAY, /* then one a day */
	KEEP_SIZES = 3 * 366 * DAY,
	KEEP_STATEMENTS_HOURLY = 14 * DAY, /* then by day */
	TOP_STATEMENTS = 20,               /* kept of each hour and day */
};

/* name, SQL: prepared once per handle */
#define HISTORY_SQL(X)                                                                             \
	X(TARGET_FIND,                                                                             \
	    "SELECT id, system_identifier FROM target WHERE name = ?1"                             \
	    " ORDER BY seen_at DESC, id DESC")                                                     \
	X(TARGET_NEW, "INSERT INTO target (name, system_identifier, seen_at) VALUES (?1, ?2, ?3)") \
	X(TARGET_SEEN,                                                                             \
	    "UPDATE target SET system_identifier = ?3, seen_at ="                                  \
	    " CASE WHEN ?4 AND seen_at > ?2 + 86400 THEN ?2 ELSE max(seen_at, ?2) END"             \
	    " WHERE id = ?1")                                                                      \
	X(METRIC_FIND, "SELECT id FROM metric WHERE name = ?1")                                    \
	X(METRIC_NEW, "INSERT INTO metric (name) VALUES (?1)")                                     \
	X(OBJECT_FIND, "SELECT id FROM object WHERE name = ?1")                                    \
	X(OBJECT_NEW, "INSERT INTO object (name) VALUES (?1)")                                     \
	X(FIGURES_GET,                                                                             \
	    "SELECT wal_lsn, v FROM figures WHERE target = ?1 AND step = ?2 AND t = ?3")           \
	X(FIGURES_PUT,                                                                             \
	    "INSERT OR REPLACE INTO figures (target, step, t, wal_lsn, v)"                         \
	    " VALUES (?1, ?2, ?3, ?4, ?5)")                                                        \
	X(FIGURES_SPAN,                                                                            \
	    "SELECT t, wal_lsn, v FROM figures WHERE target = ?1 AND step = ?2"                    \
	    " AND t >= ?3 AND t < ?4 ORDER BY t LIMIT ?5")                                         \
	X(FIGURES_DROP, "DELETE FROM figures WHERE target = ?1 AND step = ?2 AND t <= ?3")         \
	X(SIZE_PUT,                                                                                \
	    "INSERT OR REPLACE INTO size (target, object, t, bytes) VALUES (?1, ?2, ?3, ?4)")      \
	X(STATEMENT_ADD,                                                                           \
	    "INSERT INTO statement"                                                                \
	    " (target, step, t, queryid, dbid, userid, calls, total_ms, hit, read)"                \
	    " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10) ON CONFLICT DO UPDATE"              \
	    " SET calls = calls + excluded.calls,"                                                 \
	    " total_ms = total_ms + excluded.total_ms,"                                            \
	    " hit = hit + excluded.hit, read = read + excluded.read")

enum history_sql {
#define X(name, sql) SQL_##name,
	HISTORY_SQL(X)
#undef X
	    SQL_COUNT,
};

enum { METRIC_IDS = 256 }; /* metric names remembered by a handle */

struct history {
	sqlite3 *db;
	char *path;
	sqlite3_stmt *st[SQL_COUNT];
	dev_t device; /* of the file, to see that it was moved away or deleted */
	ino_t inode;
	int64_t limit; /* bytes */
	bool is_damaged;
	int lead_fd; /* of the lock file, -1 not open */
	struct wall thinned_at;
	struct {
		char *name;
		int id;
	} metrics[METRIC_IDS];
	int nmetrics;
};

/* Sets *err from the last error of the handle; false. */
bool history_fail(struct history *h, struct error *err, const char *what);
bool history_exec(struct history *h, const char *sql, struct error *err) MUST_CHECK;
/* One of HISTORY_SQL, reset and without values; NULL and *err. */
sqlite3_stmt *history_sql(struct history *h, enum history_sql sql, struct error *err) MUST_CHECK;
/* Any other statement; the caller finalizes it. */
sqlite3_stmt *history_prepare(struct history *h, const char *sql, struct error *err) MUST_CHECK;
/* Run to its end and reset it. */
bool history_run(struct history *h, sqlite3_stmt *st, struct error *err) MUST_CHECK;
/* Also fails, as damaged, when the file is no longer the one that is open. */
bool history_begin(struct history *h, struct error *err) MUST_CHECK;
/* Commit when ok, else roll back; true when committed. */
bool history_end(struct history *h, bool ok, struct error *err) MUST_CHECK;

/* Id of the target as it is now called: 0 none, -1 and *err. */
int64_t history_target_now(struct history *h, const char *name, struct error *err) MUST_CHECK;
/* The same by its system identifier (0 unknown: whichever was last), made when it is new; marked as
 * seen at `at`; when that is now, an earlier sight in the future was a clock gone wrong. In a
 * transaction. 0 and *err. */
int64_t history_target_id(struct history *h, const char *name, int64_t system_identifier,
    int64_t at, bool is_now, struct error *err) MUST_CHECK;
/* In a transaction. 0 and *err; of METRIC_FIND and OBJECT_FIND without `make` 0 also when there is
 * none. */
int history_metric_id(struct history *h, const char *name, bool make, struct error *err) MUST_CHECK;
int64_t history_object_id(struct history *h, const char *name, struct error *err) MUST_CHECK;

/* The figures of a bucket as they lie in the file: 18 bytes an entry, little-endian: id of the
 * metric (2), ticks (4), least, mean and greatest value as IEEE singles (4 each). */
struct figure {
	int id;
	uint32_t n;
	float min, avg, max;
};
enum { FIGURE_BYTES = 18, FIGURES_MAX = 256 };
struct figures {
	struct figure items[FIGURES_MAX];
	int n;
	int64_t wal_lsn; /* of the end of the bucket; 0 unknown */
};

/* Adds what is encoded to *f. Damaged bytes are left out. */
void figures_decode(struct figures *f, const void *bytes, int size);
/* Returns the size; buf holds FIGURES_MAX * FIGURE_BYTES. */
int figures_encode(const struct figures *f, unsigned char *buf);
/* Adds one figure; of the same metric min, max and the mean by ticks. */
void figures_add(struct figures *f, struct figure figure);
/* Forgets a metric. */
void figures_remove(struct figures *f, int id);

/* Reads a bucket (empty when there is none), and writes it. In a transaction. */
bool figures_get(struct history *h, int64_t target, int step, int64_t t, struct figures *f,
    struct error *err) MUST_CHECK;
bool figures_put(struct history *h, int64_t target, int step, int64_t t, const struct figures *f,
    struct error *err) MUST_CHECK;

static inline int64_t
bucket_of(int64_t seconds, int64_t step)
{
	int64_t rest = seconds % step;

	return seconds - (rest < 0 ? rest + step : rest);
}

#endif
