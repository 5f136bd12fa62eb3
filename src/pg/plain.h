/*
 * A plain blocking connection of a process that does one thing and may wait: jobs and explain. Only
 * for files of this folder, but for job_statement().
 */
#ifndef PGMEDIC_PG_PLAIN_H
#define PGMEDIC_PG_PLAIN_H

#include <libpq-fe.h>
#include <stdbool.h>

#include "base/error.h"

/* Connect as the collector does, with application_name "pgmedic WHAT". database NULL: the
 * conninfo's. */
PGconn *plain_connect(const char *conninfo, const char *password, const char *database,
    const char *what, struct error *err) MUST_CHECK;
/* A command without rows. */
bool plain_command(PGconn *pq, const char *sql, struct error *err) MUST_CHECK;

#endif
