/* A moment as people say it: with its zone, or not at all. */
#ifndef PGMEDIC_OPS_OP_TIME_H
#define PGMEDIC_OPS_OP_TIME_H

#include <stdbool.h>

#include "base/clock.h"
#include "base/error.h"

/*
 * "2026-11-21 04:17:37.329+01", "…Z", "… UTC", "… Europe/Berlin". Without a zone, in the hour that
 * the clocks skip, or in the one that they repeat: ERR_USAGE, saying so. Main thread: looks a
 * named zone up by TZ.
 */
bool op_time_read(const char *text, struct wall *t, struct error *err) MUST_CHECK;

#endif
