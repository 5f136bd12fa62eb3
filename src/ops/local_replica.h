/*
 * replica add NAME | drop NAME: a standby of the target on its machine, in a folder below
 * restore_root: data, tablespaces, server.log, and a passfile where the primary asks for a
 * password. Facts: name, slot, port, host (of the primary, as it is reached), and those of a copy.
 */
#ifndef PGMEDIC_OPS_LOCAL_REPLICA_H
#define PGMEDIC_OPS_LOCAL_REPLICA_H

#include <stdbool.h>

#include "ops/local_node.h"
#include "ops/op.h"

extern const struct op_impl local_replica;

/* The plans of the two, and their steps. */
bool replica_add_plan(struct op *op, struct error *err) MUST_CHECK;
bool replica_drop_plan(struct op *op, struct error *err) MUST_CHECK;
bool replica_begin_run(struct op *op, struct error *err) MUST_CHECK;
bool replica_copy_run(struct op *op, struct error *err) MUST_CHECK;
bool replica_configure_run(struct op *op, struct error *err) MUST_CHECK;
bool replica_start_run(struct op *op, struct error *err) MUST_CHECK;
bool replica_stream_run(struct op *op, struct error *err) MUST_CHECK;
bool replica_stop_run(struct op *op, struct error *err) MUST_CHECK;
bool replica_unslot_run(struct op *op, struct error *err) MUST_CHECK;
bool replica_remove_run(struct op *op, struct error *err) MUST_CHECK;

/* What both refuse: a cluster that Patroni runs. data "": only the target is looked at. */
bool replica_is_free(struct op *op, const char *data, struct error *err) MUST_CHECK;
/* The standby's server; the strings of *target are in the operation's arena. */
bool replica_node(struct op *op, const char *data, const char *conninfo, struct op_target *target,
    struct node *out, struct error *err) MUST_CHECK;
/* By its control file: a standby of that cluster, never promoted. ERR_REFUSED says what it is. */
bool replica_is_standby(struct node *n, int64_t system_identifier, struct error *err) MUST_CHECK;
/* The fact port: `wanted`, or where that is 0 the first that is free from `from` on. */
bool replica_choose_port(struct op *op, int wanted, int from, struct error *err) MUST_CHECK;
/* Drop the slot on the target, and wait until it is gone: a standby that has just ended may still
 * hold it. */
bool replica_slot_drop(struct op *op, const char *slot, struct error *err) MUST_CHECK;

/* Leftovers "replica_slot" and "replica_down". */
bool replica_undo_slot(
    struct op *op, const struct job_leftover *left, struct error *err) MUST_CHECK;
bool replica_undo_down(
    struct op *op, const struct job_leftover *left, struct error *err) MUST_CHECK;

#endif
