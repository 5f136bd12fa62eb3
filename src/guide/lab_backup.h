/*
 * Backups of the lab: a pgBackRest repository of its own, which the primary archives to from its
 * first WAL segment on. Connections are by a socket in the lab's private folder: pgBackRest knows
 * no other.
 */
#ifndef PGMEDIC_GUIDE_LAB_BACKUP_H
#define PGMEDIC_GUIDE_LAB_BACKUP_H

#include <stdbool.h>

#include "base/compat.h"
#include "base/error.h"
#include "guide/lab_folder.h"

/* Is what it takes installed? Before anything is made. */
bool backup_find(struct lab *lab, struct error *err) MUST_CHECK;
/* Its folders and configuration; the ports are known. */
bool backup_make(struct lab *lab, struct error *err) MUST_CHECK;
/* Once the primary's files are there and before it is started: the stanza, and from then on its
 * archiving. Fails where this pgBackRest does not know this PostgreSQL. */
bool backup_begin(struct lab *lab, struct error *err) MUST_CHECK;
/* For postgresql.conf of the standby and pg_hba.conf, in the lab's arena. */
const char *backup_standby_conf(struct lab *lab);
const char *backup_hba(void);
/* Keys of a [target], and how the server is reached by the socket; in the lab's arena. */
const char *backup_keys(struct lab *lab, bool is_standby);
/* Ends the servers that restores have left. */
void backup_stop(struct lab *lab);

#endif
