/*
 * pg_stat_statements: what each entry counted since its reset, and in the interval between two
 * samples.
 *
 * An entry that was not in the sample before came into being since, so all that it counted belongs
 * to the interval; so does what an entry counted that was evicted and came back, or was reset: its
 * counters are lower than before, its stats_since (17) or the extension's stats_reset (14) is
 * younger than that sample. What it counted before that is lost, never negative. Not seen: an entry
 * that came back and already counted more than before, on servers older than 17. Pure; one thread
 * at a time.
 */
#ifndef PGMEDIC_MODEL_STATEMENTS_H
#define PGMEDIC_MODEL_STATEMENTS_H

#include <stdbool.h>

#include "base/hmap.h"
#include "base/mem.h"
#include "model/snapshot.h"

/* name of the column in src/pg/statements.sql */
#define STMT_LIST(X)                      \
	X(CALLS, "calls")                 \
	X(ROWS, "rows")                   \
	X(TOTAL_MS, "total_ms")           \
	X(PLANS, "plans")                 \
	X(PLAN_MS, "plan_ms")             \
	X(HIT, "hit")                     \
	X(READ, "read")                   \
	X(DIRTIED, "dirtied")             \
	X(WRITTEN, "written")             \
	X(LOCAL_READ, "local_read")       \
	X(LOCAL_WRITTEN, "local_written") \
	X(TEMP_READ, "temp_read")         \
	X(TEMP_WRITTEN, "temp_written")   \
	X(READ_MS, "read_ms")             \
	X(WRITE_MS, "write_ms")           \
	X(TEMP_MS, "temp_ms")             \
	X(WAL_RECORDS, "wal_records")     \
	X(WAL_FPI, "wal_fpi")             \
	X(WAL_BYTES, "wal_bytes")         \
	X(JIT_FUNCTIONS, "jit_functions") \
	X(JIT_MS, "jit_ms")

enum stmt_counter {
#define X(sym, name) STMT_##sym,
	STMT_LIST(X)
#undef X
	    STMT_COUNTERS,
};

/* Counters of one entry, blocks as blocks; NAN where this server does not count. Exact up to 2^53.
 */
struct stmt {
	double v[STMT_COUNTERS];
};

enum { STATEMENTS_MAX = 100000 }; /* LIMIT of src/pg/statements.sql */

enum stmt_fate {
	STMT_SAME,    /* in both samples */
	STMT_NEW,     /* came since the sample before */
	STMT_REBORN,  /* reset, or evicted and back */
	STMT_UNKNOWN, /* no interval, or an entry whose id is hidden from the role */
};

struct statements {
	const struct rowset *cur, *prev; /* borrowed; prev NULL: no interval */
	double seconds;                  /* of the interval, 0 without one */
	int cur_col[STMT_COUNTERS], prev_col[STMT_COUNTERS];
	int *prev_row; /* of each current row, -1 none */
	int id_col, since_cur, since_prev;
	bool was_reset; /* the extension's statistics, in the interval */
};

/* False when there is no good sample. Joins the samples, linear. Memory from the arena. */
bool statements_init(struct statements *st, struct arena *arena, const struct snapshot *snap);
/* Both readings of one entry; delta is all NAN for STMT_UNKNOWN. */
enum stmt_fate statements_read(
    const struct statements *st, int row, struct stmt *total, struct stmt *delta);
/* Add to a sum; NAN counts as nothing. */
void stmt_add(struct stmt *sum, const struct stmt *s);

/* ---- texts, by query id: an index into the snapshot's text samples, nothing is copied */

enum { STMT_TEXT_SAMPLES = 16, STMT_TEXT_CHARS = 1000 /* of src/pg/statement_texts.sql */ };
struct stmt_texts {
	struct hmap map; /* query id to sample and row */
	int n;
	struct {
		const void *sample; /* compared, never followed */
		int64_t at;
		int rows, text_col, len_col;
	} seen[STMT_TEXT_SAMPLES];
};
void stmt_texts_release(struct stmt_texts *texts);
/* Take up the snapshot's text samples: new ones are added, anything else starts anew. */
void stmt_texts_update(struct stmt_texts *texts, const struct snapshot *snap);
/* The text, cut at 1,000 characters, and *len its whole length in characters; a NULL cell with
 * WHY_NODATA before it was fetched. snap is the one of the last update. */
struct cell stmt_text(
    const struct stmt_texts *texts, const struct snapshot *snap, int64_t query_id, int64_t *len);

#endif
