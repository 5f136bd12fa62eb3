/*
 * The lab: a throw-away primary, a streaming standby and PgBouncer on loopback, with data and a
 * load, owned by an unprivileged user in a folder of its own. `pgmedic lab up|down|status`.
 */
#ifndef PGMEDIC_GUIDE_LAB_H
#define PGMEDIC_GUIDE_LAB_H

#include <stdbool.h>

#include "base/compat.h"
#include "base/error.h"
#include "base/mem.h"

/*
 * `pgmedic lab ...`: argv[0] is "lab", the rest its arguments. Returns the exit status of the
 * program (0 done, 1 failed or, for `status`, not wholly up, 2 usage). Started as root it changes
 * to an unprivileged user for good, so nothing else may follow in this process. Main thread, no
 * other running.
 */
int lab_main(int argc, char **argv);

/*
 * Find a lab that is up (that of PGMEDIC_LAB, else the user's own, for root the one it has made).
 * URIs are in the arena and carry the password; *standby and *pgbouncer_admin are NULL when that
 * part does not run. False with ERR_NOT_FOUND when there is no lab. Reads a few small files; no
 * process is started.
 */
bool lab_conninfo(struct arena *arena, const char **primary, const char **standby,
    const char **pgbouncer_admin, struct error *err) MUST_CHECK;
/* The file that holds what operations need to know of its servers: [target lab] and [target
 * lab-standby]. In the arena; NULL when no lab is up. */
const char *lab_targets_file(struct arena *arena);

#endif
