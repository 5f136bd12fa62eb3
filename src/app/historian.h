/*
 * The historian: a thread of its own that looks at the collector's snapshots now and then, writes a
 * row a minute and target into the history, and posts what the history has of them back to the
 * collector, for charts and forecasts. Nobody waits for it; while the history cannot be written it
 * keeps the last hours and tries again.
 */
#ifndef PGMEDIC_APP_HISTORIAN_H
#define PGMEDIC_APP_HISTORIAN_H

#include <stdint.h>

#include "app/settings.h"
#include "app/targets.h"
#include "collect/collector.h"

struct historian;

/* For the collector's targets, in its order. Main thread, as are all calls. */
struct historian *historian_start(
    struct collector *c, const struct targets *targets, const struct settings *settings);
/* Writes what there is and ends, within a fraction of a second whatever the disk does. Before the
 * collector stops. NULL is fine. */
void historian_stop(struct historian *h);
/* The settings history and history_size have changed. NULL is fine. */
void historian_set(struct historian *h, const struct settings *settings);
/* A chart of this metric over so many seconds is looked at: PROBE_HISTORY is posted for it now and
 * then. Cheap; to be called as often as one likes. NULL is fine. */
void historian_want(struct historian *h, int target, const char *metric, int span_s);

/* ---- of the historian's own thread */

/* Probes that are due for the history's sake, marked as asked now; returns how many. asked_at and
 * probes hold PROBE_COUNT. */
int historian_due(const struct snapshot *snap, struct mono *asked_at, enum probe_id *probes);
/* What the server's clock says now, as far as it is known; 0: it never answered. */
int64_t historian_server_us(const struct snapshot *snap);
/* What is added to the server's clock: it may be days off, its history is then kept by ours. */
int64_t historian_shift_us(const struct snapshot *snap);

struct history;
/* The rows of PROBE_HISTORY: metric text, span_s int, time time, min float, avg float, max float, n
 * int; a row without a time when there is nothing. now: the end of the span. NULL and *err. */
struct rowset *historian_chart(struct history *h, const char *target, const char *metric,
    int span_s, struct wall now, struct error *err);
/* The rows of PROBE_SIZE_HISTORY: history_sizes() of three years, of databases and tables the
 * largest only. */
struct rowset *historian_sizes(
    struct history *h, const char *target, int databases, int tables, struct error *err);

#endif
