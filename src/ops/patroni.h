/*
 * Patroni's REST API: what it says of its cluster, and what it is asked to do. Who is behind it may
 * be another machine; nothing here touches a server but through Patroni. What became of a call is
 * told by the cluster, not by the answer.
 */
#ifndef PGMEDIC_OPS_PATRONI_H
#define PGMEDIC_OPS_PATRONI_H

#include <stdbool.h>

#include "ops/op.h"

extern const struct op_impl patroni_switchover, patroni_failover, patroni_drill, patroni_promote;

enum { PATRONI_MEMBERS = 32 };

struct patroni_member {
	const char *name, *role, *state, *host, *api_url;
	int port;
	int64_t timeline, lag; /* lag -1: unknown */
	bool is_leader, is_sync, is_up, no_failover;
};

struct patroni_cluster {
	const char *scope, *system_identifier, *version;
	struct patroni_member members[PATRONI_MEMBERS];
	int n;
	const struct patroni_member *leader; /* NULL: none at the moment */
	bool is_paused, has_scheduled;
};

/* From the first of patroni_url (comma separated) that answers. */
bool patroni_read(struct op *op, struct patroni_cluster *out, struct error *err) MUST_CHECK;
const struct patroni_member *patroni_member(const struct patroni_cluster *c, const char *name);
/* Does the server of that member, asked by its own Patroni, say that it is a running primary? */
bool patroni_is_alive(struct op *op, const struct patroni_member *m);
/*
 * POST path with a JSON body to the first URL that answers. False: *err has what Patroni said;
 * is_uncertain: it was sent, and what became of it is for the cluster to tell.
 */
bool patroni_post(struct op *op, const char *path, const char *body, bool *is_uncertain,
    struct error *err) MUST_CHECK;

/* A server whose Patroni is not told of: by its data directory or by who has started it. */
bool patroni_runs(struct op *op, const char *data_directory, pid_t postmaster);

/*
 * What switchover, failover and a drill share. Facts from, to (members), timeline_before, _after.
 *
 *   gates    candidate NULL: the best one. is_dead: the leader is gone.
 *   change   POST; its seen
 *   settle   until `to` leads, and all others that are up follow it on its timeline, which is after
 * `before`
 */
bool patroni_gates(
    struct op *op, const char *candidate, bool is_dead, struct error *err) MUST_CHECK;
bool patroni_change(struct op *op, const char *path, const char *from, const char *to,
    struct error *err) MUST_CHECK;
enum op_seen patroni_change_seen(struct op *op, const char *to, struct error *err);
bool patroni_settle(struct op *op, const char *to, bool needs_all, int64_t before,
    const char *timeline_fact, struct error *err) MUST_CHECK;

#endif
