/* What the commands about jobs share. */
#ifndef PGMEDIC_APP_CMD_JOB_H
#define PGMEDIC_APP_CMD_JOB_H

#include <stdbool.h>

#include "base/strbuf.h"
#include "store/jobs.h"

/* State of the contract: done|failed|refused|running|lost. */
const char *job_state_name(enum journal_state state);
/* "leftovers":[{kind, what, at}] */
void job_leftovers_member(struct strbuf *out, bool *first, const struct job_leftover *left, int n);

#endif
