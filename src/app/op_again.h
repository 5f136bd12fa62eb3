/*
 * A job that has ended, once more: go on with it, or take back what it left. Planned like an
 * operation: what is left to do is shown, and confirmed. Blocks for the journal.
 */
#ifndef PGMEDIC_APP_OP_AGAIN_H
#define PGMEDIC_APP_OP_AGAIN_H

#include <stdint.h>

#include "app/op_job.h"
#include "base/doc.h"
#include "base/lexer.h"
#include "base/strbuf.h"

struct op_again {
	int64_t id;
	enum op_job_mode mode;   /* OP_JOB_RESUME or OP_JOB_UNDO */
	const char *line;        /* the job's own command line */
	const char *hash, *kind; /* of its plan */
	const char *steps;       /* JSON */
	const char *state;       /* how it stands now */
	const char *question, *expects;
	struct doc doc;
};

/* "job resume N" and "job undo N"; other words are none. */
bool op_again_words(const struct words *words, int64_t *id, enum op_job_mode *mode);
/* Strings in the arena; doc is the caller's to release. False: it cannot be, and why. */
bool op_again_plan(struct op_again *a, struct arena *arena, const struct op_target *target,
    int64_t id, enum op_job_mode mode, struct error *err) MUST_CHECK;
/* What the child says of it to the console (app/op_plan.h). */
void op_again_write(struct strbuf *out, const struct op_again *a);

#endif
