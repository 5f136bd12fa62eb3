/*
 * Index advice for one database: what to create, drop and rebuild, with the evidence. The method is
 * that of the research notes 1.3 to 1.10: statements of pg_stat_statements are planned generically
 * and with values from pg_stats, candidates come from the conditions in those plans, HypoPG (or a
 * model) says what they would save, a greedy search weighs that against size and write cost.
 *
 * advice_run() blocks (its own connection through pg/whatif.h) and calls the sink as results are
 * found, any time: a later result replaces an earlier one of the same key. The console runs it in a
 * process of its own, `show advice` directly.
 */
#ifndef PGMEDIC_ADVICE_ADVICE_H
#define PGMEDIC_ADVICE_ADVICE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/rowset.h"

#define ADVICE_KIND_LIST(X)                                                                      \
	X(MISSING, "missing", "an index that statements would use")                              \
	X(FK, "fk", "a foreign key whose referencing columns no index serves")                   \
	X(UNUSED, "unused", "an index that nothing reads")                                       \
	X(DUPLICATE, "duplicate", "the same index twice")                                        \
	X(REDUNDANT, "redundant", "the beginning of another index")                              \
	X(INVALID, "invalid", "left over by a CREATE INDEX CONCURRENTLY or REINDEX that failed") \
	X(BLOAT, "bloat", "much larger than its rows need")

enum advice_kind {
#define X(sym, name, text) ADVICE_##sym,
	ADVICE_KIND_LIST(X)
#undef X
	    ADVICE_KIND_COUNT,
};

struct advice_request {
	const char *target; /* name, for messages */
	const char *conninfo, *password, *database;
	bool no_hypopg;     /* hypopg = never */
	int max_explains;   /* 0: 600 */
	int max_ms;         /* 0: 10000 */
	bool is_background; /* pause between statements, stop while the server is busy */
	/* Counters of the same statements some time ago, of PROBE_STATEMENTS' columns: weights are
	 * differences. NULL: since the reset. */
	const struct rowset *before;
	/* Scans of this database's indexes on the standbys, columns schema text, index text, scans
	 * int, stats_age_s float, standby text; NULL: not asked. nstandbys_unseen: standbys that
	 * stream but are no configured targets; -1: nobody could say. */
	const struct rowset *standby_scans;
	int nstandbys_unseen;
	/* Days without a scan before an index is called unused; 0: DROP_UNUSED_DAYS, negative: any
	 * age. */
	double unused_days;
	const volatile int *stop; /* set to 1: end soon */
};

/* clang-format off */
/*
 * What comes out, as rowsets of the posted probes (model/probes.h), each complete at that moment,
 * references given:
 *
 * PROBE_ADVICE, a row per advice:
 *   rank int, action text (create|drop|reindex), schema text, table text,
 *   columns text (JSON array of column names or expressions), method text, ddl text, kind text,
 *   saving_pct float (of the database's statement time, expected), size_bytes int,
 *   confidence text (what-if|modelled|heuristic), reason text,
 *   statements text (JSON array of query ids), caveats text (JSON array of texts),
 *   index text (existing, or NULL), build_s float, lock text, key text (identity between runs)
 *
 * PROBE_ADVICE_STATEMENTS, a row per advice and statement, and per statement that got none:
 *   advice_key text (NULL: rejected or not explainable), queryid int, weight_pct float,
 *   before_cost float, after_cost float, low float, high float (span of after/before over values),
 *   verdict text (helps|rejected|not explainable), candidate text, why text,
 *   plan_rows float (that the planner expects of a call), query text (its beginning)
 *
 * PROBE_ADVICE_SUMMARY, one row:
 *   explains int, elapsed_ms float, statements int, explained int, is_final bool,
 *   hypopg text (used|never|absent|denied|refused), hypopg_hint text,
 *   not_explained text (JSON array of {"queryid","why"}),
 *   stopped text (NULL|budget|time|load|cancelled), stats_age_s float,
 *   no_unused text (why no index is called unused, or NULL), no_unused_hint text
 */
/* clang-format on */
struct advice_sink {
	void *arg;
	void (*put)(
	    void *arg, struct rowset *advice, struct rowset *statements, struct rowset *summary);
};

/* False and *err when no advice could be made at all (cannot connect, no pg_stat_statements: drop
 * advice is still given). */
bool advice_run(
    const struct advice_request *req, const struct advice_sink *sink, struct error *err) MUST_CHECK;

#endif
