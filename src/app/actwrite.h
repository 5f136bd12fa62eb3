/*
 * Writing the journal of an act without waiting for the disk: each write runs in a thread of its
 * own while the act stands still. One write at a time; UI thread.
 */
#ifndef PGMEDIC_APP_ACTWRITE_H
#define PGMEDIC_APP_ACTWRITE_H

#include "app/actlog.h"
#include "app/op_plan.h"
#include "model/snapshot.h"

enum actwrite_kind {
	ACTWRITE_BEGIN, /* actlog_begin() */
	ACTWRITE_END,   /* actlog_end() */
	ACTWRITE_JOB,   /* job_start() */
	ACTWRITE_OP,    /* op_job_start() */
};

/* What is written, and what came of it. The act and the target must stay as they are meanwhile. */
struct actwrite {
	enum actwrite_kind kind;
	struct actlog log; /* of BEGIN and END */
	const struct act *act;
	const struct target *target;
	const struct op_planned *op; /* of OP, which needs neither act nor target */
	const struct snapshot *snap; /* with a reference, let go by actwrite_end() */
	bool ok;                     /* of BEGIN */
	int64_t job;                 /* of JOB and OP; 0 and error */
	struct error error;
	struct actwriting *thread; /* private */
};

/* Fill in kind, act, target, snap, and of END the log. */
void actwrite_start(struct actwrite *w);
/* Readable when the write has ended. */
int actwrite_fd(const struct actwrite *w);
/* Waits for the end. */
void actwrite_end(struct actwrite *w);

#endif
