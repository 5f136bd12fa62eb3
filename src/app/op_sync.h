/* Operations without a screen: `pgmedic run '…' TARGET [--dry-run] [--yes] [--wait] [--json]`. */
#ifndef PGMEDIC_APP_OP_SYNC_H
#define PGMEDIC_APP_OP_SYNC_H

#include <stdbool.h>

#include "app/op_job.h"
#include "app/run.h"
#include "base/lexer.h"

/* Plan, show, confirm, start the job, wait where that is asked; sets ctx->exit_status. */
bool op_sync(struct run_ctx *ctx, const struct words *words, struct error *err) MUST_CHECK;
/* `job resume ID` and `job undo ID`: the same from the confirmation on. */
bool op_sync_again(
    struct run_ctx *ctx, int64_t id, enum op_job_mode mode, struct error *err) MUST_CHECK;

#endif
