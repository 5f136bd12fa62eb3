/*
 * The search. A statement's worth of a set of indexes is its weight times what it saves, plus a
 * little for each further halving, so that a better index of a statement that is helped already
 * still counts. Moves: one candidate (instead of those chosen that are its beginning), or all that
 * one plan of the first pass used together (both arms of an OR, both sides of a join).
 */
#include "config.h"

#include "advice/search.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "advice/writecost.h"

enum { MAX_CHOSEN = 24, MAX_BUNDLES = 48 };

/* Of the workload's weight: a new index must save at least this much net of its writes. */
static const double MIN_SAVING = 0.002;
/* What a statement must gain from a new index, from a wider one, and from a covering one. */
static const double NEW_RATIO = 0.55, WIDER_RATIO = 0.7, COVER_RATIO = 0.5;
static const double HALVING = 0.03;
/* Shares of rows of two columns that are this many times apart. */
static const double BLUNT = 10;

struct move {
	struct cand_set add, cut;
	double net, saving;
};

/* ---- what a set is worth ---- */

double
search_ratio(const struct oracle *o, int statement, struct cand_set with)
{
	const struct statement *s = &o->wl->items[statement];
	double before = 0, after = 0;

	for (int v = 0; v < s->nsets; v++) {
		double cost = oracle_answer(o, statement, v, with).cost;

		before += s->sets[v].weight * s->base[v];
		after += s->sets[v].weight * fmin(cost, s->base[v]);
	}
	return before > 0 ? after / before : 1;
}

static bool
counts(const struct statement *s)
{
	return s->is_explained && !s->is_rare && s->nsets > 0 && !cand_empty(&s->mine);
}

static double
worth(double ratio)
{
	return 1 - ratio + HALVING * log2(1 / fmax(ratio, 1e-4));
}

static void
ask_all(struct search *sr, struct cand_set with)
{
	struct workload *wl = sr->oracle->wl;

	for (int i = 0; i < wl->n; i++) {
		struct cand_set mine = cand_and(with, wl->items[i].mine);

		if (!counts(&wl->items[i]) || cand_empty(&mine))
			continue;
		for (int v = 0; v < wl->items[i].nsets; v++)
			oracle_ask(sr->oracle, i, v, with);
	}
}

/* ---- first pass ---- */

static bool
has_same_columns(const struct cand *a, const struct cand *b)
{
	if (a->table != b->table || a->nkeys != b->nkeys)
		return false;
	for (int i = 0; i < a->nkeys; i++) {
		bool found = false;

		for (int k = 0; k < b->nkeys; k++)
			found |= a->keys[i] == b->keys[k];
		if (!found)
			return false;
	}
	return true;
}

/* Does some statement care for a that does not for b? */
static bool
serves_more(const struct search *sr, int a, int b)
{
	const struct workload *wl = sr->oracle->wl;

	for (int i = 0; i < wl->n; i++) {
		if (cand_has(&wl->items[i].mine, a) && !cand_has(&wl->items[i].mine, b))
			return true;
	}
	return false;
}

/* Of one set of columns the order that was made first has the most selective in front; which one a
 * plan takes of them is chance. */
static void
add_better_orders(const struct cands *cands, struct cand_set *used)
{
	struct cand_set taken = *used;

	for (int i = 0; i < cands->n; i++) {
		const struct cand *c = &cands->items[i];

		for (int k = i + 1; k < cands->n; k++) {
			const struct cand *u = &cands->items[k];

			if (cand_has(&taken, k) && c->neq == u->neq && c->ncore == u->ncore &&
			    has_same_columns(c, u))
				cand_put(used, i);
		}
	}
}

/* What no plan took, and is no beginning of what one took, nor the same columns in an order that
 * serves others too, is out. */
static void
keep_used(struct search *sr, struct cand_set *used)
{
	struct cands *cands = sr->oracle->cands;

	add_better_orders(cands, used);
	for (int i = 0; i < cands->n; i++) {
		struct cand *c = &cands->items[i];

		c->is_used = cand_has(used, i);
		for (int k = 0; k < cands->n && !c->is_used; k++) {
			const struct cand *u = &cands->items[k];

			if (!cand_has(used, k) || u->table != c->table)
				continue;
			c->is_used = (c->nkeys == c->ncore && cand_is_prefix(c, u)) ||
			    (has_same_columns(c, u) && serves_more(sr, i, k));
		}
	}
}

bool
search_first(struct search *sr)
{
	struct oracle *o = sr->oracle;
	struct cand_set all = { 0 }, used = { 0 };
	bool ok;

	for (int i = 0; i < o->cands->n; i++)
		cand_put(&all, i);
	ask_all(sr, all);
	ok = oracle_run(o);
	/* Again without those that turned out to be of no use to a statement. */
	ask_all(sr, all);
	ok = ok && oracle_run(o);
	for (int i = 0; i < o->wl->n; i++) {
		for (int v = 0; v < o->wl->items[i].nsets; v++) {
			struct oracle_answer a = oracle_answer(o, i, v, all);

			used = cand_or(used, a.used);
		}
	}
	keep_used(sr, &used);
	for (int i = 0; i < o->cands->n; i++) {
		const struct cand *c = &o->cands->items[i];

		sr->writes[i] = writecost_share(o->wl, c->table, c->keys, c->nkeys, c->height);
	}
	return ok;
}

/* ---- moves ---- */

/* Ratios of all statements with the chosen set. */
static void
rate(const struct search *sr, struct cand_set with, double *ratios)
{
	const struct workload *wl = sr->oracle->wl;

	for (int i = 0; i < wl->n; i++)
		ratios[i] = counts(&wl->items[i]) ? search_ratio(sr->oracle, i, with) : 1;
}

static struct cand_set
after_move(const struct search *sr, const struct move *m)
{
	struct cand_set set = cand_or(sr->chosen, m->add);

	for (size_t i = 0; i < ARRAY_LEN(set.bits); i++)
		set.bits[i] &= ~m->cut.bits[i];
	return set;
}

/* Chosen ones that a wider one makes needless. */
static struct cand_set
replaced_by(const struct search *sr, struct cand_set add)
{
	const struct cands *cands = sr->oracle->cands;
	struct cand_set cut = { 0 };

	for (int i = 0; i < cands->n; i++) {
		for (int k = 0; k < cands->n; k++) {
			if (i != k && cand_has(&sr->chosen, i) && cand_has(&add, k) &&
			    !cand_has(&add, i) &&
			    cand_is_prefix(&cands->items[i], &cands->items[k]))
				cand_put(&cut, i);
		}
	}
	return cut;
}

static double
sum_of(const struct search *sr, const struct cand_set *set, const double *of)
{
	double sum = 0;

	for (int i = 0; i < sr->oracle->cands->n; i++)
		sum += cand_has(set, i) ? of[i] : 0;
	return sum;
}

static bool
is_covering(const struct search *sr, const struct cand_set *add)
{
	for (int i = 0; i < sr->oracle->cands->n; i++) {
		const struct cand *c = &sr->oracle->cands->items[i];

		if (cand_has(add, i) && c->nkeys == c->ncore)
			return false;
	}
	return true;
}

static bool
gains_enough(double weight, double now, double then, bool cover, bool wider)
{
	double gain = weight * (now - then);

	/* Covering is for what still reads much of the table. */
	if (cover)
		return then <= COVER_RATIO * now && gain >= 1.5 * MIN_SAVING && now >= 0.04;
	if (wider)
		return then <= WIDER_RATIO * now && (now >= 0.02 || gain >= MIN_SAVING / 8);
	return then <= NEW_RATIO * now && gain >= MIN_SAVING / 2;
}

/* Does some statement gain enough for this kind of move? */
static bool
gains(const struct search *sr, const struct move *m, const double *now, const double *then)
{
	const struct workload *wl = sr->oracle->wl;
	bool wider = !cand_empty(&m->cut), cover = is_covering(sr, &m->add);

	for (int i = 0; i < wl->n; i++) {
		if (gains_enough(wl->items[i].weight, now[i], then[i], cover, wider))
			return true;
	}
	return false;
}

static int
only_one(const struct cand_set *set)
{
	for (int i = 0; i < CAND_MAX; i++) {
		if (cand_has(set, i))
			return cand_count(set) == 1 ? i : -1;
	}
	return -1;
}

/* Does it only give an order or a range, where another would also find by equality what is ordered?
 * Then it is a matter of luck how far it must be read. */
static bool
is_gamble(const struct search *sr, int k)
{
	const struct cands *cands = sr->oracle->cands;
	const struct cand *c = &cands->items[k];

	if (c->neq)
		return false;
	for (int i = 0; i < cands->n; i++) {
		const struct cand *d = &cands->items[i];
		bool same = d->is_used && d->table == c->table && d->neq > 0 &&
		    d->ncore == d->neq + c->ncore;

		for (int n = 0; n < c->ncore && same; n++)
			same = d->keys[d->neq + n] == c->keys[n];
		if (same)
			return true;
	}
	return false;
}

/* Does a column that tells few rows apart stand before one that tells many? That serves hardly
 * another statement, and what it seems to save is the order of the table. */
static bool
is_blunt(const struct cand *c)
{
	double rows = c->table->rows, least = 1;

	for (int i = 0; i < c->neq; i++)
		least = fmin(least, column_eq_share(c->keys[i], rows));
	return c->neq > 1 && column_eq_share(c->keys[0], rows) > BLUNT * least;
}

/* Fills the move's net worth; false when it is not worth making. */
static bool
value_move(struct search *sr, struct move *m, const double *now, double *then)
{
	const struct workload *wl = sr->oracle->wl;
	struct cand_set with;
	double size = 0;
	int one;

	m->cut = replaced_by(sr, m->add);
	with = after_move(sr, m);
	rate(sr, with, then);
	m->net = m->saving = 0;
	for (int i = 0; i < wl->n; i++) {
		m->saving += wl->items[i].weight * (now[i] - then[i]);
		m->net += wl->items[i].weight * (worth(then[i]) - worth(now[i]));
	}
	m->net -= sum_of(sr, &m->add, sr->writes) - sum_of(sr, &m->cut, sr->writes);
	m->saving -= sum_of(sr, &m->add, sr->writes) - sum_of(sr, &m->cut, sr->writes);
	for (int i = 0; i < sr->oracle->cands->n; i++)
		size += cand_has(&m->add, i) ? sr->oracle->cands->items[i].size_bytes : 0;
	if (m->net < MIN_SAVING / 2 || (cand_empty(&m->cut) && m->saving < MIN_SAVING) ||
	    !gains(sr, m, now, then))
		return false;
	/* Of two that do the same the smaller; size in MB, so that small ones do not differ. */
	m->net /= pow(1 + size / (1 << 20), 0.15);
	one = only_one(&m->add);
	if (one >= 0 && (is_gamble(sr, one) || is_blunt(&sr->oracle->cands->items[one])))
		m->net *= 0.85;
	return true;
}

/* What one plan used together is one move. */
static int
list_bundles(const struct search *sr, struct cand_set *bundles)
{
	const struct oracle *o = sr->oracle;
	struct cand_set all = { 0 };
	int n = 0;

	for (int i = 0; i < o->cands->n; i++)
		cand_put(&all, i);
	for (int i = 0; i < o->wl->n; i++) {
		for (int v = 0; v < o->wl->items[i].nsets && n < MAX_BUNDLES; v++) {
			struct cand_set used = oracle_answer(o, i, v, all).used;
			int count = cand_count(&used);
			bool is_new = count >= 2 && count <= 4;

			for (int k = 0; k < n && is_new; k++)
				is_new = !cand_same(&bundles[k], &used);
			if (is_new)
				bundles[n++] = used;
		}
	}
	return n;
}

static int
list_moves(const struct search *sr, struct move *moves, bool covering)
{
	struct cand_set bundles[MAX_BUNDLES];
	int n = 0, nbundles = list_bundles(sr, bundles);

	for (int i = 0; i < sr->oracle->cands->n; i++) {
		const struct cand *c = &sr->oracle->cands->items[i];

		if (!c->is_used || cand_has(&sr->chosen, i) || (c->nkeys > c->ncore && !covering))
			continue;
		moves[n] = (struct move){ 0 };
		cand_put(&moves[n++].add, i);
	}
	for (int i = 0; i < nbundles; i++)
		moves[n++] = (struct move){ .add = bundles[i] };
	return n;
}

/* The shortest beginning of the best move that leaves its other keys too little to gain. */
static int
narrowest(struct search *sr, struct move *moves, int n, int best, const double *now)
{
	const struct workload *wl = sr->oracle->wl;
	const struct cand *cands = sr->oracle->cands->items;
	double *wide = xcalloc((size_t)wl->n + 1, sizeof(*wide));
	double *narrow = xcalloc((size_t)wl->n + 1, sizeof(*narrow));
	int at = only_one(&moves[best].add), found = best;

	rate(sr, after_move(sr, &moves[best]), wide);
	for (int i = 0; i < n && at >= 0; i++) {
		int k = only_one(&moves[i].add);
		bool loses = false;

		if (k < 0 || k == at || cands[k].ncore >= cands[at].ncore ||
		    !cand_is_prefix(&cands[k], &cands[at]) ||
		    (found != best && cands[k].ncore >= cands[only_one(&moves[found].add)].ncore) ||
		    !value_move(sr, &moves[i], now, narrow))
			continue;
		for (int s = 0; s < wl->n && !loses; s++)
			loses = gains_enough(wl->items[s].weight, narrow[s], wide[s], false, true);
		if (!loses)
			found = i;
	}
	free(wide);
	free(narrow);
	return found;
}

static bool
is_within(const struct cand_set *a, const struct cand_set *b)
{
	struct cand_set both = cand_and(*a, *b);

	return cand_same(&both, a);
}

/* The best move, made. False: there is none, or a limit was reached. */
static bool
step(struct search *sr, bool covering)
{
	struct move *moves = xcalloc(CAND_MAX + MAX_BUNDLES, sizeof(*moves));
	double *now = xcalloc((size_t)sr->oracle->wl->n + 1, sizeof(*now));
	double *then = xcalloc((size_t)sr->oracle->wl->n + 1, sizeof(*then));
	int n = list_moves(sr, moves, covering), best = -1;
	bool ok;

	for (int i = 0; i < n; i++) {
		moves[i].cut = replaced_by(sr, moves[i].add);
		if (!is_within(&moves[i].add, &sr->chosen))
			ask_all(sr, after_move(sr, &moves[i]));
	}
	ok = oracle_run(sr->oracle);
	rate(sr, sr->chosen, now);
	for (int i = 0; i < n; i++) {
		if (is_within(&moves[i].add, &sr->chosen) || !value_move(sr, &moves[i], now, then))
			continue;
		if (best < 0 || moves[i].net > moves[best].net)
			best = i;
	}
	if (best >= 0)
		best = narrowest(sr, moves, n, best, now);
	if (best >= 0)
		sr->chosen = after_move(sr, &moves[best]);
	free(moves);
	free(now);
	free(then);
	return best >= 0 && ok;
}

/* Chosen ones that others have made needless since. */
static void
prune(struct search *sr)
{
	struct workload *wl = sr->oracle->wl;

	for (int i = 0; i < sr->oracle->cands->n; i++) {
		struct cand_set without = sr->chosen;
		double loss = 0;

		if (!cand_has(&sr->chosen, i))
			continue;
		cand_cut(&without, i);
		ask_all(sr, without);
		if (!oracle_run(sr->oracle))
			return;
		for (int k = 0; k < wl->n; k++) {
			if (counts(&wl->items[k]))
				loss += wl->items[k].weight *
				    (worth(search_ratio(sr->oracle, k, without)) -
				        worth(search_ratio(sr->oracle, k, sr->chosen)));
		}
		if (-loss - sr->writes[i] < MIN_SAVING / 2)
			sr->chosen = without;
	}
}

bool
search_run(struct search *sr)
{
	memset(&sr->chosen, 0, sizeof(sr->chosen));
	while (cand_count(&sr->chosen) < MAX_CHOSEN && step(sr, false))
		;
	while (cand_count(&sr->chosen) < MAX_CHOSEN && step(sr, true))
		;
	prune(sr);
	return !sr->oracle->stopped;
}

/* ---- results ---- */

void
search_guess(struct search *sr)
{
	struct oracle *o = sr->oracle;
	struct cand_set all = { 0 };

	for (int i = 0; i < o->cands->n; i++)
		cand_put(&all, i);
	memset(&sr->chosen, 0, sizeof(sr->chosen));
	for (int i = 0; i < o->wl->n; i++) {
		const struct statement *s = &o->wl->items[i];
		struct oracle_answer a;
		int heaviest = 0;

		if (!counts(s) || s->weight * (1 - search_ratio(o, i, all)) < 0.01)
			continue;
		for (int v = 1; v < s->nsets; v++)
			heaviest = s->sets[v].weight > s->sets[heaviest].weight ? v : heaviest;
		a = oracle_answer(o, i, heaviest, all);
		sr->chosen = cand_or(sr->chosen, a.used);
	}
}

static void
settle_statement(struct search *sr, int i)
{
	const struct oracle *o = sr->oracle;
	struct statement *s = &o->wl->items[i];
	struct cand_set used = { 0 };

	s->before = s->after = statement_before(s);
	s->low = s->high = 1;
	if (!counts(s))
		return;
	s->after = s->before * search_ratio(o, i, sr->chosen);
	s->low = INFINITY;
	s->high = 0;
	for (int v = 0; v < s->nsets; v++) {
		struct oracle_answer a = oracle_answer(o, i, v, sr->chosen);
		double ratio = s->base[v] > 0 ? fmin(a.cost / s->base[v], 1) : 1;

		if (s->sets[v].weight > 0.05)
			used = cand_or(used, a.used);
		s->low = fmin(s->low, ratio);
		s->high = fmax(s->high, ratio);
	}
	if (s->before > 0 && s->after < 0.9 * s->before)
		s->chosen = cand_and(used, sr->chosen);
}

void
search_settle(struct search *sr)
{
	const struct oracle *o = sr->oracle;

	memset(sr->saving, 0, sizeof(sr->saving));
	ask_all(sr, sr->chosen);
	(void)oracle_run(sr->oracle);
	for (int i = 0; i < o->wl->n; i++) {
		struct statement *s = &o->wl->items[i];
		int n;

		memset(&s->chosen, 0, sizeof(s->chosen));
		settle_statement(sr, i);
		n = cand_count(&s->chosen);
		for (int k = 0; k < o->cands->n && n; k++) {
			if (cand_has(&s->chosen, k) && s->before > 0)
				sr->saving[k] += s->weight * (1 - s->after / s->before) / n;
		}
	}
}
