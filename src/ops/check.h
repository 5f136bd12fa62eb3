/*
 * Checks of a restored copy, wherever it runs. Each has a name, a verdict and a detail, kept as a
 * fact of the job; what could not be tried at all is said apart, and is no verdict.
 */
#ifndef PGMEDIC_OPS_CHECK_H
#define PGMEDIC_OPS_CHECK_H

#include <stdbool.h>

#include "ops/client.h"
#include "ops/op.h"
#include "pg/sync.h"

bool check_set(struct op *op, struct error *err, const char *name, bool passed, const char *fmt,
    ...) PRINTF_LIKE(5, 6) MUST_CHECK;
/* What was not tried, and why: "amcheck: …". A member "notes" of the result. */
bool check_note(struct op *op, struct error *err, const char *fmt, ...)
    PRINTF_LIKE(3, 4) MUST_CHECK;
bool check_passed(struct op *op, const char *name); /* true where it was not made */
bool check_all_passed(struct op *op);
/* What the snapshot itself is to say of the verdict, so that it holds on every machine: the time,
 * after CHECK_FAILED where something did not pass. */
#define CHECK_FAILED "failed "
const char *check_mark(struct op *op);

/* "schema.table N" a line for each table, and the LSN at which they were counted (0: no table). */
bool check_count(
    struct pg_sync *pg, struct strbuf *counts, int64_t *lsn, struct error *err) MUST_CHECK;
/* Of the copy that runs there. False only when it could not be tried. */
bool check_amcheck(struct op *op, const struct client_at *at, struct error *err) MUST_CHECK;
bool check_rows(struct op *op, const struct client_at *at, struct error *err) MUST_CHECK;
bool check_queries(struct op *op, const struct client_at *at, struct error *err) MUST_CHECK;

/* Keep the verdict on a snapshot, with the facts rto_s and rpo_s, in the journal. */
bool check_keep(
    struct op *op, const char *snapshot, struct job_verified *v, struct error *err) MUST_CHECK;
/* The result of `verify`, of either provider: of the fact "label". */
bool check_result(struct op *op, struct error *err) MUST_CHECK;

#endif
