/* The write probe of a drill: a process of its own that dies with the job, and what its log says.
 */
#ifndef PGMEDIC_OPS_LOCAL_PROBE_H
#define PGMEDIC_OPS_LOCAL_PROBE_H

#include <stdbool.h>
#include <stdint.h>

#include "ops/op.h"

/* Start it, unless it runs; a job that is resumed goes on in the same log. */
bool probe_start(struct op *op, struct error *err) MUST_CHECK;
void probe_stop(void);
const char *probe_run(struct op *op);  /* name of the drill in the table */
const char *probe_path(struct op *op); /* of its log */

struct probe_beat {
	char what; /* 'o' ok, 'e' err, 'd' down */
	int64_t seq, sent, ended, port, started;
	uint64_t lsn;
};
struct probe_log {
	struct probe_beat *beats;
	int n, cap;
};
bool probe_read(struct op *op, struct probe_log *log, struct error *err) MUST_CHECK;
void probe_log_release(struct probe_log *log);

#endif
