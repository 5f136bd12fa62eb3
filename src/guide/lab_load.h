/* The lab's load: pgbench programs under a supervisor that starts again what has ended. */
#ifndef PGMEDIC_GUIDE_LAB_LOAD_H
#define PGMEDIC_GUIDE_LAB_LOAD_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/compat.h"
#include "base/error.h"
#include "guide/lab_folder.h"

struct load_status {
	pid_t supervisor;      /* 0: it does not run */
	int running, expected; /* programs */
};

/* Leave the supervisor behind, in a session of its own. It ends with the lab's folder at the
 * latest. */
bool load_start(struct lab *lab, struct error *err) MUST_CHECK;
void load_status(struct lab *lab, struct load_status *status);
void load_stop(struct lab *lab);

#endif
