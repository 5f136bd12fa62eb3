/*
 * What becomes of alerts: they are written down when they are raised and cleared, a command is run
 * (--exec), the bell rings; thresholds of the configuration, mutes and the memory of the rules go
 * to the feed as posted probes. Files and programs are the business of a thread of its own; nobody
 * waits for it.
 */
#ifndef PGMEDIC_APP_ALERTING_H
#define PGMEDIC_APP_ALERTING_H

#include <stdbool.h>

#include "app/sampler.h"
#include "app/settings.h"
#include "app/targets.h"
#include "base/error.h"
#include "collect/collector.h"

struct alerting;
enum { ALERTS_PAST = 200 }; /* of the past that are shown */

/* For the collector's targets, in its order. exec: a command line run at each raise and clear, NULL
 * none; ERR_USAGE and NULL when it cannot be read. Main thread, as are all calls. */
struct alerting *alerting_start(struct collector *c, const struct targets *targets,
    const struct settings *settings, const char *exec, struct error *err);
/* Writes what there is and ends, within half a second. Before the collector stops. NULL is fine. */
void alerting_stop(struct alerting *a);
/* Take the collector's newest snapshots. True: an alert has become critical since, ring. NULL is
 * fine. */
bool alerting_look(struct alerting *a);
/* Mute a rule of target i; until 0: unmute. */
void alerting_mute(
    struct alerting *a, int target, const char *rule, struct wall until, const char *reason);

/* Without a thread, for one look (pgmedic show): post what is known before the first answer, and
 * write down what was found. What fails is said on standard error or in the log, and ends nothing.
 */
void alerting_recall(struct sampler *s, const struct settings *settings, const struct target *t);
void alerting_keep(const struct snapshot *snap, const char *target);

/* The row of PROBE_BACKUPS: when the files that a target names were written. NULL: it names none.
 * Waits for the disk. */
struct rowset *alerting_backups(const struct target *t);

/* The rows of PROBE_ALERT_RULES for a target. */
struct rowset *alerting_limits(const struct settings *settings, const char *target);

#endif
