/* What `verify` looks at in the scratch instance, besides ops/check.h. */
#ifndef PGMEDIC_OPS_RDS_VERIFY_LOOK_H
#define PGMEDIC_OPS_RDS_VERIFY_LOOK_H

#include "ops/client.h"
#include "ops/rds_make.h"

/* The scratch as a target: the target's own login, at the fact "endpoint.host" and its port. NULL
 * conninfo: the target has none. */
bool rds_verify_at(struct op *op, struct client_at *at, struct error *err) MUST_CHECK;
/* Until it answers: the check "connect", facts copy.major and rto_s. */
bool rds_verify_connect(struct op *op, struct error *err) MUST_CHECK;
/* The rows of the source that are older than the snapshot: the check "rows". */
bool rds_verify_rows(struct op *op, const struct client_at *at, struct error *err) MUST_CHECK;
/* The check "checksums": after all has been read. */
bool rds_verify_pages(struct op *op, const struct client_at *at, struct error *err) MUST_CHECK;

#endif
