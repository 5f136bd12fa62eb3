/*
 * Programs and files of servers whose machine this is. Where this is root, all of it is done as the
 * user who owns the cluster: PostgreSQL and pgBackRest refuse root or leave files of root behind.
 */
#ifndef PGMEDIC_OPS_LOCAL_TOOLS_H
#define PGMEDIC_OPS_LOCAL_TOOLS_H

#include <stdbool.h>

#include "base/proc.h"
#include "ops/op.h"

/* The owner of the target's data directory (or of its pgbackrest_config), for what is started by
 * root; nothing when we are somebody else. */
void local_become_owner(const struct op *op, struct proc_spec *spec);
/* A program of PostgreSQL of that major version; NULL: it is not installed. */
const char *local_pg_program(struct op *op, int major, const char *name);
/*
 * Run a program as the owner, in an environment of its own (no PG* variable of ours, messages in
 * English). out may be NULL. False with ERR_PROGRAM and its last line; *status (may be NULL) is set
 * where it ran to its end.
 */
bool local_run(struct op *op, const char *const *argv, const char *input, int timeout_ms,
    struct strbuf *out, int *status, struct error *err) MUST_CHECK;
/* The same, with a secret (may be NULL) for what it starts: see proc_spec. */
bool local_run_secret(struct op *op, const char *const *argv, const char *secret, int timeout_ms,
    struct error *err) MUST_CHECK;
/* The same in another environment ("NAME=value", NULL-terminated), with input and secret or without
 * (NULL). */
bool local_run_in(struct op *op, const char *const *argv, const char *const *env, const char *input,
    const char *secret, int timeout_ms, struct strbuf *out, int *status,
    struct error *err) MUST_CHECK;
/* A new folder, 0700, of the owner; ERR_STATE where there is something already. */
bool local_make_folder(struct op *op, const char *path, struct error *err) MUST_CHECK;
/* A value for postgresql.conf, with its quotes; in the operation's arena. */
const char *local_conf_value(struct op *op, const char *value);
/* Write a file (0600) of the owner, by rename. */
bool local_write(struct op *op, const char *path, const char *text, struct error *err) MUST_CHECK;
/* All of a file of at most 64 MB; NULL and *err. */
const char *local_read(struct op *op, const char *path, struct error *err);

#endif
