/* Operations of servers whose machine this is: shared by the files of ops/local_*.c. */
#ifndef PGMEDIC_OPS_LOCAL_H
#define PGMEDIC_OPS_LOCAL_H

#include "ops/op.h"

extern const struct op_impl local_snapshot, local_restore, local_point, local_verify,
    local_snapshots;
extern const struct op_impl local_pool;
extern const struct op_impl local_switchover, local_failover, local_promote, local_drill;

/* A string member of a result; and a number, a time of the facts. */
void op_result_text(struct op *op, bool *first, const char *key, const char *value);
void op_result_int(struct op *op, bool *first, const char *key, int64_t value);
void op_result_num(struct op *op, bool *first, const char *key, double value); /* NAN: null */
void op_result_bool(struct op *op, bool *first, const char *key, bool value);
void op_result_time(struct op *op, bool *first, const char *key, struct wall value);

#endif
