/* Advice items: building them, naming them, and the rows of PROBE_ADVICE. */
#include "config.h"

#include "advice/item.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/strbuf.h"

enum { MAX_TEXT = 64 * 1024 };

const char *
advice_action_name(enum advice_action action)
{
	static const char *const names[] = { "create", "drop", "reindex" };

	return names[action];
}

const char *
advice_confidence_name(enum advice_confidence c)
{
	static const char *const names[] = { "what-if", "modelled", "heuristic" };

	return names[c];
}

const char *
advice_kind_name(enum advice_kind kind)
{
	static const char *const names[ADVICE_KIND_COUNT] = {
#define X(sym, name, text) [ADVICE_##sym] = name,
		ADVICE_KIND_LIST(X)
#undef X
	};

	return names[kind];
}

void
advice_list_release(struct advice_list *list)
{
	arena_release(&list->arena);
	free(list->items);
	*list = (struct advice_list){ 0 };
}

struct advice_item *
advice_list_add(struct advice_list *list, enum advice_action action, enum advice_kind kind,
    const char *schema, const char *table)
{
	GROW(list->items, list->n, list->cap);
	list->items[list->n] = (struct advice_item){
		.action = action,
		.kind = kind,
		.confidence = ADVICE_HEURISTIC,
		.schema = arena_strdup(&list->arena, schema),
		.table = arena_strdup(&list->arena, table),
		.method = "btree",
		.ddl = "",
		.reason = "",
		.saving_pct = NAN,
		.size_bytes = -1,
		.build_s = NAN,
	};
	return &list->items[list->n++];
}

/* A copy of an array of n pointers (or int64_t) with room for one more. */
static void *
grown(struct arena *arena, const void *items, int n, size_t size)
{
	void *copy = arena_alloc(arena, (size_t)(n + 1) * size);

	if (n)
		memcpy(copy, items, (size_t)n * size);
	return copy;
}

void
advice_item_column(struct advice_list *list, struct advice_item *item, const char *name, size_t len)
{
	item->columns = grown(&list->arena, item->columns, item->ncolumns, sizeof(*item->columns));
	item->columns[item->ncolumns++] = arena_strndup(&list->arena, name, len);
}

void
advice_item_caveat(struct advice_list *list, struct advice_item *item, const char *fmt, ...)
{
	struct strbuf text = STRBUF_INIT(MAX_TEXT);
	va_list ap;

	va_start(ap, fmt);
	strbuf_addv(&text, fmt, ap);
	va_end(ap);
	for (int i = 0; i < item->ncaveats; i++) {
		if (strcmp(item->caveats[i], text.buf) == 0)
			goto out;
	}
	item->caveats = grown(&list->arena, item->caveats, item->ncaveats, sizeof(*item->caveats));
	item->caveats[item->ncaveats++] = arena_strndup(&list->arena, text.buf, text.len);
out:
	strbuf_release(&text);
}

void
advice_item_statement(struct advice_list *list, struct advice_item *item, int64_t queryid)
{
	for (int i = 0; i < item->nstatements; i++) {
		if (item->statements[i] == queryid)
			return;
	}
	item->statements =
	    grown(&list->arena, item->statements, item->nstatements, sizeof(*item->statements));
	item->statements[item->nstatements++] = queryid;
}

void
advice_item_key(struct advice_list *list, struct advice_item *item)
{
	struct strbuf key = STRBUF_INIT(MAX_TEXT);

	if (item->key)
		return;
	strbuf_addf(&key, "%s %s %s.%s", advice_action_name(item->action),
	    advice_kind_name(item->kind), item->schema, item->table);
	if (item->index)
		strbuf_addf(&key, " %s", item->index);
	strbuf_addf(&key, " %s", item->method);
	for (int i = 0; i < item->ncolumns; i++)
		strbuf_addf(&key, "%s%s", i ? ", " : " (", item->columns[i]);
	if (item->ncolumns)
		strbuf_addc(&key, ')');
	item->key = arena_strndup(&list->arena, key.buf, key.len);
	strbuf_release(&key);
}

static int
action_order(enum advice_action action)
{
	return action == ADVICE_CREATE ? 0 : action == ADVICE_REINDEX ? 1 : 2;
}

static int
by_score(const void *va, const void *vb)
{
	const struct advice_item *a = va, *b = vb;
	int order = action_order(a->action) - action_order(b->action);

	if (order)
		return order;
	if (a->score != b->score)
		return a->score > b->score ? -1 : 1;
	order = strcmp(a->schema, b->schema);
	if (!order)
		order = strcmp(a->table, b->table);
	return order ? order : strcmp(a->ddl, b->ddl);
}

void
advice_list_sort(struct advice_list *list)
{
	if (list->n)
		qsort(list->items, (size_t)list->n, sizeof(*list->items), by_score);
}

static struct cell
text_cell(struct rowset *rs, const char *s)
{
	return s ? cell_text(arena_strdup(&rs->arena, s)) : cell_null(WHY_NONE);
}

static struct cell
texts_cell(struct rowset *rs, const char **texts, int n)
{
	struct strbuf json = STRBUF_INIT(MAX_TEXT);
	struct cell cell;

	strbuf_addc(&json, '[');
	for (int i = 0; i < n; i++) {
		if (i)
			strbuf_addc(&json, ',');
		json_str(&json, texts[i], strlen(texts[i]));
	}
	strbuf_addc(&json, ']');
	cell = cell_textn(arena_strndup(&rs->arena, json.buf, json.len), json.len);
	strbuf_release(&json);
	return cell;
}

static struct cell
ids_cell(struct rowset *rs, const int64_t *ids, int n)
{
	struct strbuf json = STRBUF_INIT(MAX_TEXT);
	struct cell cell;

	strbuf_addc(&json, '[');
	for (int i = 0; i < n; i++) {
		if (i)
			strbuf_addc(&json, ',');
		json_int(&json, ids[i]);
	}
	strbuf_addc(&json, ']');
	cell = cell_textn(arena_strndup(&rs->arena, json.buf, json.len), json.len);
	strbuf_release(&json);
	return cell;
}

static struct cell
number_cell(double v)
{
	return isfinite(v) ? cell_float(v) : cell_null(WHY_NONE);
}

#define COLUMN_LIST(X)            \
	X(rank, CELL_INT)         \
	X(action, CELL_TEXT)      \
	X(schema, CELL_TEXT)      \
	X(table, CELL_TEXT)       \
	X(columns, CELL_TEXT)     \
	X(method, CELL_TEXT)      \
	X(ddl, CELL_TEXT)         \
	X(kind, CELL_TEXT)        \
	X(saving_pct, CELL_FLOAT) \
	X(size_bytes, CELL_INT)   \
	X(confidence, CELL_TEXT)  \
	X(reason, CELL_TEXT)      \
	X(statements, CELL_TEXT)  \
	X(caveats, CELL_TEXT)     \
	X(index, CELL_TEXT)       \
	X(build_s, CELL_FLOAT)    \
	X(lock, CELL_TEXT)        \
	X(key, CELL_TEXT)

struct rowset *
advice_list_rows(struct advice_list *list)
{
	static const char *const names[] = {
#define X(name, type) #name,
		COLUMN_LIST(X)
#undef X
	};
	static const uint8_t types[] = {
#define X(name, type) type,
		COLUMN_LIST(X)
#undef X
	};
	struct rowset *rs = rowset_new((int)ARRAY_LEN(names), names, types);

	for (int i = 0; i < list->n; i++) {
		struct advice_item *it = &list->items[i];
		struct cell *c = rowset_add(rs);

		advice_item_key(list, it);
		*c++ = cell_int(i + 1);
		*c++ = text_cell(rs, advice_action_name(it->action));
		*c++ = text_cell(rs, it->schema);
		*c++ = text_cell(rs, it->table);
		*c++ = texts_cell(rs, it->columns, it->ncolumns);
		*c++ = text_cell(rs, it->method);
		*c++ = text_cell(rs, it->ddl);
		*c++ = text_cell(rs, advice_kind_name(it->kind));
		*c++ = number_cell(it->saving_pct);
		*c++ = it->size_bytes < 0 ? cell_null(WHY_NONE) : cell_int(it->size_bytes);
		*c++ = text_cell(rs, advice_confidence_name(it->confidence));
		*c++ = text_cell(rs, it->reason);
		*c++ = ids_cell(rs, it->statements, it->nstatements);
		*c++ = texts_cell(rs, it->caveats, it->ncaveats);
		*c++ = text_cell(rs, it->index);
		*c++ = number_cell(it->build_s);
		*c++ = text_cell(rs, it->lock);
		*c++ = text_cell(rs, it->key);
	}
	return rs;
}
