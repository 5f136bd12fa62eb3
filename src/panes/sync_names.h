/* synchronous_standby_names, and whether it lets a failover lose a commit. Pure. */
#ifndef PGMEDIC_PANES_SYNC_NAMES_H
#define PGMEDIC_PANES_SYNC_NAMES_H

#include <stdbool.h>

#include "base/cell.h"

struct sync_verdict {
	bool is_zero; /* no committed transaction can be lost by a failover to a synchronous standby
	               */
	char because[200];
};

/* How many standbys a value of synchronous_standby_names waits for: 0 when empty, 1 for a plain
 * list, N of "FIRST N (…)", "ANY N (…)" and "N (…)". */
int sync_needed(const char *value, int len);

/*
 * names, commit, fsync: cells of the settings (NULL: unknown). safe: standbys that stream and are
 * sync or quorum.
 */
struct sync_verdict sync_judge(
    const struct cell *names, const struct cell *commit, const struct cell *fsync, int safe);

#endif
