/* What a cancel or terminate will do, in words. */
#include "config.h"

#include <string.h>

#include "ops/act_priv.h"
#include "ops/act_signal.h"

enum { MAX_LISTED = 200 };

static const char *
or_dash(const char *s)
{
	return s && *s ? s : "-";
}

static const char *
effect_of(const struct act *a, const struct session *s)
{
	const struct signal *sig = a->data;

	if (sig->is_cancel)
		return "its query ends with an error, an open transaction fails with it; the connection stays";
	if (s->xact_age_s < 0)
		return "the connection is closed; no transaction is open, nothing is rolled back";
	return s->has_xid ?
	    "the connection is closed and its transaction, which has written, is rolled back" :
	    "the connection is closed and its transaction, which has written nothing, ends";
}

static void
describe(struct act *a, const struct session *s)
{
	struct doc *d = &a->doc;
	char t1[32], t2[32], t3[32];

	doc_pair(d, "session", ROLE_STRONG, "%d, %s", s->pid, or_dash(s->type));
	doc_pair(d, "who", ROLE_NORMAL, "user %s, database %s, application %s, from %s",
	    or_dash(s->user), or_dash(s->database), or_dash(s->application), or_dash(s->client));
	doc_pair(d, "state", ROLE_NORMAL, "%s for %s%s%s", or_dash(s->state),
	    s->state_age_s < 0 ? "-" : fmt_span(t1, sizeof(t1), s->state_age_s),
	    s->wait ? ", waits for " : "", s->wait ? s->wait : "");
	doc_pair(d, "transaction", s->xact_age_s > 60 ? ROLE_WARN : ROLE_NORMAL, "%s",
	    s->xact_age_s < 0 ? "none" : fmt_span(t2, sizeof(t2), s->xact_age_s));
	doc_pair(d, "connected for", ROLE_NORMAL, "%s",
	    s->connected_s < 0 ? "-" : fmt_span(t3, sizeof(t3), s->connected_s));
	doc_pair(d, "blocks", s->blocks ? ROLE_LOCK_HEAD : ROLE_NORMAL,
	    "%d directly; ending it frees %d", s->blocks, s->frees);
	doc_pair(d, "effect", ROLE_NORMAL, "%s", effect_of(a, s));
	if (s->query && *s->query) {
		doc_add(d, ROLE_DIM, "query");
		doc_text(d, ROLE_NORMAL, s->query, strlen(s->query));
	}
}

static void
list_line(struct act *a, const struct session *s)
{
	char t1[32];
	struct strbuf q = STRBUF_INIT(64);

	if (s->query)
		strbuf_adds(&q, s->query);
	for (size_t i = 0; i < q.len; i++)
		if (q.buf[i] == '\n' || q.buf[i] == '\t')
			q.buf[i] = ' ';
	doc_add(&a->doc, ROLE_NORMAL,
	    "%7d  %-12.12s %-12.12s %-16.16s %-20.20s xact %7s  frees %3d  %.60s", s->pid,
	    or_dash(s->user), or_dash(s->database), or_dash(s->application), or_dash(s->state),
	    s->xact_age_s < 0 ? "-" : fmt_seconds(t1, sizeof(t1), s->xact_age_s), s->frees, q.buf);
	strbuf_release(&q);
}

void
signal_describe_refused(struct act *a)
{
	struct signal *sig = a->data;

	for (int i = 0; i < a->nsessions; i++) {
		bool found = false;

		for (int k = 0; k < sig->n; k++)
			found |= sig->sessions[k].pid == a->sessions[i].pid;
		if (!found)
			doc_add(&a->doc, ROLE_DIM, "left out: %d is not there any more",
			    a->sessions[i].pid);
	}
	for (int i = 0; i < sig->n; i++) {
		const struct session *s = &sig->sessions[i];

		if (s->refused)
			doc_add(&a->doc, ROLE_WARN, "left out: %d, because %s%s%s", s->pid,
			    s->refused, s->refused_hint ? ". " : "",
			    s->refused_hint ? s->refused_hint : "");
	}
}

static void
add_steps(struct act *a)
{
	struct signal *sig = a->data;

	for (int i = 0; i < sig->n; i++) {
		const struct session *s = &sig->sessions[i];
		char *effect;

		if (s->refused)
			continue;
		effect = arena_printf(
		    &a->arena, "%s; frees %d waiting sessions", effect_of(a, s), s->frees);
		act_add_step(a,
		    arena_printf(&a->arena, "%s %d (user %s, database %s)", a->ops->info.name,
		        s->pid, or_dash(s->user), or_dash(s->database)),
		    effect,
		    sig->is_cancel ? "low" :
		        s->has_xid ? "medium" :
		                     "low");
	}
}

void
signal_make_plan(struct act *a, int nacting)
{
	struct signal *sig = a->data;
	const char *verb = a->ops->info.name;
	const struct session *only = NULL;
	int listed = 0;

	doc_add(&a->doc, ROLE_TITLE, "%s %d session%s of %s%s%s", verb, nacting,
	    nacting == 1 ? "" : "s", a->target, a->selection ? ": " : "",
	    a->selection ? a->selection : "");
	for (int i = 0; i < sig->n; i++) {
		if (sig->sessions[i].refused)
			continue;
		only = &sig->sessions[i];
		if (nacting == 1)
			describe(a, only);
		else if (listed++ < MAX_LISTED)
			list_line(a, only);
	}
	if (listed > MAX_LISTED)
		doc_add(&a->doc, ROLE_DIM, "and %d more", listed - MAX_LISTED);
	signal_describe_refused(a);
	add_steps(a);
	if (nacting == 1)
		act_planned(a, arena_printf(&a->arena, "%s session %d?", verb, only->pid), "y");
	else
		act_planned(a, arena_printf(&a->arena, "%s %d sessions?", verb, nacting),
		    arena_printf(&a->arena, "%d", nacting));
}
