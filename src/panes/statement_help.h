/*
 * What stands out in the figures of one statement: each finding with its evidence and what to do.
 * From pg_stat_statements, the settings, the tables it names and the advice; nothing is asked.
 * Pure.
 */
#ifndef PGMEDIC_PANES_STATEMENT_HELP_H
#define PGMEDIC_PANES_STATEMENT_HELP_H

#include "base/doc.h"
#include "base/mem.h"
#include "model/snapshot.h"
#include "model/statements.h"

struct help_facts {
	struct stmt total;           /* since the reset; NAN where this server does not count */
	double calls_per_s;          /* of the interval; NAN without one */
	double max_ms, stddev_ms;    /* of one execution */
	double block_size, work_mem; /* bytes; NAN unknown */
	const char *text;            /* its beginning suffices; NULL: not known */
	size_t text_len;
	/* A statement that returns about as many rows as this one has calls; 0 calls: none. */
	int64_t parent_id;
	double parent_calls, parent_rows;
	double plan_rows; /* that the planner expects of a call; NAN unknown */
};

struct help_finding {
	const char
	    *code; /* "n_plus_1", "temp", "plan", "jit", "reads", "wide", "unsteady", "rows" */
	const char *what, *hint; /* in the arena */
};
enum { HELP_MAX = 8 };

/* What stands out, worst first as listed above; returns how many. */
int help_findings(const struct help_facts *f, struct arena *arena, struct help_finding *out);
/* Is the table named in the text where a table stands (behind FROM, JOIN, UPDATE, INTO, a comma)?
 */
bool help_reads_table(const char *text, size_t len, const char *table, size_t table_len);
/* All of it for row `row` of st, with the advice and the tables' statistics, into a document. */
void statement_help(const struct snapshot *snap, const struct statements *st, int row,
    const struct cell *query_id, const struct cell *text, struct doc *doc);

#endif
