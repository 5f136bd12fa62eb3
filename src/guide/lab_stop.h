/* Which of the lab's processes run, and ending them. */
#ifndef PGMEDIC_GUIDE_LAB_STOP_H
#define PGMEDIC_GUIDE_LAB_STOP_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/compat.h"
#include "base/error.h"
#include "guide/lab_folder.h"

/* The postmaster of "primary" or "standby", as it was started or restarted by hand; 0: it does not
 * run. */
pid_t lab_server_pid(struct lab *lab, const char *data, const struct lab_server *server);
/* Refuse (ERR_REFUSED) when a data directory in the folder is not of the lab that the marker names.
 */
bool lab_is_ours(struct lab *lab, struct error *err) MUST_CHECK;
/* Stop a server by pg_ctl, the harder the longer it takes; frozen processes are woken first. */
bool lab_stop_server(struct lab *lab, const char *data, const struct lab_server *server,
    struct error *err) MUST_CHECK;
/* End every process named `comm` whose working directory is `dir`: sig first, SIGKILL after 2 s. */
void lab_end_in(const char *comm, const char *dir, int sig);
int lab_count_in(const char *comm, const char *dir);

#endif
