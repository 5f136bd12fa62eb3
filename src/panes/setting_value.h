/* The value of a setting with the unit that the server's SHOW chooses. Pure. */
#ifndef PGMEDIC_PANES_SETTING_VALUE_H
#define PGMEDIC_PANES_SETTING_VALUE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/cell.h"

/*
 * "16384" of "8kB" is "128MB", "300000" of "ms" is "5min": the largest unit that divides the value.
 * Zero and negative values (which mean something of their own) stay as they are. False: not a
 * number or an unknown unit.
 */
bool setting_value(const struct cell *value, const struct cell *unit, char *buf, size_t size);

#endif
