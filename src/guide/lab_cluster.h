/* The lab's PostgreSQL servers: find the programs, make, start, fill, stop. */
#ifndef PGMEDIC_GUIDE_LAB_CLUSTER_H
#define PGMEDIC_GUIDE_LAB_CLUSTER_H

#include <stdbool.h>

#include "base/compat.h"
#include "base/error.h"
#include "guide/lab_folder.h"

/* Set lab->bindir and lab->version: PGMEDIC_PGBIN, else the newest server that is installed. */
bool cluster_find(struct lab *lab, struct error *err) MUST_CHECK;
/* A loopback port that nobody listens on, and that is none of the lab's others. */
bool cluster_free_port(const struct lab *lab, int *port, struct error *err) MUST_CHECK;
/* initdb, configuration, and the system identifier in the marker. Reserves lab->primary.port. */
bool cluster_make_primary(struct lab *lab, struct error *err) MUST_CHECK;
/* Add a text to a server's postgresql.conf. */
bool cluster_configure(
    struct lab *lab, const char *name, const char *text, struct error *err) MUST_CHECK;
/* Copy the running primary into a standby with a slot of its own, and start it. */
bool cluster_make_standby(struct lab *lab, struct error *err) MUST_CHECK;
/* Start the server in `data` ("primary", "standby") and wait until it takes connections. */
bool cluster_start(
    struct lab *lab, const char *data, struct lab_server *server, struct error *err) MUST_CHECK;
/* Run compiled-in SQL files one after the other in one psql; `files` is NULL-terminated. */
bool cluster_psql(
    struct lab *lab, const char *database, const char *const *files, struct error *err) MUST_CHECK;
/* The same in the background: cluster_psql_end() waits for it. */
struct proc;
bool cluster_psql_begin(struct lab *lab, struct proc *proc, const char *database,
    const char *const *files, struct error *err) MUST_CHECK;
bool cluster_psql_end(struct lab *lab, struct proc *proc, struct error *err) MUST_CHECK;

#endif
