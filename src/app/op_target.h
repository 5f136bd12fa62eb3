/* What operations need to know of a target: from the configuration, and to and from a job's
 * request. */
#ifndef PGMEDIC_APP_OP_TARGET_H
#define PGMEDIC_APP_OP_TARGET_H

#include <stdbool.h>

#include "app/settings.h"
#include "app/targets.h"
#include "base/json.h"
#include "base/strbuf.h"
#include "ops/op.h"

/* In the arena, its standby's target with it. ERR_CONFIG where `standby` names no target. */
const struct op_target *op_target_of(struct arena *arena, const struct settings *settings,
    const struct target *target, struct error *err) MUST_CHECK;
/* As members of a JSON object that a pipe carries: holds passwords. */
void op_target_write(struct strbuf *out, const struct op_target *target);
/* Back again; strings of the JSON, the rest in the arena. */
const struct op_target *op_target_read(struct arena *arena, const struct json *object);

#endif
