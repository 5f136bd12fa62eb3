/*
 * The environment of a server that is started again: what it had, which archive_command and libpq
 * may need (PATH, HOME with its .pgpass, the settings of a backup tool), while this process still
 * knows it; else that of a login of its user. It may hold secrets, so it is kept in memory only.
 */
#ifndef PGMEDIC_OPS_LOCAL_NODE_ENV_H
#define PGMEDIC_OPS_LOCAL_NODE_ENV_H

#include "ops/local_node.h"

/* Before it is stopped or killed. */
void node_env_keep(struct node *n);
/* In the operation's arena. */
const char *const *node_env(struct node *n);
/* Home directory of the server's user, "/" unknown; in the operation's arena. */
const char *node_home(struct node *n);

#endif
