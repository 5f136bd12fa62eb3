/*
 * Acts in the console: one at a time, over the target's warm action connection, never blocking. Look, plan and question,
 * run and verification go through console_run_query(), console_confirm() and console_after(). UI thread.
 */
#ifndef PGMEDIC_APP_ACTING_H
#define PGMEDIC_APP_ACTING_H

#include <stdbool.h>

#include "base/error.h"
#include "ops/act.h"

struct run_ctx;

/* Takes the act (also on failure). ERR_STATE when another one is under way. */
bool acting_start(struct run_ctx *ctx, struct act *act, struct error *err) MUST_CHECK;
/*
 * A command line whose answer is a document and that may take its time (explain): `pgmedic run` in a child process, whose
 * output is shown when it ends. UI thread.
 */
bool acting_child(struct run_ctx *ctx, const char *line, struct error *err) MUST_CHECK;
/* Forget what is under way, at the end of the program; jobs go on. */
void acting_release(struct run_ctx *ctx);

#endif
