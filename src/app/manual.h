/* The parts of the manual that are tables, in scdoc form: `pgmedic help manual`, for
 * doc/pgmedic.1.scd. */
#ifndef PGMEDIC_APP_MANUAL_H
#define PGMEDIC_APP_MANUAL_H

#include <stdbool.h>
#include <stdio.h>

/* Each part after a line @@NAME@@. False when the output cannot be written. */
bool manual_print(FILE *out);

#endif
