/* Grouping questions, keeping hypothetical indexes alive, reading what plans use. */
#include "config.h"

#include "advice/oracle.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "advice/model.h"

enum {
	BURST = 48,           /* EXPLAINs sent at once by `show advice` */
	BURST_BACKGROUND = 4, /* and beside a console */
	MAX_PARTS = 12,       /* partitions that get a hypothetical index, the largest */
	REST = 7,             /* pauses are this many times as long as the work */
	MAX_REST_MS = 2000,
};

static const struct cand_set nothing;

void
oracle_release(struct oracle *o)
{
	hmap_release(&o->known);
	free(o->answers);
	free(o->queue);
	free(o->oids);
	free(o->owners);
	free(o->names);
	arena_release(&o->live_arena);
	arena_release(&o->arena);
}

double
oracle_elapsed_ms(const struct oracle *o)
{
	return (double)(mono_now().us - o->began.us) / 1000;
}

bool
oracle_may(struct oracle *o)
{
	if (o->stopped)
		return false;
	if (o->req->stop && *o->req->stop)
		o->stopped = "cancelled";
	else if (o->whatif && whatif_explains(o->whatif) >= o->max_explains)
		o->stopped = "budget";
	else if (oracle_elapsed_ms(o) >= o->max_ms)
		o->stopped = "time";
	return !o->stopped;
}

void
oracle_pause(struct oracle *o, double ms)
{
	double rest = fmin(ms * REST, MAX_REST_MS);

	if (!o->req->is_background)
		return;
	/* Slices, so that a stop is seen soon. */
	for (; rest > 0 && !(o->req->stop && *o->req->stop); rest -= 50)
		usleep((useconds_t)(fmin(rest, 50) * 1000));
}

/* A server whose answers take ever longer has other work to do. */
static void
note_latency(struct oracle *o, double ms_each)
{
	if (o->usual_ms <= 0)
		o->usual_ms = ms_each;
	if (o->req->is_background && ms_each > 20 && ms_each > 8 * o->usual_ms)
		o->stopped = "load";
	o->usual_ms = 0.8 * o->usual_ms + 0.2 * ms_each;
}

/* ---- answers ---- */

static uint64_t
key_of(int statement, int set, const struct cand_set *with)
{
	uint64_t key = hash_u64(hash_u64(0, (uint64_t)statement), (uint64_t)set);

	return hash_bytes(key, with->bits, sizeof(with->bits));
}

static void
remember(struct oracle *o, uint64_t key, double cost, struct cand_set used)
{
	GROW(o->answers, o->nanswers, o->acap);
	o->answers[o->nanswers] = (struct oracle_answer){ cost, used };
	hmap_put(&o->known, key, (uint64_t)o->nanswers++);
}

void
oracle_ask(struct oracle *o, int statement, int set, struct cand_set with)
{
	const struct statement *s = &o->wl->items[statement];
	uint64_t key;

	with = cand_and(with, s->mine);
	key = key_of(statement, set, &with);
	if (cand_empty(&with) || hmap_has(&o->known, key))
		return;
	if (!o->use_hypo) {
		struct oracle_answer a = model_cost(o->cands, s, set, &with);

		remember(o, key, a.cost, a.used);
		return;
	}
	for (int i = 0; i < o->nqueue; i++) {
		if (o->queue[i].key == key)
			return;
	}
	GROW(o->queue, o->nqueue, o->qcap);
	o->queue[o->nqueue++] = (struct oracle_question){ statement, set, with, key };
}

struct oracle_answer
oracle_answer(const struct oracle *o, int statement, int set, struct cand_set with)
{
	const struct statement *s = &o->wl->items[statement];
	struct oracle_answer none = { s->base[set], nothing };
	uint64_t at;

	with = cand_and(with, s->mine);
	if (cand_empty(&with) || !hmap_get(&o->known, key_of(statement, set, &with), &at))
		return none;
	return o->answers[at];
}

/* ---- hypothetical indexes ---- */

static int
parts_of(const struct cand *c)
{
	return c->table->nparts == 0     ? 1 :
	    c->table->nparts < MAX_PARTS ? c->table->nparts :
	                                   MAX_PARTS;
}

static int
hypo_count(const struct oracle *o, const struct cand_set *set)
{
	int n = 0;

	for (int i = 0; i < o->cands->n; i++) {
		if (cand_has(set, i))
			n += parts_of(&o->cands->items[i]);
	}
	return n;
}

static struct whatif_index
definition(const struct cand *c, const struct cat_table *t)
{
	struct whatif_index ix = { .relid = t->relid, .schema = t->schema, .table = t->name };

	ix.nkeys = c->nkeys;
	for (int i = 0; i < c->nkeys; i++) {
		ix.columns[i] = c->keys[i]->name;
		ix.desc[i] = c->desc[i];
		if (c->nulls_odd[i])
			ix.nulls[i] = c->desc[i] ? WHATIF_NULLS_LAST : WHATIF_NULLS_FIRST;
		if (c->pattern[i])
			ix.opclass[i] = strncmp(c->keys[i]->type, "character varying", 17) == 0 ?
			    "varchar_pattern_ops" :
			    strncmp(c->keys[i]->type, "character", 9) == 0 ? "bpchar_pattern_ops" :
			                                                     "text_pattern_ops";
	}
	return ix;
}

static int
by_pages(const void *va, const void *vb)
{
	const struct cat_table *const *a = va, *const *b = vb;

	return (*a)->pages > (*b)->pages ? -1 : (*a)->pages < (*b)->pages;
}

static int
define(const struct oracle *o, const struct cand_set *set, struct whatif_index *defs, int *owners)
{
	int n = 0;

	for (int i = 0; i < o->cands->n; i++) {
		const struct cand *c = &o->cands->items[i];
		int parts = parts_of(c);

		if (!cand_has(set, i))
			continue;
		if (c->table->nparts > MAX_PARTS)
			qsort(c->table->parts, (size_t)c->table->nparts, sizeof(struct cat_table *),
			    by_pages);
		for (int p = 0; p < parts && n < WHATIF_MAX_HYPO; p++, n++) {
			defs[n] = definition(c, c->table->nparts ? c->table->parts[p] : c->table);
			owners[n] = i;
		}
	}
	return n;
}

/* Make exactly this set alive. */
static bool
make_live(struct oracle *o, const struct cand_set *set)
{
	struct whatif_index *defs;
	struct whatif_created *made;
	int n;

	if (o->is_live && cand_same(&o->live, set))
		return true;
	arena_reset(&o->live_arena);
	if (!whatif_reset(o->whatif, &o->error))
		return false;
	o->oids = xrealloc(o->oids, WHATIF_MAX_HYPO, sizeof(*o->oids));
	o->owners = xrealloc(o->owners, WHATIF_MAX_HYPO, sizeof(*o->owners));
	o->names = xrealloc(o->names, WHATIF_MAX_HYPO, sizeof(*o->names));
	defs = arena_zalloc(&o->live_arena, WHATIF_MAX_HYPO, sizeof(*defs));
	made = arena_zalloc(&o->live_arena, WHATIF_MAX_HYPO, sizeof(*made));
	n = define(o, set, defs, o->owners);
	if (!whatif_create_many(o->whatif, defs, n, &o->live_arena, made, &o->error))
		return false;
	for (int i = 0; i < n; i++)
		o->names[i] = made[i].oid ? made[i].name : NULL;
	o->nlive = n;
	o->live = *set;
	o->is_live = true;
	return true;
}

static int
owner_of(const struct oracle *o, const char *name)
{
	for (int i = 0; i < o->nlive; i++) {
		if (o->names[i] && strcmp(o->names[i], name) == 0)
			return o->owners[i];
	}
	return -1;
}

/* An index that is only read from end to end, since it is smaller than its table, is no reason to
 * make it: it must be searched, or give an order of which only the beginning is read. */
static bool
has_purpose(const struct plan_node *node)
{
	return node->clauses[PLAN_INDEX_COND] || plan_has_limit_above(node) ||
	    (node->parent && plan_is(node->parent, "Merge Append") &&
	        plan_has_limit_above(node->parent));
}

/*
 * An index read in its order until a limit, while a filter throws away what it finds: the planner
 * takes 0.5 % for what it knows nothing of, such as lower(x) = $1, and finds the end near. By the
 * columns' own statistics and the rows that came back it may be far.
 */
static bool
is_endless(const struct statement *s, int set, const struct plan_node *node, const struct cand *c)
{
	int rel = needs_of_node(s->needs, node);
	const struct need *need = rel >= 0 ? &s->needs->rels[rel] : NULL;
	double wanted = fmax(s->calls > 0 ? s->rows / s->calls : 1, 1), pages;

	if (!need || node->clauses[PLAN_INDEX_COND] || !node->clauses[PLAN_FILTER])
		return false;
	pages = wanted / model_filter_share(need, c, &s->sets[set]);
	pages *= 1 - c->keys[0]->correlation * c->keys[0]->correlation;
	return pages > 0.3 * need->table->pages;
}

static void
note_answer(struct oracle *o, const struct oracle_question *q, const char *json)
{
	struct statement *s = &o->wl->items[q->statement];
	double base = s->base[q->set];
	struct error err = { 0 };
	struct plan *plan = json ? plan_read(&o->arena, json, strlen(json), &err) : NULL;
	struct cand_set used = { 0 };
	bool idle = false, is_bad = false;

	if (!plan) {
		remember(o, q->key, base, nothing);
		return;
	}
	for (int i = 0; i < plan->nnodes; i++) {
		int owner = plan->nodes[i]->index ? owner_of(o, plan->nodes[i]->index) : -1;

		if (owner < 0)
			continue;
		if (is_endless(s, q->set, plan->nodes[i], &o->cands->items[owner])) {
			cand_cut(&s->mine, owner);
			idle = is_bad = true;
		} else if (has_purpose(plan->nodes[i]))
			cand_put(&used, owner);
		else
			idle = true;
	}
	if (is_bad)
		used = nothing;
	remember(o, q->key, idle && cand_empty(&used) ? base : plan->root->total, used);
}

static bool
explain_group(struct oracle *o, const struct oracle_question *qs, int n)
{
	int burst = o->req->is_background ? BURST_BACKGROUND : BURST;

	for (int at = 0; at < n; at += burst) {
		int m = n - at < burst ? n - at : burst;
		struct whatif_ask *asks;
		struct mono start;
		double ms;

		if (!oracle_may(o))
			return false;
		asks = arena_zalloc(&o->arena, (size_t)m, sizeof(*asks));
		for (int i = 0; i < m; i++) {
			const struct oracle_question *q = &qs[at + i];
			struct statement *s = &o->wl->items[q->statement];

			asks[i].statement = &s->ready;
			asks[i].values = s->sets[q->set].values;
		}
		start = mono_now();
		if (!whatif_explain_many(o->whatif, asks, m, &o->arena, &o->error)) {
			o->stopped = o->req->stop && *o->req->stop ? "cancelled" : "lost";
			return false;
		}
		ms = (double)(mono_now().us - start.us) / 1000;
		for (int i = 0; i < m; i++)
			note_answer(o, &qs[at + i], asks[i].json);
		arena_reset(&o->arena);
		note_latency(o, fmax(0, ms - whatif_rtt_ms(o->whatif)) / m);
		oracle_pause(o, ms);
	}
	return true;
}

/* Can q be answered while `live` is, beside those of whom `cared` is the union of candidates. */
static bool
fits(const struct oracle *o, const struct oracle_question *q, struct cand_set live,
    struct cand_set cared)
{
	struct cand_set mine = o->wl->items[q->statement].mine;
	struct cand_set seen = cand_and(cand_or(live, q->with), mine);
	struct cand_set added = q->with;

	for (size_t i = 0; i < ARRAY_LEN(added.bits); i++)
		added.bits[i] &= ~live.bits[i];
	added = cand_and(added, cared);
	return cand_same(&seen, &q->with) && cand_empty(&added);
}

bool
oracle_run(struct oracle *o)
{
	struct oracle_question *group = xcalloc((size_t)o->nqueue + 1, sizeof(*group));
	bool ok = true;

	while (o->nqueue && ok && (ok = oracle_may(o))) {
		struct cand_set live = { 0 }, cared = { 0 };
		int n = 0, left = 0;

		for (int i = 0; i < o->nqueue; i++) {
			struct oracle_question q = o->queue[i];
			struct cand_set both = cand_or(live, q.with);

			if (n &&
			    (!fits(o, &q, live, cared) || hypo_count(o, &both) > WHATIF_MAX_HYPO)) {
				o->queue[left++] = q;
				continue;
			}
			live = both;
			cared = cand_or(cared, o->wl->items[q.statement].mine);
			group[n++] = q;
		}
		o->nqueue = left;
		ok = make_live(o, &live);
		if (!ok && !o->stopped)
			o->stopped = o->req->stop && *o->req->stop ? "cancelled" : "lost";
		ok = ok && explain_group(o, group, n);
	}
	if (!ok)
		o->nqueue = 0;
	free(group);
	return ok;
}
