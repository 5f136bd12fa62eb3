/*
 * A primary and its standby change places. Each function is what one step does; it may be repeated,
 * and says what has happened by the state of the two servers. Facts:
 *
 *   first       name of the target that was primary when this was planned
 *   log.NAME    where the output of that server goes
 *   name.NAME   its application_name as a standby
 *   slot.NAME   the slot it used as a standby before all this, "" none
 *   uses.NAME   the slot it uses now
 *   WAY.x       of one of the two ways: "there", "back"
 */
#ifndef PGMEDIC_OPS_LOCAL_PAIR_H
#define PGMEDIC_OPS_LOCAL_PAIR_H

#include <stdbool.h>

#include "ops/local_node.h"

enum pair_way { PAIR_THERE, PAIR_BACK };
struct pair {
	struct op *op;
	struct node old, new; /* the primary before and after this way */
	enum pair_way way;
};

/* By the facts. */
bool pair_open(struct pair *p, struct op *op, enum pair_way way, struct error *err) MUST_CHECK;
/* A fact of this way, "there.timeline_before". */
const char *pair_fact(struct pair *p, const char *name);

/* What is to be done with the pair: change places; and a probe may need its table; and the old
 * primary may not be stopped in order, so that it is rewound. */
enum pair_need { PAIR_SWITCHES, PAIR_DRILLS, PAIR_REWINDS };
/* What the plan looks at. ERR_REFUSED names the first gate that is red. Sets the facts (and
 * "waits": the new primary's commits wait for the old one), the identity, and what is shown. */
bool pair_gates(struct op *op, enum pair_need need, struct error *err) MUST_CHECK;
/* What changes both changes the standby: ERR_REFUSED where that is read-only. */
bool pair_may_act(struct op *op, struct error *err) MUST_CHECK;
/* Is it the server of this data directory, of this machine? */
bool pair_is_own(struct node *n, const struct node_look *l, struct error *err) MUST_CHECK;
/* What may have changed since, looked at again just before harm. */
bool pair_still_green(struct pair *p, struct error *err) MUST_CHECK;
/* The same where the primary is dead; is_fenced: the user says so. */
bool pair_gates_dead(struct op *op, bool is_fenced, struct error *err) MUST_CHECK;

/* Before anybody was promoted: the old primary runs, the pooler is not paused; said in *err. */
void pair_go_back(struct pair *p, struct error *err);
/* A checkpoint on the old primary while it serves: the one of its shutdown, for which clients wait,
 * has little left to write. Patroni makes one itself before a planned demotion. */
bool pair_flush(struct pair *p, struct error *err) MUST_CHECK;
bool pair_stop(struct pair *p, struct error *err) MUST_CHECK;
enum op_seen pair_stop_seen(struct pair *p, struct error *err);
/* The standby has replayed all; else the old primary is started again, and the answer is false. */
bool pair_catch_up(struct pair *p, struct error *err) MUST_CHECK;
/* Never while the old primary lives. */
bool pair_promote(struct pair *p, struct error *err) MUST_CHECK;
enum op_seen pair_promote_seen(struct pair *p, struct error *err);
/* Until the new primary's control file tells its timeline: pg_rewind trusts it. */
bool pair_checkpoint(struct pair *p, struct error *err) MUST_CHECK;
bool pair_slot(struct pair *p, struct error *err) MUST_CHECK;
/* pg_rewind, its configuration files kept: those of the other server would replace them. */
bool pair_rewind(struct pair *p, struct error *err) MUST_CHECK;
bool pair_rejoin(struct pair *p, struct error *err) MUST_CHECK;
enum op_seen pair_rejoin_seen(struct pair *p, struct error *err);
bool pair_streams(struct pair *p, struct error *err) MUST_CHECK;
/* The slot that the new primary used as a standby goes from the old one. */
bool pair_clean(struct pair *p, struct error *err) MUST_CHECK;

/* Written down before a server is stopped or killed. */
bool pair_leave_down(struct pair *p, struct error *err) MUST_CHECK;

/* What we call the slot of a standby of that name. */
const char *pair_slot_name(struct op *op, const char *name);
/* A slot that nobody reads is dropped, one that is in use stays. */
bool pair_drop_slot(struct node *n, const char *slot, struct error *err) MUST_CHECK;
/* Of a leftover: {"node", "slot"}. */
const char *pair_node_args(struct op *op, const struct node *n, const char *slot);

/* Leftovers "server_down", "slot", "stale_slot" and "configuration". */
bool pair_undo_down(struct op *op, const struct job_leftover *left, struct error *err) MUST_CHECK;
bool pair_undo_slot(struct op *op, const struct job_leftover *left, struct error *err) MUST_CHECK;
bool pair_undo_stale_slot(
    struct op *op, const struct job_leftover *left, struct error *err) MUST_CHECK;
bool pair_undo_configuration(
    struct op *op, const struct job_leftover *left, struct error *err) MUST_CHECK;

#endif
