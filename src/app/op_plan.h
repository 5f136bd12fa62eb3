/*
 * Planning an operation beside the console: a child process looks (servers, pgBackRest, AWS may
 * answer late or not at all) and prints the plan as JSON.
 */
#ifndef PGMEDIC_APP_OP_PLAN_H
#define PGMEDIC_APP_OP_PLAN_H

#include <stdbool.h>

#include "app/op_job.h"
#include "base/doc.h"
#include "base/json.h"
#include "base/strbuf.h"

/* A plan that has come back; everything in its arena. */
struct op_planned {
	struct arena arena;
	const struct op_target *target;
	struct op_job_plan plan;
	int64_t again; /* an ended job that is to begin again; 0: a new one */
	enum op_job_mode mode;
	const char *question;
	const char *expects; /* "" nothing is asked */
};

/* The child's request. */
void op_plan_request(struct strbuf *request, const struct op_target *target, const char *line);
/* The child: exit status. */
int op_plan_child(const struct json *request);
/* Read what the child printed. False: *err is why there is no plan. */
bool op_planned_read(struct op_planned *p, const struct op_target *target, const char *output,
    size_t len, struct doc *doc, struct error *err) MUST_CHECK;

#endif
