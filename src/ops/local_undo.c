/* What a job that changes the places of two servers has left behind, taken back by what the two are
 * now. */
#include "config.h"

#include <string.h>
#include <sys/stat.h>

#include "base/json.h"
#include "ops/local_pair.h"

static bool
node_of(struct op *op, const struct job_leftover *left, struct node *n, struct node *other,
    const char **slot, struct error *err)
{
	struct json *args = json_parse(left->args, strlen(left->args), err);
	const char *name = json_text(json_get(args, "node"));
	const char *text = json_text(json_get(args, "slot"));
	const struct op_target *t = op->target, *s = op->target->standby;
	bool is_own = name && strcmp(name, t->name) == 0, ok;

	*slot = arena_strdup(&op->arena, text ? text : "");
	ok = name && s && (is_own || strcmp(name, s->name) == 0);
	if (args && !ok)
		error_set(err, ERR_CONFIG, "the pair of %s is configured otherwise now", t->name);
	json_free(args);
	return ok && node_open(n, op, is_own ? t : s, err) &&
	    node_open(other, op, is_own ? s : t, err);
}

/* Would it come up as a standby? Where it does not answer, by its signal file, which a promotion
 * removes first. */
static bool
is_standby(struct node *n)
{
	struct error ignored = { 0 };
	struct node_look l;
	struct stat st;

	if (node_look(n, &l, &ignored))
		return l.is_standby;
	return stat(arena_printf(&n->op->arena, "%s/standby.signal", n->data), &st) == 0;
}

/* The new primary's slot for the old one: in use once that has been started with it. */
bool
pair_undo_slot(struct op *op, const struct job_leftover *left, struct error *err)
{
	struct node n, other;
	const char *slot;

	if (!node_of(op, left, &n, &other, &slot, err))
		return false;
	return node_pid(&other) ? true : pair_drop_slot(&n, slot, err);
}

/* The old primary's slot for the new one: in use where that is primary again, or still. */
bool
pair_undo_stale_slot(struct op *op, const struct job_leftover *left, struct error *err)
{
	struct node n, other;
	const char *slot;

	if (!node_of(op, left, &n, &other, &slot, err))
		return false;
	return !is_standby(&n) ? true : pair_drop_slot(&n, slot, err);
}

static bool
start_first(struct node *n, struct node *other, struct error *err)
{
	return node_start(n, err) ||
	    error_prefix(
	        err, "%s is primary, but does not start; %s is its standby", n->name, other->name);
}

static bool
is_kept(struct node *n)
{
	struct stat st;

	return stat(arena_printf(&n->op->arena, "%s" NODE_KEPT, n->data), &st) == 0;
}

/* It was stopped in order, or has been rewound: all that it has, the new primary has, too. A server
 * that was killed says "shut down", too, once the rewind has recovered it. */
static bool
has_all_to_follow(struct node *n, const struct node_control *c)
{
	const char *steps = op_fact(n->op, "steps");

	if (strcmp(c->state, "in archive recovery") == 0 ||
	    strcmp(c->state, "shut down in recovery") == 0)
		return !is_kept(n);
	return !is_kept(n) && strcmp(c->state, "shut down") == 0 &&
	    !(steps && strstr(steps, "rewind"));
}

/* It starts as what it has to be: by what the other one is now. */
bool
pair_undo_down(struct op *op, const struct job_leftover *left, struct error *err)
{
	struct node n, other;
	struct node_control c;
	struct pair p;
	const char *slot;

	if (!node_of(op, left, &n, &other, &slot, err))
		return false;
	p = (struct pair){ .op = op, .old = n, .new = other };
	p.way = strcmp(op_fact(op, "first"), n.name) == 0 ? PAIR_THERE : PAIR_BACK;
	if (is_standby(&other))
		return start_first(&n, &other, err);
	if (node_pid(&n) && is_standby(&n))
		return pair_streams(&p, err);
	if (node_pid(&n)) {
		error_set(err, ERR_STATE, "%s and %s are both primaries", n.name, other.name);
		return error_hint(err, "Stop one of them at once.");
	}
	return node_control(&n, &c, err) && pair_checkpoint(&p, err) && pair_slot(&p, err) &&
	    (has_all_to_follow(&n, &c) || pair_rewind(&p, err)) && pair_rejoin(&p, err) &&
	    pair_streams(&p, err);
}

/* What a rewind has set aside: taken back by bringing that to its end. */
bool
pair_undo_configuration(struct op *op, const struct job_leftover *left, struct error *err)
{
	struct node n, other;
	struct pair p;
	const char *slot;

	if (!node_of(op, left, &n, &other, &slot, err))
		return false;
	if (!is_kept(&n))
		return true;
	p = (struct pair){ .op = op, .old = n, .new = other };
	return pair_checkpoint(&p, err) && pair_rewind(&p, err);
}
