/*
 * What ModifyDBInstance changes: asked for once, and judged by what the instance says afterwards.
 * The status alone tells nothing: right after the call it still reads "available", and
 * "storage-optimization" may go on for hours.
 */
#ifndef PGMEDIC_OPS_RDS_MODIFY_H
#define PGMEDIC_OPS_RDS_MODIFY_H

#include "ops/rds.h"
#include "ops/rds_make.h"

/* Of an instance; "" and 0 where there is nothing, -1 where it does not say. */
struct rds_values {
	const char *instance_class, *storage_type, *insights_mode;
	int storage_gb, max_storage_gb, iops, throughput, insights, insights_days;
};
struct rds_spec {
	const char *id, *resource_id, *status, *engine, *version, *window, *zone;
	const char *storage_operation; /* its status, "" none */
	int percent;                   /* of that, -1 unknown */
	bool is_multi_az, is_aurora;
	struct rds_values now, pending; /* pending: what it does not change is as in now */
};

bool rds_spec_get(struct op *op, struct aws *aws, const char *id, struct rds_spec *out,
    struct error *err) MUST_CHECK;
/* The target's instance, also where it has a cluster; in the plan's text, and in its identity. */
bool rds_spec_look(
    struct op *op, struct aws *aws, struct rds_spec *out, struct error *err) MUST_CHECK;
/* No modification can be begun in other states than "available". */
bool rds_spec_ready(const struct rds_spec *s, struct error *err) MUST_CHECK;

/*
 * What is wanted, kept with the plan. Facts "want.NAME" are compared with the instance's values
 * (NAME as in ModifyDBInstance); `more` has further parameters as A=b&C=d. A fact with an empty
 * value is not asked for.
 */
bool rds_want(struct op *op, struct error *err, const char *name, const char *fmt, ...)
    PRINTF_LIKE(4, 5);
/* The same for taking it back ("back.NAME"); what says what that does. */
bool rds_want_back(struct op *op, struct error *err, const char *name, const char *fmt, ...)
    PRINTF_LIKE(4, 5);
/*
 * Steps "modify" and "wait" by these facts: instance, what, from, to, window, applies ("now" or
 * "window"), undo_text (what taking it back does; none: it cannot be).
 */
extern const struct op_step_def rds_modify_steps[];
bool rds_modify_result(struct op *op, struct error *err);
/* Takes back what a job that is done has changed. */
bool rds_modify_undo(struct op *op, const struct job_leftover *left, struct error *err);

extern const struct op_impl rds_scale, rds_storage, rds_insights;

/* "200GB", "200GiB", "1TB", "200": whole GiB, as RDS counts; 0: none of these. */
int rds_size_gb(const char *text);
/* A whole number from 1 on; 0: it is none. */
int rds_number(const char *text);
/* May storage of this kind be so large, with so many IOPS (0: not said)? *iops: those to ask for, 0
 * none. */
bool rds_storage_allows(
    const struct rds_values *now, int gb, int *iops, struct error *err) MUST_CHECK;

#endif
