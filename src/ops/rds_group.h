/* Parameter groups of RDS: of instances, and of Aurora's clusters. */
#ifndef PGMEDIC_OPS_RDS_GROUP_H
#define PGMEDIC_OPS_RDS_GROUP_H

#include "ops/rds_modify.h"

enum { GROUP_USERS = 40 };

/* What differs between those of instances and those of clusters. */
struct rds_group_noun {
	const char *group; /* the parameter that names it */
	const char *describe, *modify, *reset;
	const char *list; /* what has the name of a group: instances, clusters */
};

struct rds_group {
	const char *name;
	const char
	    *status; /* ParameterApplyStatus of the target's instance or member, "" unknown */
	const struct rds_group_noun *noun;
	const char *users[GROUP_USERS]; /* other instances or clusters that have it */
	int nusers;
};
/* The group of the target: of its cluster where it has one. False: unreachable … */
bool rds_group_of(
    struct op *op, struct aws *aws, struct rds_group *g, struct error *err) MUST_CHECK;
/* Who else has it. */
bool rds_group_users(
    struct op *op, struct aws *aws, struct rds_group *g, struct error *err) MUST_CHECK;

/* A parameter of a group, "" where it is not said. */
struct rds_parameter {
	bool is_there;
	bool is_whole; /* the group lists its defaults too, so that what it lacks is not there */
	bool is_modifiable;
	const char *name, *value, *source, *apply_type, *data_type, *allowed, *about;
};
bool rds_parameter_get(struct op *op, struct aws *aws, const struct rds_group *g, const char *name,
    struct rds_parameter *out, struct error *err) MUST_CHECK;
/* Is it among "0,1", "1-100", "a,b", "-1,5-9"? What cannot be read is. */
bool rds_allowed(const char *allowed, const char *value);

#endif
