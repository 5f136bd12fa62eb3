/* The job of create index and drop index: watched, cleaned up after, verified, measured. In the
 * job's own process. */
#ifndef PGMEDIC_APP_JOB_INDEX_H
#define PGMEDIC_APP_JOB_INDEX_H

#include <stdint.h>

#include "base/json.h"
#include "store/journal.h"

/* request: see struct act_job. How it ended is in the journal. */
void index_job(struct journal *j, int64_t id, const struct json *request);

#endif
