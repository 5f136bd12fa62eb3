/* Shared by ops/production*.c. */
#ifndef PGMEDIC_OPS_PRODUCTION_PRIV_H
#define PGMEDIC_OPS_PRODUCTION_PRIV_H

#include "base/rowset.h"
#include "ops/production.h"

struct production {
	const struct op_target *target;
	struct pg_sync *pg;
	struct checks *checks;
	struct arena *arena;
	struct rowset *facts; /* of look_production; NULL: no session */
	struct op op;         /* for what asks AWS or pgBackRest */
};

void production_rds(struct production *p);
void production_local(struct production *p);

/* A fact; "" and `other` where there is none. */
const char *production_text(const struct production *p, const char *column);
int64_t production_int(const struct production *p, const char *column, int64_t other);
/* The pooler in front, as far as the target's keys tell; adds the check "pooling". proxy: of RDS,
 * "" none, NULL not known. */
void production_pooling(struct production *p, const char *proxy);

#endif
