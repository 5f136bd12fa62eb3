/* DDL, names, reasons, caveats. */
#include "config.h"

#include "advice/report.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "advice/writecost.h"
#include "base/fmt.h"
#include "base/strbuf.h"
#include "base/utf8.h"

enum { MAX_NAME = 63, MAX_DDL = 256 * 1024, MAX_LISTED_PARTS = 200 };
/* Bytes a second of a sequential read, and seconds a row of sorting and writing: common hardware,
 * not the best. */
static const double READ_BPS = 200e6, ROW_S = 1.2e-6;

/* ---- names ---- */

static bool
is_taken(
    const struct catalog *cat, const struct advice_list *list, const char *schema, const char *name)
{
	for (int i = 0; i < cat->ntables; i++) {
		const struct cat_table *t = &cat->tables[i];

		if (strcmp(t->schema, schema) != 0)
			continue;
		if (strcmp(t->name, name) == 0)
			return true;
		for (int k = 0; k < t->nindexes; k++) {
			if (strcmp(t->indexes[k].name, name) == 0)
				return true;
		}
	}
	for (int i = 0; i < list->n; i++) {
		const struct advice_item *it = &list->items[i];

		if (it->name && strcmp(it->name, name) == 0 && strcmp(it->schema, schema) == 0)
			return true;
	}
	return false;
}

/* Letters, digits and underscores of a name or expression. */
static void
add_plain(struct strbuf *out, const char *s)
{
	for (; *s; s++) {
		bool plain = (*s >= 'a' && *s <= 'z') || (*s >= '0' && *s <= '9') ||
		    (unsigned char)*s >= 0x80;

		if (plain)
			strbuf_addc(out, *s);
		else if (*s >= 'A' && *s <= 'Z')
			strbuf_addc(out, (char)(*s - 'A' + 'a'));
		else if (out->len && out->buf[out->len - 1] != '_')
			strbuf_addc(out, '_');
	}
}

/* At most n bytes, no character cut. */
static size_t
cut_at(const char *s, size_t n)
{
	size_t len = strlen(s);

	if (len <= n)
		return len;
	while (n > 0 && ((unsigned char)s[n] & 0xc0) == 0x80)
		n--;
	return n;
}

static const char *
index_name(struct advice_list *list, const struct catalog *cat, const struct report_index *ix)
{
	struct strbuf stem = STRBUF_INIT(4096);
	char suffix[24] = "_idx";
	const char *name;

	strbuf_adds(&stem, ix->table->name);
	for (int i = 0; i < ix->nkeys; i++) {
		strbuf_addc(&stem, '_');
		add_plain(&stem, ix->names[i]);
	}
	for (int n = 1;; n++) {
		size_t len = cut_at(stem.buf, MAX_NAME - strlen(suffix));

		while (len > 1 && stem.buf[len - 1] == '_')
			len--;
		name = arena_printf(&list->arena, "%.*s%s", (int)len, stem.buf, suffix);
		if (!is_taken(cat, list, ix->table->schema, name))
			break;
		snprintf(suffix, sizeof(suffix), "_idx%d", n);
	}
	strbuf_release(&stem);
	return name;
}

/* ---- DDL ---- */

static void
add_definition(struct strbuf *out, const struct report_index *ix)
{
	if (ix->method)
		strbuf_addf(out, " USING %s", ix->method);
	strbuf_adds(out, " (");
	for (int i = 0; i < ix->nkeys; i++)
		strbuf_addf(out, "%s%s", i ? ", " : "", ix->keys[i]);
	strbuf_addc(out, ')');
	if (ix->nall > ix->nkeys)
		strbuf_adds(out, " INCLUDE (");
	for (int i = ix->nkeys; i < ix->nall; i++)
		strbuf_addf(out, "%s%s", i > ix->nkeys ? ", " : "", ix->keys[i]);
	if (ix->nall > ix->nkeys)
		strbuf_addc(out, ')');
	if (ix->predicate)
		strbuf_addf(out, " WHERE %s", ix->predicate);
}

/* A partitioned table's index cannot be made concurrently: an invalid one on the parent alone, one
 * concurrently on each partition, each attached; the last makes it valid. */
static void
add_partitioned(struct advice_list *list, const struct catalog *cat, struct strbuf *ddl,
    const struct report_index *ix, const char *name)
{
	struct arena *arena = &list->arena;
	const struct cat_table *t = ix->table;

	strbuf_addf(ddl, "CREATE INDEX %s ON ONLY %s", advice_ident(arena, name),
	    advice_qualified(arena, t->schema, t->name));
	add_definition(ddl, ix);
	for (int i = 0; i < t->nparts && i < MAX_LISTED_PARTS; i++) {
		struct report_index part = *ix;
		const char *part_name;

		part.table = t->parts[i];
		part_name = index_name(list, cat, &part);
		strbuf_addf(ddl, ";\nCREATE INDEX CONCURRENTLY %s ON %s",
		    advice_ident(arena, part_name),
		    advice_qualified(arena, part.table->schema, part.table->name));
		add_definition(ddl, &part);
		strbuf_addf(ddl, ";\nALTER INDEX %s ATTACH PARTITION %s",
		    advice_qualified(arena, t->schema, name),
		    advice_qualified(arena, part.table->schema, part_name));
	}
}

struct advice_item *
report_create(struct advice_list *list, const struct catalog *cat, enum advice_kind kind,
    const struct report_index *ix)
{
	const struct cat_table *t = ix->table;
	const char *name = index_name(list, cat, ix);
	struct strbuf ddl = STRBUF_INIT(MAX_DDL);
	struct advice_item *it = advice_list_add(list, ADVICE_CREATE, kind, t->schema, t->name);

	if (t->kind == 'p') {
		add_partitioned(list, cat, &ddl, ix, name);
		advice_item_caveat(list, it,
		    "the table is partitioned: made on each of its %d partitions concurrently, then attached",
		    t->nparts);
	} else {
		strbuf_addf(&ddl, "CREATE INDEX CONCURRENTLY %s ON %s",
		    advice_ident(&list->arena, name),
		    advice_qualified(&list->arena, t->schema, t->name));
		add_definition(&ddl, ix);
	}
	it->ddl = arena_strndup(&list->arena, ddl.buf, ddl.len);
	strbuf_release(&ddl);
	it->name = name;
	it->method = ix->method ? ix->method : "btree";
	for (int i = 0; i < ix->nall; i++)
		advice_item_column(list, it, ix->names[i], strlen(ix->names[i]));
	it->size_bytes = (int64_t)ix->size_bytes;
	it->build_s = 2 * t->pages * 8192 / READ_BPS + t->rows * ROW_S;
	it->lock = "SHARE UPDATE EXCLUSIVE; waits for older transactions twice";
	return it;
}

/* ---- chosen candidates ---- */

static const char *
key_text(struct arena *arena, const struct cand *c, int i)
{
	const char *type = c->keys[i]->type, *opclass = "";

	if (c->pattern[i])
		opclass = strncmp(type, "character varying", 17) == 0 ? " varchar_pattern_ops" :
		    strncmp(type, "character", 9) == 0                ? " bpchar_pattern_ops" :
		                                                        " text_pattern_ops";
	return arena_printf(arena, "%s%s%s%s", advice_ident(arena, c->keys[i]->name), opclass,
	    c->desc[i] ? " DESC" : "",
	    !c->nulls_odd[i] ? "" :
	        c->desc[i]   ? " NULLS LAST" :
	                       " NULLS FIRST");
}

static struct report_index
index_of(struct arena *arena, const struct cand *c)
{
	struct report_index ix = { .table = c->table };

	ix.nkeys = c->ncore;
	ix.nall = c->nkeys;
	ix.size_bytes = c->size_bytes;
	for (int i = 0; i < c->nkeys; i++) {
		ix.keys[i] = key_text(arena, c, i);
		ix.names[i] = c->keys[i]->name;
	}
	return ix;
}

static const char *
bytes_text(char *buf, size_t size, double bytes)
{
	static const char *const units[] = { "B", "kB", "MB", "GB", "TB" };
	size_t u = 0;

	for (; bytes >= 1000 && u < ARRAY_LEN(units) - 1; u++)
		bytes /= 1024;
	snprintf(buf, size, bytes < 10 ? "%.1f %s" : "%.0f %s", bytes, units[u]);
	return buf;
}

/* A column whose wanted value is rare: a partial index would be smaller, if that is what is always
 * asked. */
static void
add_skew_caveat(struct advice_list *list, struct advice_item *it, const struct cand *c)
{
	const struct cat_column *col = c->keys[0];
	double top = col->nmcv ? col->freqs[0] : 0;

	if (top >= 0.5 && c->neq > 0)
		advice_item_caveat(list, it,
		    "%.0f %% of the rows have the same %s; if the others are all that is asked for, a partial index (WHERE %s <> '%s') is smaller and cheaper to keep",
		    top * 100, col->name, col->name, col->mcv[0]);
}

static void
add_caveats(struct advice_list *list, struct advice_item *it, const struct search *sr, int i)
{
	const struct cand *c = &sr->oracle->cands->items[i];
	const struct cat_table *t = c->table;
	double loss = writecost_hot_loss(sr->oracle->wl, t, c->keys, c->nkeys);

	add_skew_caveat(list, it, c);
	if (loss > 0.01 && t->hot_upd > 0)
		advice_item_caveat(list, it,
		    "%.0f %% of the table's updates change one of its columns: they are no longer HOT, and write to all indexes",
		    loss * 100);
	if (sr->writes[i] > 0.001)
		advice_item_caveat(list, it,
		    "keeping it up costs about %.1f %% of the workload; it is taken off the saving",
		    sr->writes[i] * 100);
	if (c->size_bytes > 0.2 * (t->pages * 8192 + (double)t->index_bytes)) {
		char buf[32];

		advice_item_caveat(list, it, "it is large for its table: %s",
		    bytes_text(buf, sizeof(buf), c->size_bytes));
	}
	if (c->nkeys > c->ncore)
		advice_item_caveat(
		    list, it, "spares the table only for pages that vacuum has marked all-visible");
	if (sr->oracle->use_hypo)
		return;
	advice_item_caveat(list, it,
	    "modelled, not asked of the planner: with HypoPG in this database (or a copy of it) it can be");
}

static void
set_reason(struct advice_list *list, struct advice_item *it, const struct search *sr, int i)
{
	const struct workload *wl = sr->oracle->wl;
	const struct statement *top = NULL;
	int n = 0;

	for (int k = 0; k < wl->n; k++) {
		const struct statement *s = &wl->items[k];

		if (!cand_has(&s->chosen, i))
			continue;
		advice_item_statement(list, it, s->queryid);
		n++;
		if (!top || s->weight > top->weight)
			top = s;
	}
	if (!top)
		return;
	it->reason = arena_printf(&list->arena,
	    "%d statement%s use%s it; the heaviest (%.1f %% of the time, %.1f %% of the buffers, %.0f calls) falls to %.2g %% of its cost (%.2g to %.2g %% depending on values)",
	    n, n == 1 ? "" : "s", n == 1 ? "s" : "", top->time_share * 100, top->block_share * 100,
	    top->calls, 100 * top->after / fmax(top->before, 1e-9), top->low * 100,
	    top->high * 100);
}

void
report_chosen(struct advice_list *list, const struct catalog *cat, const struct search *sr)
{
	for (int i = 0; i < sr->oracle->cands->n; i++) {
		struct report_index ix;
		struct advice_item *it;

		if (!cand_has(&sr->chosen, i) || sr->saving[i] <= 0)
			continue;
		ix = index_of(&list->arena, &sr->oracle->cands->items[i]);
		it = report_create(list, cat, ADVICE_MISSING, &ix);
		it->confidence = sr->oracle->use_hypo ? ADVICE_WHAT_IF : ADVICE_MODELLED;
		it->saving_pct = 100 * fmax(0, sr->saving[i] - sr->writes[i]);
		it->score = it->saving_pct;
		set_reason(list, it, sr, i);
		add_caveats(list, it, sr, i);
		advice_item_key(list, it);
	}
}

void
report_helped(struct advice_list *list, struct advice_item *item, struct statement *s, double ratio,
    const char *wanted)
{
	advice_item_statement(list, item, s->queryid);
	s->before = statement_before(s);
	s->after = s->before * ratio;
	s->low = s->high = ratio;
	s->wanted = wanted;
	s->rejected = NULL;
}
