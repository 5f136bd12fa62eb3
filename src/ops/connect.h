/*
 * Why a target cannot be reached: the way to it walked layer by layer (name, network, server, TLS,
 * login, slots; for RDS the instance, security groups, routes and network ACLs; for a server of
 * this machine its socket and postmaster.pid), each with evidence and what mends it. Needs no
 * session. It waits, within bounds, so it is for children and `pgmedic diagnose`.
 */
#ifndef PGMEDIC_OPS_CONNECT_H
#define PGMEDIC_OPS_CONNECT_H

#include <stdbool.h>

#include "base/checks.h"
#include "ops/op.h"
#include "pg/where.h"

struct connect_report {
	struct checks checks;
	struct pg_where where; /* strings in the arena of the checks */
	bool is_reached;
	const char *verdict, *remedy; /* in one sentence each; remedy "" none */
};

/*
 * from: the address whose way in the rules of AWS are judged for (of an application, or what a NAT
 * makes of ours); "" or NULL: this machine's.
 */
void connect_walk(const struct op_target *target, const char *from, struct connect_report *out);
/* Is it an IPv4 or IPv6 address? */
bool connect_is_address(const char *text);
void connect_report_release(struct connect_report *r);

#endif
