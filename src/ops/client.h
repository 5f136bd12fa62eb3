/* Client programs of PostgreSQL (pg_dump, psql, pg_amcheck). Where they connect is told to them by
 * their environment, but the password, which is in neither that nor their arguments. */
#ifndef PGMEDIC_OPS_CLIENT_H
#define PGMEDIC_OPS_CLIENT_H

#include "ops/op.h"

struct client_at {
	const char *conninfo, *password; /* as of a target; password NULL: none, or a login */
	const char *database;            /* in place of the conninfo's; NULL: that one */
	const char *name;                /* application_name */
	int major;                       /* of the server: its programs are taken first */
};

/* The path of a program; NULL: it is not on this machine. */
const char *client_program(struct op *op, const struct client_at *at, const char *name);
/*
 * Run one. place: the option that takes what of the conninfo has no variable ("--dbname").
 * input and out may be NULL. False with ERR_PROGRAM and its last line; *status (may be NULL) is
 * set where it ran to its end.
 */
bool client_run(struct op *op, const struct client_at *at, const char *const *argv,
    const char *place, const char *input, int timeout_ms, struct strbuf *out, int *status,
    struct error *err) MUST_CHECK;

#endif
