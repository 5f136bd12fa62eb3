/* The permissions that pgmedic can use: the policies to print and the calls that `cloud check`
 * makes come from this one table. */
#ifndef PGMEDIC_CLOUD_POLICY_H
#define PGMEDIC_CLOUD_POLICY_H

#include "base/strbuf.h"
#include "cloud/endpoint.h"

enum policy { POLICY_READ, POLICY_OPERATE };

struct policy_action {
	enum policy policy;
	const char *action;   /* "rds:DescribeDBInstances" */
	const char *resource; /* NULL: "*" */
	/* What tries it out; probe NULL: nothing harmless does. Parameters of Query services are
	 * "Name=value&…"; "@I" is the instance, "@R" its resource id, "@T" now, "@P" five minutes
	 * ago. */
	enum aws_service service;
	const char *probe;
};
extern const struct policy_action policy_actions[]; /* ends with a NULL action */

/* An IAM policy document. */
void policy_write(struct strbuf *out, enum policy policy);

#endif
