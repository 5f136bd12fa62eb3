/* synchronous_standby_names of a server that is to be promoted. Pure. */
#ifndef PGMEDIC_OPS_LOCAL_SYNC_H
#define PGMEDIC_OPS_LOCAL_SYNC_H

#include <stdbool.h>

/* How many standbys it waits for, 0 when empty; *is_named: one of that application_name counts. */
int sync_waits_for(const char *names, const char *standby, bool *is_named);

#endif
