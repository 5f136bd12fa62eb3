/* `set PARAM VALUE|DEFAULT`, whoever keeps the parameter: the server's files, a parameter group. */
#ifndef PGMEDIC_OPS_SET_H
#define PGMEDIC_OPS_SET_H

#include "ops/op.h"
#include "ops/parameter.h"

extern const struct op_impl local_set, rds_set;

/* What was asked for; *value NULL: DEFAULT. In the operation's arena. */
bool set_words(struct op *op, const char **name, const char **value, struct error *err) MUST_CHECK;
/* Say in the plan what is known to hurt; the higher of its risks and the given one. */
const char *set_warn(
    struct op *op, const struct parameter *p, const char *from, const char *to, const char *risk);
/* Set back: by a job that did (no id), or did not get to its end. */
bool set_undo(struct op *op, const struct job_leftover *left, struct error *err);

#endif
