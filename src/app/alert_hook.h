/*
 * The command of --exec: run once for each alert that is raised or cleared, one at a time, in a
 * thread that waits for it. It is started without a shell; the alert comes on its standard input as
 * one JSON object, and what the server says is nowhere else. At most 60 runs a minute and 30 s
 * each.
 */
#ifndef PGMEDIC_APP_ALERT_HOOK_H
#define PGMEDIC_APP_ALERT_HOOK_H

#include "base/error.h"

struct alert_hook;

/* ERR_USAGE when the command line cannot be split, or its program is not found. */
struct alert_hook *alert_hook_start(const char *command, struct error *err);
/* Ends at once: what runs is killed. NULL is fine. */
void alert_hook_stop(struct alert_hook *h);

struct alert_call {
	const char *event; /* "raised", "cleared" */
	const char *target, *rule, *severity;
	const char *json;
};
/* Any thread; copied. What is too much is left out, and said in the log. */
void alert_hook_run(struct alert_hook *h, const struct alert_call *call);

#endif
