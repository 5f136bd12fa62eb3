/*
 * Dumps by pg_dump: a folder NAME below dump_root with the dump in directory format (dump/), roles
 * and tablespaces (globals.sql, without passwords), and a manifest of what is in it.
 */
#ifndef PGMEDIC_OPS_DUMP_H
#define PGMEDIC_OPS_DUMP_H

#include <stdbool.h>

#include "base/clock.h"
#include "ops/op.h"

/* The last two: of targets that have nothing but dumps. */
extern const struct op_impl dump_impl, dump_snapshots, dump_drop;

/* One that is complete. */
struct dump_info {
	const char *name, *database;
	struct wall started, finished;
	int64_t bytes, entries;
};
/* The target's dumps, oldest first, in the operation's arena. */
struct dump_info *dump_list(struct op *op, int *n);
/* Lines of a list, members of a result (objects, each after a comma unless it is the first). */
void dump_list_doc(struct op *op);
void dump_list_result(struct op *op, bool is_first);

/* Leftover "dump": what was begun is removed. */
bool dump_undo(struct op *op, const struct job_leftover *left, struct error *err) MUST_CHECK;

/* snapshot drop NAME of a dump. False with ERR_NOT_FOUND in *err: there is none of that name. */
bool dump_drop_plan(struct op *op, const char *name, struct error *err) MUST_CHECK;
bool dump_drop_run(struct op *op, struct error *err) MUST_CHECK;
bool dump_drop_result(struct op *op, struct error *err) MUST_CHECK;

#endif
