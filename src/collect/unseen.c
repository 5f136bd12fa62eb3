/*
 * Ids without names. The cheap probes deliver oids and query ids; what they stand for is asked
 * once, when an id turns up that nobody has asked about. The first time at once, so that a first
 * screen is whole; later with a coming refresh.
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cell.h"
#include "base/strbuf.h"
#include "collect/target.h"
#include "model/load.h"

enum {
	NAMES_PAUSE_MS = 5000, /* between two questions for names */
	TEXTS_PAUSE_MS =
	    60000, /* the server reads its whole file of texts each time; the second sample, which
	            * has the statements of the first look itself, need not wait */
	TEXTS_BATCH = 5000,
	RELATIONS_BATCH = 5000,
};

void
unseen_release(struct unseen *u)
{
	hmap_release(&u->names);
	hmap_release(&u->statements);
	hmap_release(&u->relations);
	free(u->texts_param);
	free(u->relations_param);
	*u = (struct unseen){ .texts_param = NULL };
}

/* Ask with the next refresh, or at once where nothing has been answered yet. */
static void
want(struct target *t, enum probe_id probe)
{
	if (feed_last(t->feed, probe))
		t->slots[probe].is_next = true;
	else
		t->slots[probe].is_wanted = true;
}

/* Nothing to ask: an answer all the same, so that whoever waits for the probe has one. */
static void
answer_empty(struct target *t, enum probe_id probe, const struct sample *like)
{
	const struct pg_query *q = pg_query_by_name(probe_infos[probe].name);
	if (feed_last(t->feed, probe) || !t->slots[probe].is_shown || t->slots[probe].is_flying ||
	    !q)
		return;
	struct sample *s =
	    sample_new(probe, SAMPLE_OK, rowset_new(q->ncols, q->col_names, q->col_types));
	s->at = like->at;
	s->server_at = like->server_at;
	feed_apply(t->feed, s);
}

static void
look_names(struct target *t, const struct sample *s, const char *database, const char *role)
{
	struct unseen *u = &t->unseen;
	int db = rowset_col(s->rows, database), user = rowset_col(s->rows, role);
	if (t->slots[PROBE_NAMES].is_flying ||
	    (u->names_at.us && mono_since_ms(s->at, u->names_at) < NAMES_PAUSE_MS))
		return;
	bool is_new = false;
	for (int i = 0; i < s->rows->nrows; i++) {
		int64_t d = cell_i64(rowset_cell(s->rows, i, db), 0),
		        r = cell_i64(rowset_cell(s->rows, i, user), 0);
		if (d && !hmap_has(&u->names, load_key_database(d))) {
			hmap_put(&u->names, load_key_database(d), 0);
			is_new = true;
		}
		if (r && !hmap_has(&u->names, load_key_role(r))) {
			hmap_put(&u->names, load_key_role(r), 0);
			is_new = true;
		}
	}
	if (!is_new)
		return;
	u->names_at = s->at;
	want(t, PROBE_NAMES);
}

/* All names there are, so that an id without one (dropped) is not asked for again and again. */
static void
know_names(struct target *t, const struct sample *s)
{
	int kind = rowset_col(s->rows, "kind"), oid = rowset_col(s->rows, "oid");
	for (int i = 0; i < s->rows->nrows; i++) {
		int64_t id = cell_i64(rowset_cell(s->rows, i, oid), 0);
		bool is_role = cell_is(rowset_cell(s->rows, i, kind), "role");
		hmap_put(&t->unseen.names, is_role ? load_key_role(id) : load_key_database(id), 0);
	}
	t->unseen.names_at = s->at;
}

static void
look_statements(struct target *t, const struct sample *s)
{
	struct unseen *u = &t->unseen;
	if (!t->slots[PROBE_STATEMENT_TEXTS].is_shown ||
	    t->slots[PROBE_STATEMENT_TEXTS].is_flying ||
	    (u->texts_asked > 1 && mono_since_ms(s->at, u->texts_at) < TEXTS_PAUSE_MS))
		return;
	int col = rowset_col(s->rows, "queryid");
	int n = 0;
	struct hmap here = { .n = 0 };
	struct strbuf ids = STRBUF_INIT(TEXTS_BATCH * 24);
	strbuf_addc(&ids, '{');
	for (int i = 0; i < s->rows->nrows && n < TEXTS_BATCH; i++) {
		int64_t id = cell_i64(rowset_cell(s->rows, i, col), 0);
		if (!id || hmap_has(&u->statements, (uint64_t)id) || hmap_has(&here, (uint64_t)id))
			continue;
		hmap_put(&here, (uint64_t)id, 0);
		strbuf_addf(&ids, "%s%lld", n++ ? "," : "", (long long)id);
	}
	strbuf_addc(&ids, '}');
	if (n > 0) {
		free(u->texts_param);
		u->texts_param = strbuf_take(&ids);
		u->texts_at = s->at;
		u->texts_asked++;
		t->slots[PROBE_STATEMENT_TEXTS].is_wanted = true;
	} else {
		answer_empty(t, PROBE_STATEMENT_TEXTS, s);
	}
	hmap_release(&here);
	strbuf_release(&ids);
}

/* All that was asked for is answered, that which the server has thrown out too. */
static void
know_statements(struct target *t)
{
	const char *at = t->unseen.texts_param;
	while (at && (*at == '{' || *at == ',')) {
		char *end;
		hmap_put(&t->unseen.statements, (uint64_t)strtoll(at + 1, &end, 10), 0);
		at = end;
	}
}

/* Only the last answer is kept, so the question is always for all relations that are locked now. */
static void
look_relations(struct target *t, const struct sample *s)
{
	struct unseen *u = &t->unseen;
	if (!t->slots[PROBE_LOCK_NAMES].is_shown || t->slots[PROBE_LOCK_NAMES].is_flying)
		return;
	int col = rowset_col(s->rows, "relation");
	int n = 0;
	bool is_new = false;
	struct hmap here = { .n = 0 };
	struct strbuf ids = STRBUF_INIT(RELATIONS_BATCH * 12);
	strbuf_addc(&ids, '{');
	for (int i = 0; i < s->rows->nrows && n < RELATIONS_BATCH; i++) {
		int64_t oid = cell_i64(rowset_cell(s->rows, i, col), 0);
		if (!oid || hmap_has(&here, (uint64_t)oid))
			continue;
		hmap_put(&here, (uint64_t)oid, 0);
		is_new |= !hmap_has(&u->relations, (uint64_t)oid);
		strbuf_addf(&ids, "%s%lld", n++ ? "," : "", (long long)oid);
	}
	strbuf_addc(&ids, '}');
	if (is_new) {
		hmap_release(&u->relations);
		u->relations = here;
		here = (struct hmap){ .n = 0 };
		free(u->relations_param);
		u->relations_param = strbuf_take(&ids);
		want(t, PROBE_LOCK_NAMES);
	} else {
		answer_empty(t, PROBE_LOCK_NAMES, s);
	}
	hmap_release(&here);
	strbuf_release(&ids);
}

void
unseen_look(struct target *t, const struct sample *s)
{
	switch (s->probe) {
	case PROBE_ACTIVITY:
		look_names(t, s, "datid", "usesysid");
		break;
	case PROBE_STATEMENTS:
		look_names(t, s, "dbid", "userid");
		look_statements(t, s);
		break;
	case PROBE_LOCKS:
		look_relations(t, s);
		break;
	case PROBE_NAMES:
		know_names(t, s);
		break;
	case PROBE_STATEMENT_TEXTS:
		know_statements(t);
		break;
	default:
		break;
	}
}
