/*
 * Operations as jobs: started from the console or `pgmedic run`, run in a process of their own,
 * resumed, taken back. Blocks for the journal and the start of a process.
 */
#ifndef PGMEDIC_APP_OP_JOB_H
#define PGMEDIC_APP_OP_JOB_H

#include <stdint.h>

#include "base/json.h"
#include "ops/op.h"
#include "store/journal.h"

enum op_job_mode { OP_JOB_RUN, OP_JOB_RESUME, OP_JOB_UNDO };

/* What is written down of a planned operation before its job begins. */
struct op_job_plan {
	const char *line, *hash, *kind, *risk;
	const char *text;  /* as it was shown */
	const char *steps; /* JSON */
	const char *confirmed_how;
	bool only_looks;
	const char *host, *port, *database, *role; /* of the server; "" unknown */
	int64_t system_identifier;
};
/* The plan in the journal, its process started. The job's id; 0 and *err. */
int64_t op_job_start(
    const struct op_target *target, const struct op_job_plan *plan, struct error *err);
/* A lost, failed or cancelled job once more: go on, or take back. */
bool op_job_again(const struct op_target *target, int64_t id, const char *line,
    enum op_job_mode mode, struct error *err) MUST_CHECK;
/* In the job's process, its lock held. */
void op_job_run(struct journal *j, int64_t id, const struct json *request);

#endif
