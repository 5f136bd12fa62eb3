/* A sparkline as text, for table cells. Pure. */
#ifndef PGMEDIC_PANES_SPARK_H
#define PGMEDIC_PANES_SPARK_H

#include "base/mem.h"
#include "model/series.h"

/*
 * The last `seconds` of a metric as `width` characters (blocks, or ASCII without UTF-8). Each
 * character is the largest value of a fixed slice of wall time, so that the line moves only when a
 * slice is full: cells that do not change cost nothing on a slow link. Unknown slices are blank. In
 * the arena.
 */
const char *spark_text(
    struct arena *arena, const struct series *series, enum metric metric, int seconds, int width);

#endif
