/*
 * What is asked of RDS, asked once. Something new carries the job's mark as a tag, so that it is
 * found again by its name and known by the mark. What has no name (a reboot, a failover) is known
 * by what it changes. Where no answer came, the world is looked at, and the call is not repeated.
 */
#ifndef PGMEDIC_OPS_RDS_MAKE_H
#define PGMEDIC_OPS_RDS_MAKE_H

#include "ops/rds.h"

/* A function of a step, with a session of its own. */
bool rds_with(struct op *op, bool (*f)(struct op *op, struct aws *aws, struct error *err),
    struct error *err) MUST_CHECK;
enum op_seen rds_seen_with(struct op *op,
    enum op_seen (*f)(struct op *op, struct aws *aws, struct error *err), struct error *err);

/* The same in another region; "" or NULL: the target's own. */
bool rds_with_in(struct op *op, const char *region,
    bool (*f)(struct op *op, struct aws *aws, struct error *err), struct error *err) MUST_CHECK;
enum op_seen rds_seen_with_in(struct op *op, const char *region,
    enum op_seen (*f)(struct op *op, struct aws *aws, struct error *err), struct error *err);

/* Parameters of a call, as they are put together. */
struct rds_params {
	struct op *op;
	struct aws_param p[40]; /* ends with a NULL name */
	int n;
};
/* "" or NULL: it is left out. */
void rds_param(struct rds_params *ps, const char *name, const char *value);
void rds_param_groups(struct rds_params *ps, const char *groups); /* names between blanks */
void rds_param_mark(struct rds_params *ps);                       /* the job's tag */
/* Names of security groups between blanks, in the arena. */
const char *rds_groups_text(struct op *op, const char *const *groups, int n);

/* Between two looks; PGMEDIC_RDS_POLL_MS, for tests. */
int rds_poll_ms(void);
/* So long there may be no sign of what was sent; PGMEDIC_RDS_SIGN_MS, for tests. */
int rds_sign_ms(void);

/* AWS is hard to reach, which passes: no connection, no answer, throttled. */
bool rds_is_passing(const struct error *why);

struct rds_found {
	const char *status, *mark;
	enum rds_state state;
	int percent; /* -1: unknown */
};
/* A kind of thing that can be made. get: false with ERR_NOT_FOUND: there is none of that name. */
struct rds_noun_def {
	const char *noun; /* "snapshot" */
	bool (*get)(struct op *op, struct aws *aws, const char *name, struct rds_found *out,
	    struct error *err);
};
extern const struct rds_noun_def rds_noun_instance, rds_noun_snapshot, rds_noun_cluster;

/* Nothing of that name may be there yet. */
bool rds_must_be_new(struct op *op, struct aws *aws, const struct rds_noun_def *noun,
    const char *name, struct error *err) MUST_CHECK;
/* Is that name there, and ours? */
enum op_seen rds_look_for(struct op *op, struct aws *aws, const struct rds_noun_def *noun,
    const char *name, struct error *err);
/*
 * Send the call that makes it; after an answer that got lost it is looked for. leftover: what was
 * written down before, settled when RDS refuses and nothing is there; 0: none.
 */
bool rds_make(struct op *op, struct aws *aws, const struct rds_noun_def *noun, const char *name,
    const struct aws_call *call, int64_t leftover, struct error *err) MUST_CHECK;
/* Wait until it can be used; 6 h at most. bad_hint: what to do when it has failed. */
bool rds_wait_ready(struct op *op, struct aws *aws, const struct rds_noun_def *noun,
    const char *name, const char *bad_hint, struct error *err) MUST_CHECK;
/* Wait until it is not there any more. */
bool rds_wait_gone(struct op *op, struct aws *aws, const struct rds_noun_def *noun,
    const char *name, struct error *err) MUST_CHECK;

/* DeleteDBInstance without a final snapshot; is_member: of a cluster. The caller has made sure of
 * what it is. */
bool rds_instance_delete(
    struct op *op, struct aws *aws, const char *name, bool is_member, struct error *err) MUST_CHECK;
/* DeleteDBCluster without a final snapshot; ERR_STATE while an instance of it stays. */
bool rds_cluster_delete(
    struct op *op, struct aws *aws, const char *name, struct error *err) MUST_CHECK;
/* Not there, or being deleted. */
enum op_seen rds_is_gone(struct op *op, struct aws *aws, const char *name, struct error *err);

#endif
