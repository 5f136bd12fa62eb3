/*
 * How an old primary follows the new one: tried before anything is touched, and again when it is
 * written down. As the new primary reached the old one, where that lets it in; else by the login of
 * the new one's target, whose password goes into a file of the old one's data directory (0600).
 */
#ifndef PGMEDIC_OPS_LOCAL_FOLLOW_H
#define PGMEDIC_OPS_LOCAL_FOLLOW_H

#include "ops/gates.h"
#include "ops/local_pair.h"

/* The gate "way back". */
void follow_gate(struct gates *g, struct pair *p);
/* Its primary_conninfo, the password file written; NULL and *err. It may hold a password. */
const char *follow_conninfo(struct pair *p, struct error *err);
/* The line of pg_hba.conf that would let a login for replication in, from what the server says it
 * lacks; NULL: it says something else (or not in English). */
const char *follow_missing_line(struct op *op, const char *what);

#endif
