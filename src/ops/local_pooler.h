/* PgBouncer in front of a target: paused while the server behind it changes, never left so unsaid.
 */
#ifndef PGMEDIC_OPS_LOCAL_POOLER_H
#define PGMEDIC_OPS_LOCAL_POOLER_H

#include <stdbool.h>

#include "ops/op.h"

/* Does the target have one? */
bool pooler_is_there(const struct op *op);
/*
 * PAUSE, written down as left behind before it is sent. database "": all. It waits for transactions
 * under way; when they do not end in time it is resumed, and the answer is false.
 */
bool pooler_pause(struct op *op, const char *database, struct error *err) MUST_CHECK;
/* RESUME; what is not paused is fine. What any job of this target has left of it is settled. */
bool pooler_resume(struct op *op, const char *database, struct error *err) MUST_CHECK;
/* Steps of what changes the server behind it: all of it is held, and let go. Fact "pooler". */
bool pooler_pause_step(struct op *op, struct error *err) MUST_CHECK;
bool pooler_resume_step(struct op *op, struct error *err) MUST_CHECK;
/* Take back a leftover "pooler". */
bool pooler_undo(struct op *op, const struct job_leftover *left, struct error *err) MUST_CHECK;

#endif
