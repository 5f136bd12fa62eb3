/* A line that is planned, confirmed and run as a job, on a screen or without. */
#ifndef PGMEDIC_APP_CMD_OP_H
#define PGMEDIC_APP_CMD_OP_H

#include "app/run.h"

bool cmd_op_run(struct run_ctx *ctx, const struct words *words, struct error *err) MUST_CHECK;

#endif
