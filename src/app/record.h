/* `pgmedic record FILE [TARGET...]`: sample until stopped. Main thread. */
#ifndef PGMEDIC_APP_RECORD_H
#define PGMEDIC_APP_RECORD_H

#include "app/options.h"
#include "app/settings.h"

/* Exit status; ends on SIGINT, SIGTERM, SIGHUP with 0. */
int record_main(const struct options *opt, struct settings *settings);

#endif
