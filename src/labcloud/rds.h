/* What the parts of the rds service share. */
#ifndef PGMEDIC_LABCLOUD_RDS_H
#define PGMEDIC_LABCLOUD_RDS_H

#include "labcloud/call.h"

#define RDS_NAMESPACE "http://rds.amazonaws.com/doc/2014-10-31/"

/* The instance that a parameter names; NULL and failed when there is none. */
struct instance *rds_instance(struct call *c, const char *parameter);
/* It is available, else failed. */
bool rds_available(struct call *c, const struct instance *i) MUST_CHECK;
void rds_write_instance(struct call *c, const struct instance *i);

#endif
