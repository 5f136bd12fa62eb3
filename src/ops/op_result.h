/* Members of an operation's result, in the order they are added. */
#ifndef PGMEDIC_OPS_OP_RESULT_H
#define PGMEDIC_OPS_OP_RESULT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "ops/op.h"

/* *first: true before the first member. A NULL text and a NAN are null, as is a time of 0. */
void op_result_text(struct op *op, bool *first, const char *key, const char *value);
void op_result_int(struct op *op, bool *first, const char *key, int64_t value);
void op_result_num(struct op *op, bool *first, const char *key, double value);
void op_result_bool(struct op *op, bool *first, const char *key, bool value);
void op_result_time(struct op *op, bool *first, const char *key, struct wall value);

/*
 * The result of `snapshot`, of whichever provider: snapshot, kind, size_bytes, started_at and
 * finished_at, from the facts label, kind, size_bytes, started_at and finished_at (us since 1970).
 */
bool op_result_snapshot(struct op *op, struct error *err) MUST_CHECK;

#endif
