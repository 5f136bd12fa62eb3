/*
 * What pgBackRest removes: it takes backups out of its list first and their files afterwards. Where
 * it dies between the two, the files stay, and nothing tells of them.
 */
#ifndef PGMEDIC_OPS_LOCAL_EXPIRE_H
#define PGMEDIC_OPS_LOCAL_EXPIRE_H

#include <stdbool.h>

#include "ops/op.h"

/* Before: labels, with a space between, are about to go; the leftover "expiring". */
bool expire_leave(struct op *op, const char *labels, struct error *err) MUST_CHECK;
/* After: remove the files of those that are not listed any more, and settle the leftover. */
bool expire_sweep(struct op *op, const char *labels, struct error *err) MUST_CHECK;
/* What is still listed stays, whole. */
bool expire_undo(struct op *op, const struct job_leftover *left, struct error *err) MUST_CHECK;

#endif
