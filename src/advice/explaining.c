/* Generic plans in a few round trips, then plans for values. */
#include "config.h"

#include "advice/explaining.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { BURST = 60, BURST_BACKGROUND = 3 };
/* A statement that reads so few pages a call has its index. */
static const double CHEAP_BLOCKS = 12;
/* Value sets less likely than this are not asked further. */
static const double LEAST_LIKELY = 0.12;

static const char *
why_text(enum whatif_why why, const struct error *err, struct arena *arena)
{
	static const char *const texts[] = {
		[WHATIF_OK] = "",
		[WHATIF_UTILITY] = "nothing in it is planned",
		[WHATIF_TRUNCATED] = "its text is cut or hidden",
		[WHATIF_DENIED] = "permission",
		[WHATIF_GONE] = "it names what is not here",
		[WHATIF_SYNTAX] = "syntax",
		[WHATIF_TIMEOUT] = "timeout",
		[WHATIF_UNSAFE] = "not safe to plan",
		[WHATIF_OTHER] = "error",
	};

	return *err->what ? arena_printf(arena, "%s: %s", texts[why], err->what) : texts[why];
}

/* One burst of statements; cheaper when the first plan comes with it. */
static bool
prepare_burst(struct oracle *o, struct statement **list, int n)
{
	struct whatif_job *jobs = xcalloc((size_t)n + 1, sizeof(*jobs));
	struct arena *arena = &o->wl->arena;
	struct mono start = mono_now();
	bool ok;

	for (int i = 0; i < n; i++) {
		jobs[i].text = list[i]->text;
		jobs[i].search_path = list[i]->search_path;
	}
	ok = whatif_prepare_many(o->whatif, jobs, n, arena, &o->error);
	for (int i = 0; i < n && ok; i++) {
		struct statement *s = list[i];
		struct error err = { 0 };
		struct plan *plan = NULL;

		if (jobs[i].why == WHATIF_UTILITY)
			continue;
		if (jobs[i].why != WHATIF_OK) {
			s->why_not = why_text(jobs[i].why, &jobs[i].error, arena);
			continue;
		}
		s->ready = jobs[i].statement;
		if (s->ready.plan)
			plan = plan_read(arena, s->ready.plan, strlen(s->ready.plan), &err);
		if (!plan) {
			s->why_not = arena_printf(arena, "plan: %s", err.what);
			continue;
		}
		s->is_explained = true;
		s->plans[0] = plan;
	}
	free(jobs);
	oracle_pause(o, (double)(mono_now().us - start.us) / 1000);
	return ok;
}

bool
explain_workload(struct oracle *o)
{
	struct statement *burst[BURST];
	int max = o->req->is_background ? BURST_BACKGROUND : BURST, n = 0;

	for (int i = 0; i < o->wl->n; i++) {
		struct statement *s = &o->wl->items[i];

		if (s->is_insert)
			continue;
		burst[n++] = s;
		if (n < max && i + 1 < o->wl->n)
			continue;
		if (!oracle_may(o))
			return false;
		if (!prepare_burst(o, burst, n)) {
			o->stopped = o->req->stop && *o->req->stop ? "cancelled" : "lost";
			return false;
		}
		n = 0;
	}
	if (n && oracle_may(o) && !prepare_burst(o, burst, n))
		o->stopped = "lost";
	return !o->stopped;
}

/* ---- values ---- */

/* Nothing to look for: it reads little already, or nothing that an index could serve. */
static bool
is_idle(const struct statement *s)
{
	if (s->is_rare || s->is_served || s->blocks <= CHEAP_BLOCKS * s->calls)
		return true;
	for (int r = 0; r < s->needs->n; r++) {
		if (s->needs->rels[r].nconds || s->needs->rels[r].nsort || s->needs->rels[r].minmax)
			return false;
	}
	return true;
}

static bool
explain_burst(struct oracle *o, struct whatif_ask *asks, struct statement **of, int *sets, int n)
{
	struct mono start = mono_now();

	if (!n)
		return true;
	if (!oracle_may(o))
		return false;
	if (!whatif_explain_many(o->whatif, asks, n, &o->wl->arena, &o->error)) {
		o->stopped = o->req->stop && *o->req->stop ? "cancelled" : "lost";
		return false;
	}
	for (int i = 0; i < n; i++) {
		struct error err = { 0 };

		if (asks[i].json)
			of[i]->plans[sets[i]] =
			    plan_read(&o->wl->arena, asks[i].json, strlen(asks[i].json), &err);
	}
	oracle_pause(o, (double)(mono_now().us - start.us) / 1000);
	return true;
}

/* Plans for all value sets, in bursts. */
static bool
explain_sets(struct oracle *o)
{
	struct whatif_ask asks[BURST] = { 0 };
	struct statement *of[BURST];
	int sets[BURST], n = 0, max = o->req->is_background ? BURST_BACKGROUND : BURST;

	for (int i = 0; i < o->wl->n; i++) {
		struct statement *s = &o->wl->items[i];

		for (int v = 1; v < s->nsets; v++) {
			asks[n] = (struct whatif_ask){ .statement = &s->ready,
				.values = s->sets[v].values };
			of[n] = s;
			sets[n++] = v;
			if (n < max)
				continue;
			if (!explain_burst(o, asks, of, sets, n))
				return false;
			n = 0;
		}
	}
	return explain_burst(o, asks, of, sets, n);
}

/* Counts and limits that are always reached tell nothing of values. */
static bool
rows_are_fixed(const struct plan *plan)
{
	const struct plan_node *root = plan->root;

	if (plan_is(root, "Limit"))
		return true;
	while (root->nkids == 1 &&
	    (plan_is(root, "Sort") || plan_is(root, "Result") || plan_is(root, "Gather")))
		root = root->kids[0];
	return plan_is(root, "Aggregate") && !root->group_key.n;
}

/* Rows that the scans of a plan bring up: what an index would have to find. Above them a count or a
 * limit makes all plans alike. */
static double
scanned_rows(const struct plan *plan)
{
	double rows = 0;

	for (int i = 0; i < plan->nnodes; i++) {
		if (plan_is_scan(plan->nodes[i]))
			rows += plan->nodes[i]->rows;
	}
	return rows;
}

static bool
is_near(double a, double b)
{
	return fmax(a, b) <= 1.3 * fmin(a, b) + 1;
}

/* Do two value sets ask for the same work? */
static bool
is_same_work(const struct plan *a, const struct plan *b, double rows_a, double rows_b)
{
	double cost_a = a->root->total, cost_b = b->root->total;

	return fabs(cost_a - cost_b) <= 0.02 * cost_a && is_near(rows_a, rows_b) &&
	    is_near(scanned_rows(a), scanned_rows(b)) && a->nnodes == b->nnodes &&
	    strcmp(a->root->type, b->root->type) == 0;
}

/* Set k stands for v too, by the values of the likelier one, never by none. */
static void
join_sets(struct statement *s, int k, int v)
{
	double sum = s->sets[k].weight + s->sets[v].weight;

	if (s->sets[v].weight > s->sets[k].weight || s->sets[k].kind == VALUE_GENERIC) {
		s->sets[k] = s->sets[v];
		s->plans[k] = s->plans[v];
		s->base[k] = s->base[v];
	}
	s->sets[k].weight = sum;
}

/* Keeps the sets that are likely enough; one of those that ask for the same. */
static void
keep_sets(struct statement *s, double *rows)
{
	int n = 0;

	for (int v = 0; v < s->nsets; v++) {
		bool is_new = s->sets[v].weight > 0;

		for (int k = 0; k < n && is_new; k++) {
			if (!is_same_work(s->plans[k], s->plans[v], rows[k], rows[v]))
				continue;
			join_sets(s, k, v);
			is_new = false;
		}
		if (!is_new)
			continue;
		s->sets[n] = s->sets[v];
		s->plans[n] = s->plans[v];
		rows[n] = rows[v];
		s->base[n++] = s->base[v];
	}
	s->nsets = n;
}

/* Makes the weights sum to 1 and leaves unlikely sets out. */
static void
share_out(struct statement *s)
{
	double sum = 0;
	int n = 0;

	for (int v = 0; v < s->nsets; v++)
		sum += s->sets[v].weight;
	for (int v = 0; v < s->nsets; v++) {
		s->sets[v].weight = sum > 0 ? s->sets[v].weight / sum : 0;
		if (s->sets[v].weight < LEAST_LIKELY)
			continue;
		s->sets[n] = s->sets[v];
		s->plans[n] = s->plans[v];
		s->base[n++] = s->base[v];
	}
	s->nsets = n;
}

/* Pages that a plan reads for certain: tables read to their end. */
static double
sure_pages(const struct needs *needs, const struct plan *plan)
{
	double pages = 0;

	for (int i = 0; i < plan->nnodes; i++) {
		const struct plan_node *node = plan->nodes[i], *up = node->parent;
		int rel = plan_is(node, "Seq Scan") ? needs_of_node(needs, node) : -1;

		/* Behind a sort or a group all rows are read, whatever limit is above. */
		for (; up && (plan_is(up, "Gather") || plan_is(up, "Append")); up = up->parent)
			;
		if (rel >= 0 && !needs->rels[rel].table->nparts &&
		    (!up || plan_is(up, "Sort") || plan_is(up, "Aggregate") ||
		        plan_is(up, "Hash") || plan_is(up, "ModifyTable")))
			pages += needs->rels[rel].table->pages;
	}
	return pages;
}

/* Plans that read several times what was counted are not those that ran. */
static void
doubt(struct statement *s)
{
	double read = s->blocks / fmax(s->calls, 1);
	bool any = false;

	for (int v = 0; v < s->nsets; v++) {
		if (sure_pages(s->needs, s->plans[v]) * 0.3 > read)
			s->sets[v].weight *= 0.001;
		else
			any = true;
	}
	s->is_served = !any;
}

/* Weighs the sets by what came back, those that could not be planned left out. */
static void
weigh(struct statement *s)
{
	double rows[VALUE_KINDS], seen = s->calls > 0 ? s->rows / s->calls : 0;
	bool is_fixed = rows_are_fixed(s->plans[0]);
	int n = 0;

	for (int v = 0; v < s->nsets; v++) {
		const struct plan_node *root;

		if (!s->plans[v])
			continue;
		root = s->plans[v]->root;
		if (plan_is(root, "ModifyTable") && root->nkids)
			root = root->kids[0];
		s->sets[n] = s->sets[v];
		s->plans[n] = s->plans[v];
		s->base[n] = s->plans[v]->root->total;
		rows[n++] = root->rows;
	}
	s->nsets = n;
	values_weigh(s->sets, n, rows, seen, is_fixed);
	if (n > 1 && values_decide(s->needs))
		s->sets[0].weight = 0;
	doubt(s);
	keep_sets(s, rows);
	share_out(s);
}

/* Which of all candidates could serve it; those made for others too. */
static void
claim(const struct cands *cands, struct statement *s)
{
	memset(&s->mine, 0, sizeof(s->mine));
	for (int r = 0; r < s->needs->n; r++) {
		for (int i = 0; i < cands->n; i++) {
			if (cand_serves(&cands->items[i], &s->needs->rels[r]))
				cand_put(&s->mine, i);
		}
	}
}

bool
explain_values(struct oracle *o, const struct catalog *cat)
{
	struct workload *wl = o->wl;
	bool ok;

	for (int i = 0; i < wl->n; i++) {
		struct statement *s = &wl->items[i];

		if (!s->is_explained)
			continue;
		s->needs = needs_read(&wl->arena, s->plans[0], cat);
		s->nsets = 1;
		s->sets[0] = (struct value_set){ .kind = VALUE_GENERIC, .weight = 1 };
		if (!is_idle(s))
			s->nsets = values_choose(&wl->arena, s->needs, s->ready.text,
			    s->ready.nparams, s->ready.type_names, s->sets);
	}
	ok = explain_sets(o);
	for (int i = 0; i < wl->n; i++) {
		struct statement *s = &wl->items[i];
		struct cand_set ignored = { 0 };

		if (!s->is_explained)
			continue;
		weigh(s);
		if (!is_idle(s))
			cands_add(o->cands, s->needs, &ignored);
	}
	cands_merge(o->cands);
	for (int i = 0; i < wl->n; i++) {
		if (wl->items[i].is_explained && !is_idle(&wl->items[i]))
			claim(o->cands, &wl->items[i]);
	}
	return ok;
}
