/* `pgmedic doctor [TARGET]`: what this role, server and terminal can and cannot do, with the
 * remedy. Main thread. */
#ifndef PGMEDIC_APP_DOCTOR_H
#define PGMEDIC_APP_DOCTOR_H

#include "app/options.h"
#include "app/settings.h"

/* Exit status: 1 when something important is missing, 3 when the target cannot be reached. */
int doctor_main(const struct options *opt, struct settings *settings);

#endif
