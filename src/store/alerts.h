/*
 * The alerts' own file, alerts.db in the state folder (SQLite, WAL mode): what was raised and
 * cleared, what is muted until when and why, and the memory of the rules of each target, so that a
 * run from cron goes on where the last one ended. Shared by consoles, recorders and single runs of
 * this user. A handle belongs to one thread.
 */
#ifndef PGMEDIC_STORE_ALERTS_H
#define PGMEDIC_STORE_ALERTS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/rowset.h"

struct alerts;

/* Opens, makes, migrates; ERR_STATE where it cannot. */
struct alerts *alerts_open(struct error *err) MUST_CHECK;
void alerts_close(struct alerts *a); /* NULL is fine */

struct alert_row {
	const char *target, *rule, *severity;
	struct wall at; /* raised (its beginning), or cleared */
	double value;   /* NAN unknown */
	const char *what, *evidence;
};
/* It fires: a new row, unless one of this target and rule is open; then that one gets its severity
 * and words. is_news: out, a row was added or its severity changed. */
bool alerts_raise(
    struct alerts *a, const struct alert_row *row, bool *is_news, struct error *err) MUST_CHECK;
/* Closes the open row of a target's rule. was_open: out, there was one. */
bool alerts_clear(
    struct alerts *a, const struct alert_row *row, bool *was_open, struct error *err) MUST_CHECK;
/* rule text, severity text, raised time, cleared time, value float, what text, evidence text; the
 * newest first, at most `limit`. */
struct rowset *alerts_past(
    struct alerts *a, const char *target, int limit, struct error *err) MUST_CHECK;

/* Mute a rule of a target; again: the new time and reason. until 0: unmute. */
bool alerts_mute(struct alerts *a, const char *target, const char *rule, struct wall until,
    const char *reason, struct error *err) MUST_CHECK;
/* rule text, until time, reason text: those that end after `now`. */
struct rowset *alerts_mutes(
    struct alerts *a, const char *target, struct wall now, struct error *err) MUST_CHECK;

/* The memory of a target's rules: a rowset of seven columns (text text text time time float float),
 * kept as it is. Recalling fills the empty one that is given, and takes it. */
bool alerts_remember(struct alerts *a, const char *target, const struct rowset *memory,
    struct error *err) MUST_CHECK;
struct rowset *alerts_recall(
    struct alerts *a, const char *target, struct rowset *empty_take, struct error *err) MUST_CHECK;

#endif
