/*
 * The history: figures and sizes of each target over time, in the state folder's history.db
 * (SQLite, WAL mode), written by consoles and recorders at once. Minutes are kept for two weeks,
 * hours for a year, sizes by day for three years. What history_add() has accepted survives a kill 2
 * s later. A handle belongs to one thread; never the UI's.
 *
 * A target is its name and its server's system identifier: a name that leads to another server now
 * begins anew, and reads see the server that was written last under that name.
 */
#ifndef PGMEDIC_STORE_HISTORY_H
#define PGMEDIC_STORE_HISTORY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/mem.h"
#include "base/rowset.h"

struct history;

/* Opens, makes, migrates. ERR_STATE where it cannot; a damaged file is moved aside and said in *err
 * with a handle on a new one. */
struct history *history_open(struct error *err) MUST_CHECK;
void history_close(struct history *h); /* NULL is fine */
/* Size of the file that thinning keeps under; at least 1 MB. Default 256 MB. */
void history_limit(struct history *h, int64_t bytes);
/* A call failed because the file is damaged, or was moved away or deleted: close, and open anew,
 * which moves a damaged one aside. */
bool history_is_damaged(const struct history *h);

/* One minute of one target. Names as metric_infos[].name, or size components and relations, see
 * `object`. */
struct history_value {
	const char *metric; /* "tps", "connections", … */
	double min, avg, max;
	int n; /* ticks behind it */
};
struct history_size {
	const char *object; /* "total", "database:NAME", "table:DB.SCHEMA.NAME", "wal", "temp",
	                       "log", "capacity" … */
	double bytes;
};
/* What a statement did since the row before: deltas of pg_stat_statements. */
struct history_statement {
	int64_t queryid, dbid, userid;
	double calls, total_ms, hit, read; /* hit, read: shared blocks */
};
struct history_row {
	const char *target;
	int64_t system_identifier; /* 0 unknown */
	struct wall at;
	const struct history_value *values;
	int nvalues;
	const struct history_size *sizes; /* when they were measured anew */
	int nsizes;
	int64_t wal_lsn; /* 0 unknown */
	const struct history_statement *statements;
	int nstatements;
};
/*
 * Committed when it returns true. Rows of the same minute and target add up, whoever wrote them:
 * each tick must be in one row only. Of a size the last one counts. Several programs see the same
 * statements: those of the first one are taken until it closes, the others' are left out.
 */
bool history_add(struct history *h, const struct history_row *row, struct error *err) MUST_CHECK;

/* Buckets of a metric between two moments, at most `buckets`: rowset time time, min float, avg
 * float, max float, n int; gaps are missing rows. The metric "wal_lsn" is the WAL position. */
struct rowset *history_metric(struct history *h, const char *target, const char *metric,
    struct wall from, struct wall to, int buckets, struct error *err) MUST_CHECK;
/* Sizes over time, oldest first: rowset time time, object text, bytes int. object NULL: all
 * objects; since 0: all. At most one row a day and object where the span is over 60 days, an hour
 * where it is over 2 days. */
struct rowset *history_sizes(struct history *h, const char *target, const char *object,
    struct wall since, struct error *err) MUST_CHECK;
/* What the top statements did between two moments (whole hours, days where it is long ago), most
 * time first: queryid int, dbid int, userid int, calls float, total_ms float, hit float, read
 * float. */
struct rowset *history_statements(struct history *h, const char *target, struct wall from,
    struct wall to, struct error *err) MUST_CHECK;

/*
 * time,VALUE… CSV with a header of metric or object names (or time,bytes: "total"); counts rows.
 * metrics: names of the metrics there are, NULL-terminated; a column is one of them, "bytes", or an
 * object. Lines that cannot be used are skipped, and the first of them said in *err. What the
 * target has of these moments and columns is replaced, so that importing twice is as once.
 */
bool history_import(struct history *h, const char *target, const char *path,
    const char *const *metrics, int64_t *rows, int64_t *skipped, struct error *err) MUST_CHECK;
/* Thin and bound the file; cheap when nothing is due. */
bool history_thin(struct history *h, struct wall now, struct error *err) MUST_CHECK;

/* What there is of a target. */
struct history_target {
	const char *name;
	int64_t system_identifier; /* 0 unknown */
	struct wall first, last;
	int64_t minutes, hours, sizes, statements; /* rows */
	bool is_former;                            /* the name leads to another server now */
};
/* All targets, by name, the former ones after; *out in the arena. */
bool history_targets(struct history *h, struct arena *arena, struct history_target **out, int *n,
    struct error *err) MUST_CHECK;
/* Bytes of the file and its write-ahead log. */
int64_t history_bytes(const struct history *h);
const char *history_path(const struct history *h);

/* Forget all of a target. False with ERR_NOT_FOUND when there is nothing. */
bool history_forget(struct history *h, const char *target, struct error *err) MUST_CHECK;
/* What was kept of the servers that had this name before becomes the past of the one that has it
 * now: after pg_upgrade or a restore. */
bool history_continue(struct history *h, const char *target, struct error *err) MUST_CHECK;

#endif
