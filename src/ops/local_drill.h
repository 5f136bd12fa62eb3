/* A failover drill: what its steps share. */
#ifndef PGMEDIC_OPS_LOCAL_DRILL_H
#define PGMEDIC_OPS_LOCAL_DRILL_H

#include "ops/local_pair.h"

/* What the hypothesis promises. */
enum { DRILL_RTO_S = 30, DRILL_MIN_ACKS = 20, DRILL_BASELINE_MS = 3000 };

/* The new primary: whom to ask what it has, and where its timeline begins, 0 not known. */
struct drill_site {
	const struct op_target *target;
	const char *name;
	int64_t port; /* 0: it is known by another start of its postmaster */
	uint64_t fork;
};
bool drill_measure_at(struct op *op, const struct drill_site *site, struct error *err) MUST_CHECK;
/* The steps "table" (a target that takes writes), "baseline" and "drop". */
bool drill_table_make(struct op *op, const struct op_target *target, struct error *err) MUST_CHECK;
bool drill_baseline_step(struct op *op, struct error *err) MUST_CHECK;
bool drill_drop_step(struct op *op, struct error *err) MUST_CHECK;
/* From the probe's log and the table of the new primary: facts rto_s, rpo_rows … False where the
 * service is not back. */
bool drill_measure(struct pair *p, struct error *err) MUST_CHECK;
/* The report's files in the state folder: fact "report". */
bool drill_report(struct op *op, struct error *err) MUST_CHECK;
bool drill_result(struct op *op, struct error *err) MUST_CHECK;
/* The numbers of the baseline: facts baseline_acks, baseline_ms. False: it does not write well. */
bool drill_baseline(struct op *op, struct error *err) MUST_CHECK;
/* Leftover "table". */
bool drill_undo_table(struct op *op, const struct job_leftover *left, struct error *err) MUST_CHECK;

#endif
