/* One acting job per data directory of this machine, whoever's it is: the journal, with its leases,
 * is each user's own. */
#ifndef PGMEDIC_OPS_LOCAL_LOCK_H
#define PGMEDIC_OPS_LOCAL_LOCK_H

#include <stdbool.h>

#include "ops/op.h"

/* Held until this process ends. A directory that cannot be opened is not ours to act on, and left
 * out; ERR_STATE when another one acts there. */
bool local_lock(const struct op *op, struct error *err) MUST_CHECK;

#endif
