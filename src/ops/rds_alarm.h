/* Beside the instance: its alarms, its proxies, what grows by itself. */
#ifndef PGMEDIC_OPS_RDS_ALARM_H
#define PGMEDIC_OPS_RDS_ALARM_H

#include "ops/op.h"

extern const struct op_impl rds_alarm, rds_autoscaling, rds_proxy;

/* Removes a proxy that a job has left, if the job made it. */
bool rds_proxy_undo(struct op *op, const struct job_leftover *left, struct error *err);

/* Deletes the alarms that a job has put, or puts back those that were there before. */
bool rds_alarm_undo(struct op *op, const struct job_leftover *left, struct error *err);

#endif
