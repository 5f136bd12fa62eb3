/* Acts without a screen: plan, question or --yes, run, verify, journal, all in one go. Main thread.
 */
#ifndef PGMEDIC_APP_ACT_SYNC_H
#define PGMEDIC_APP_ACT_SYNC_H

#include <stdbool.h>
#include <stdint.h>

#include "app/run.h"
#include "base/json.h"
#include "ops/act.h"

/* Takes the act. What it has to say is in ctx->out, as text or JSON; its outcome in
 * ctx->exit_status. */
bool act_sync(struct run_ctx *ctx, struct act *act, struct error *err) MUST_CHECK;
/* The process of a job: exit status. */
int act_sync_job(int64_t id, const struct json *request);
/* {"job":null,"state":"failed","plan":[],"result":null,"error":{…}} for what failed before there
 * was an act. */
void act_sync_error_json(struct strbuf *out, const struct error *err);
/* ,"error":{…} or null. */
void act_sync_error_member(struct strbuf *out, const struct error *error);
/* Ask on the terminal, cut at the line's end; false: there is none. */
bool act_sync_ask(const char *question, char *answer, size_t size) MUST_CHECK;

#endif
