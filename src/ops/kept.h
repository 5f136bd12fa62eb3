/*
 * What the journal knows of a target's snapshots: which were verified, and how long they are to be
 * kept. Read in the plan, too, which has no journal of its own.
 */
#ifndef PGMEDIC_OPS_KEPT_H
#define PGMEDIC_OPS_KEPT_H

#include <stdbool.h>

#include "model/retention.h"
#include "ops/op.h"
#include "ops/pgbackrest.h"
#include "ops/rds.h"

struct kept {
	struct job_verified *verified; /* newest first */
	int nverified;
	struct retention retention;
	bool has_retention; /* it was set */
};
bool kept_read(struct op *op, struct kept *out, struct error *err) MUST_CHECK;
/* When it was last verified; 0: never, or it failed. `mark`: what the snapshot itself says of it,
 * which another machine may have written (check_mark), "" nothing; the newer word decides. */
struct wall kept_verified(const struct kept *k, const char *id, const char *mark);
/* The same where a name may be given again: what was known before `made` is of another one. */
struct wall kept_verified_since(
    const struct kept *k, const char *id, const char *mark, struct wall made);

/* The backups of a stanza, judged: in the operation's arena, in their order. */
struct retention_item *kept_local(
    struct op *op, const struct kept *k, const struct pgbackrest_info *info);
/* The snapshots of RDS: automated ones go by its own days, manual ones by their tag. */
struct retention_item *kept_rds(struct op *op, const struct kept *k,
    const struct rds_snapshot *items, int n, int automated_days);
/* ", expires 2026-12-21" for a list; "" never. */
const char *kept_expires(struct op *op, const struct retention_item *item);

/* Is that word on the command line, after the verb? */
bool op_has_word(const struct op *op, const char *word);

/* A drop leaves one that can be restored, and does not take the last that was verified: else it is
 * refused, unless --last was said. again: the command that makes another one. */
bool kept_leaves(struct op *op, bool has_good, bool has_verified, const char *again,
    struct error *err) MUST_CHECK;

#endif
