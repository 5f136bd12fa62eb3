/* The lab's PgBouncer: transaction pooling in front of the primary and the standby. */
#ifndef PGMEDIC_GUIDE_LAB_POOL_H
#define PGMEDIC_GUIDE_LAB_POOL_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/compat.h"
#include "base/error.h"
#include "guide/lab_folder.h"

/* The program, NULL when it is not installed. */
const char *pool_program(struct lab *lab);
/* Configure and start it on lab->pool_port, wait until it takes connections. */
bool pool_start(struct lab *lab, const char *program, struct error *err) MUST_CHECK;
pid_t pool_pid(struct lab *lab); /* 0: it does not run */
void pool_stop(struct lab *lab);

#endif
