/* `pgmedic history`: what this machine keeps of the targets, and CSV into and out of it. */
#ifndef PGMEDIC_APP_HISTORY_CMD_H
#define PGMEDIC_APP_HISTORY_CMD_H

#include "app/options.h"
#include "app/settings.h"

/* Returns the exit status. Main thread. */
int history_main(const struct options *opt, struct settings *settings);

#endif
