/* Sliding sums of counters. A counter that went down was reset: what it shows since then is its
 * growth. */
#include "config.h"

#include <math.h>
#include <string.h>

#include "model/rules_priv.h"

const char *const window_names[WINDOW_COUNT] = {
#define X(sym, name, span_s) [WINDOW_##sym] = name,
	RULE_WINDOW_LIST(X)
#undef X
};

const int window_spans[WINDOW_COUNT] = {
#define X(sym, name, span_s) [WINDOW_##sym] = span_s,
	RULE_WINDOW_LIST(X)
#undef X
};

/* The longest time between two looks whose growth still counts: a run from cron each 15 minutes. */
static const int64_t gap_us = 900 * INT64_C(1000000);

void
window_add(struct window *w, enum rule_window id, int64_t from, int64_t to, double a, double b)
{
	int64_t span = window_spans[id] * INT64_C(1000000);
	struct window_slot *last = w->n ? &w->slots[w->n - 1] : NULL;

	if (last && from == last->to && to - last->from <= span / (WINDOW_SLOTS - 4)) {
		last->to = to;
		last->a += a;
		last->b += b;
		return;
	}
	if (w->n == WINDOW_SLOTS) {
		memmove(w->slots, w->slots + 1, (WINDOW_SLOTS - 1) * sizeof(w->slots[0]));
		w->n--;
	}
	w->slots[w->n++] = (struct window_slot){ from, to, a, b };
}

void
window_count(struct window *w, enum rule_window id, int64_t at, double a, double b)
{
	int64_t span = window_spans[id] * INT64_C(1000000);
	int64_t longest = span > gap_us ? span : gap_us;

	if (isnan(a) || isnan(b))
		return;
	if (w->has_last && at <= w->last_at && w->last_at - at < gap_us)
		return; /* the same answer again */
	if (w->has_last && at > w->last_at && at - w->last_at <= longest)
		window_add(w, id, w->last_at, at, a >= w->last_a ? a - w->last_a : a,
		    b >= w->last_b ? b - w->last_b : b);
	w->has_last = true;
	w->last_at = at;
	w->last_a = a;
	w->last_b = b;
}

double
window_sum(const struct window *w, int64_t now, double span_s, double *a, double *b)
{
	int64_t from = now - (int64_t)(span_s * 1e6);
	double covered = 0;

	*a = *b = 0;
	for (int i = 0; i < w->n; i++) {
		const struct window_slot *s = &w->slots[i];
		if (s->to <= from || s->from > now)
			continue;
		*a += s->a;
		*b += s->b;
		covered += (double)(s->to - (s->from > from ? s->from : from)) / 1e6;
	}
	return covered;
}
