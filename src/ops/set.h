/* `set PARAM VALUE|DEFAULT`, whoever keeps the parameter: the server's files, a parameter group. */
#ifndef PGMEDIC_OPS_SET_H
#define PGMEDIC_OPS_SET_H

#include "base/rowset.h"
#include "ops/op.h"
#include "ops/parameter.h"
#include "pg/sync.h"

extern const struct op_impl local_set, rds_set;

/* What was asked for; *value NULL: DEFAULT. In the operation's arena. */
bool set_words(struct op *op, const char **name, const char **value, struct error *err) MUST_CHECK;
/* Say in the plan what is known to hurt; the higher of its risks and the given one. */
const char *set_warn(
    struct op *op, const struct parameter *p, const char *from, const char *to, const char *risk);
/* What the server says of a parameter; strings in the operation's arena. */
struct set_looked {
	struct parameter p;
	const char *setting, /* that RESET gives, where this session has set it */
	    *source, *sourcefile, *overrides, *boot, *reset, *about;
	const char *statement, *undo;
	int64_t sourceline, loaded_at;
	bool is_pending, may_set, may_reload, is_rds, is_allowed;
};
/* value, before: for its statements; NULL: the default, nothing. */
bool set_look(struct op *op, struct pg_sync *pg, const char *name, const char *value,
    const char *before, struct set_looked *l, struct error *err) MUST_CHECK;
const char *set_text(struct op *op, const struct rowset *rows, int row, const char *column);
bool set_true(const struct rowset *rows, const char *column);
/* Set back: by a job that did (no id), or did not get to its end. */
bool set_undo(struct op *op, const struct job_leftover *left, struct error *err);

/* The same in a parameter group. */
bool rds_set_undo(struct op *op, const struct job_leftover *left, struct error *err);

#endif
