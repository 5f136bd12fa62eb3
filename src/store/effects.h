/*
 * What acts have changed: figures of statements before an index was made and since, kept in the
 * journal. A handle belongs to one thread.
 */
#ifndef PGMEDIC_STORE_EFFECTS_H
#define PGMEDIC_STORE_EFFECTS_H

#include "store/journal.h"

/* One statement of one act. Counters are those of pg_stat_statements, totals since its reset. */
struct effect {
	int64_t act; /* of the journal */
	struct wall at;
	const char *target, *database;
	const char *table, *name; /* of the index */
	int64_t queryid;
	double calls_before, ms_before, blocks_before; /* calls until then; the rest per call */
	double base_calls, base_ms, base_blocks;       /* totals when it was done */
	double calls_after, ms_after, blocks_after;    /* since; 0 and NAN: no call yet */
};

/* Keep one; calls_after and what follows is not read. */
bool effects_add(struct journal *j, const struct effect *e, struct error *err) MUST_CHECK;
/* Those of a target and database, newest act first, of acts younger than `since`; *out in the
 * arena.
 */
bool effects_list(struct journal *j, const char *target, const char *database, struct wall since,
    int limit, struct arena *arena, struct effect **out, int *n, struct error *err) MUST_CHECK;
/* Totals as they are now: sets what came after, also in the file. Totals below the base mean a
 * reset: the base is 0 from then on. */
bool effects_now(struct journal *j, struct effect *e, double calls, double ms, double blocks,
    struct error *err) MUST_CHECK;

#endif
