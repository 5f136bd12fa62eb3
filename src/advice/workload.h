/*
 * The statements that advice is for: those of this database that cost most, by time and by buffers,
 * with what their plans want and cost.
 */
#ifndef PGMEDIC_ADVICE_WORKLOAD_H
#define PGMEDIC_ADVICE_WORKLOAD_H

#include "advice/candidates.h"
#include "advice/values.h"
#include "pg/whatif.h"

enum { WORKLOAD_MAX = 120, WORKLOAD_MIN_CALLS = 3 };

struct statement {
	int64_t queryid, userid;
	const char *text, *search_path;
	double calls, rows, total_ms, blocks; /* of the time looked at */
	double time_share, block_share;       /* of all statements of the database */
	double weight;                        /* the mean of both */
	bool is_rare;                         /* asked too seldom to earn an index */
	bool is_insert;                       /* INSERT … VALUES: nothing to serve */
	bool is_served; /* reads far less than its plans would: an index is there that they do not
	                   see */
	/* from EXPLAIN */
	struct whatif_statement ready;
	bool is_explained;
	const char *why_not;
	struct needs *needs;
	struct value_set sets[VALUE_KINDS];
	double base[VALUE_KINDS]; /* cost of each set as things are */
	struct plan *plans[VALUE_KINDS];
	int nsets;
	struct cand_set mine; /* candidates that could serve it */
	/* from the search */
	struct cand_set chosen; /* indexes that it would use */
	double before, after, low, high;
	const char *rejected; /* why it gets none */
	const char *wanted;   /* the candidate that was looked at */
};

/* What changes rows: of which table, which columns an UPDATE sets. */
struct change {
	const char *table;
	const char **columns;
	int ncolumns;
	double rows;
	char command; /* i u d */
};

struct workload {
	struct arena arena;
	struct statement *items;
	int n;
	double total_ms, total_blocks, age_s;
	int nseen;              /* statements of the database in all */
	struct change *changes; /* without what ran once, such as a load */
	int nchanges;
};

/* rows: of advice_statements; before: PROBE_STATEMENTS some time ago, or NULL. */
void workload_read(struct workload *wl, const struct rowset *rows, const struct rowset *before);
void workload_release(struct workload *wl);
/* What a statement costs on average over its value sets. */
double statement_before(const struct statement *s);
/* "INSERT INTO t", "UPDATE t SET a = …, b = …", "DELETE FROM t"; false: no such. */
bool change_read(struct arena *arena, const char *text, struct change *out);

#endif
