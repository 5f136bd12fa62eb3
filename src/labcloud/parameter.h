/* Parameter groups of the lab's cloud: what is set in "lab" is set on the lab's server. */
#ifndef PGMEDIC_LABCLOUD_PARAMETER_H
#define PGMEDIC_LABCLOUD_PARAMETER_H

#include "labcloud/world.h"

/* ParameterApplyStatus of an instance. */
const char *parameter_status(const struct world *w, const struct instance *i);
/* An instance was restarted: nothing waits for that any more, and what was to wait is done now. */
void parameter_rebooted(struct world *w, const struct instance *i);
/* Begin the next change that waits. */
void parameter_tick(struct world *w);

#endif
