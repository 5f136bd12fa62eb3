/* Inside of an act: shared by the files of ops/act_*.c, nobody else. */
#ifndef PGMEDIC_OPS_ACT_PRIV_H
#define PGMEDIC_OPS_ACT_PRIV_H

#include "base/fmt.h"
#include "base/mem.h"
#include "base/strbuf.h"
#include "ops/act.h"

struct act_ops {
	struct act_class info;
	/* Read the words; the first is the verb. Sets up data for next(). */
	bool (*parse)(struct act *a, const struct words *words, struct error *err);
	/* The query due in this stage and phase; false: none (the stage must then have moved on).
	 */
	bool (*next)(struct act *a, struct act_query *q);
	void (*answer)(struct act *a, const struct rowset *rows, const struct error *error);
	/* Once planned: exactly what it takes away that nobody can give back, for the two-person
	 * rule. NULL: it takes nothing away, and one person may do it. */
	const char *(*takes)(const struct act *a, struct arena *arena);
};

struct act {
	struct arena arena;
	const struct act_ops *ops;
	const char *line, *target, *selection;
	bool is_protected, force;
	const int *own_pids;
	int nown;
	struct act_session *sessions;
	int nsessions;
	const struct rowset *advice; /* while parsing */
	int64_t (*free_bytes)(const char *folder);

	enum act_stage stage;
	int phase;  /* of LOOKING and RUNNING, the verb's own */
	void *data; /* the verb's own, in the arena */
	struct doc doc, result_doc;
	struct act_step *steps;
	int nsteps, cap_steps;
	const char *question, *expects, *confirmed_how, *statement;
	struct act_job job; /* kind NULL: none */

	enum act_state state;
	const char *result_line;
	struct error error;
	bool has_error;
};

extern const struct act_ops act_cancel, act_terminate, act_vacuum, act_analyze, act_reindex,
    act_checkpoint, act_reset, act_create, act_drop;

void act_add_step(struct act *a, const char *step, const char *effect, const char *risk);
/* The plan is complete: question, and what confirms it (y, or a count; the target's name where it
 * is protected). */
void act_planned(struct act *a, const char *question, const char *expects);
/* It ends here; line is printf-like. */
void act_finish(struct act *a, enum act_state state, const char *fmt, ...) PRINTF_LIKE(3, 4);
/* It ends with an error. */
void act_fail(struct act *a, enum act_state state, const struct error *error);
/* The same, made on the spot. */
void act_refuse(struct act *a, enum err_code code, const char *hint, const char *fmt, ...)
    PRINTF_LIKE(4, 5);
/* A text cell as a string of the act's arena; NULL for NULL. */
const char *act_text(struct act *a, const struct rowset *rows, int row, const char *column);
/* "{…}" array literals for parameters. */
const char *act_ints_literal(struct act *a, const int64_t *v, int n);
const char *act_times_literal(struct act *a, const int64_t *v, int n);
const char *act_texts_literal(struct act *a, const char *const *v, int n);

#endif
