/*
 * What the cloud says of the targets, beside what their servers say: AWS is asked by threads of
 * the collector's, one for each account and region, since credentials, name services and AWS may
 * let one wait for long. Answers come as samples into the feeds, as those of the servers do.
 *
 * All functions are for the collector's thread.
 */
#ifndef PGMEDIC_COLLECT_CLOUD_H
#define PGMEDIC_COLLECT_CLOUD_H

#include <stdbool.h>

#include "collect/feed.h"
#include "model/probes.h"

/* How a target is found in the cloud; NULL and "" are not configured. */
struct cloud_conf {
	const char *provider; /* "rds"; "local" and "none": not in the cloud; "": by its server */
	const char *instance, *cluster, *region, *profile, *credentials_file, *endpoint_url;
	bool is_when_shown; /* ask only what is looked at: nothing is paid for otherwise */
	int period_ms; /* of metrics, events and alarms; 0: 60 s; the other periods go with it */
};

struct cloud;

/* wake_fd: a byte is written there (or to a copy of it) when something is to be taken. */
struct cloud *cloud_new(int wake_fd);
/* Begin to ask for a target. host: of its server, "" unknown; may tell instance and region. */
void cloud_add(
    struct cloud *c, int target, const char *name, const struct cloud_conf *conf, const char *host);
/* The probes that are looked at; replaces the set before. */
void cloud_show(struct cloud *c, int target, const enum probe_id *probes, int n);
/* Ask again for what is shown, now. */
void cloud_hurry(struct cloud *c, int target);
/* The oldest answer; false: none. */
bool cloud_take(struct cloud *c, int *target, struct sample **s);
/* Waits a moment for the threads; one that hangs ends by itself, and touches nothing of others. */
void cloud_free(struct cloud *c);

/* Is this the name of an endpoint of RDS? */
bool cloud_is_endpoint(const char *host);
/* Is the probe answered by the cloud, of a target that is there? */
bool cloud_answers(enum probe_id probe);

#endif
