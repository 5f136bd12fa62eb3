/* Checks of a restored copy. Each has a name, a verdict and a detail, kept as a fact of the job. */
#ifndef PGMEDIC_OPS_LOCAL_CHECK_H
#define PGMEDIC_OPS_LOCAL_CHECK_H

#include <stdbool.h>

#include "ops/op.h"
#include "pg/sync.h"

bool check_set(struct op *op, struct error *err, const char *name, bool passed, const char *fmt,
    ...) PRINTF_LIKE(5, 6) MUST_CHECK;
bool check_passed(struct op *op, const char *name); /* true where it was not made */
bool check_all_passed(struct op *op);
void check_json(struct op *op, struct strbuf *out); /* [{"name","passed","detail"}] */

/* "schema.table N" a line for each table, and the LSN at which they were counted (0: no table). */
bool check_count(
    struct pg_sync *pg, struct strbuf *counts, int64_t *lsn, struct error *err) MUST_CHECK;
/* Of the copy that runs. False only when it could not be tried. */
bool check_amcheck(struct op *op, struct error *err) MUST_CHECK;
bool check_rows(struct op *op, struct error *err) MUST_CHECK;
bool check_queries(struct op *op, struct error *err) MUST_CHECK;
/* Of the copy that was stopped. */
bool check_checksums(struct op *op, struct error *err) MUST_CHECK;

#endif
