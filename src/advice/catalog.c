/* Tables, columns and indexes from their rowsets. */
#include "config.h"

#include "advice/catalog.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_ELEMENTS = 20000 };

int
catalog_array(struct arena *arena, const char *text, const char ***out)
{
	int n = 0, cap = 1;
	const char **items;
	char *q;

	*out = NULL;
	if (!text || *text != '{')
		return 0;
	for (const char *p = text; *p; p++)
		cap += *p == ',';
	if (cap > MAX_ELEMENTS)
		cap = MAX_ELEMENTS;
	items = arena_alloc(arena, sizeof(*items) * (size_t)cap);
	/* Unescaped items are shorter than what they were: all fit into one copy. */
	q = arena_alloc(arena, strlen(text) + 1 + (size_t)cap);
	for (const char *p = text + 1; *p && *p != '}' && n < cap;) {
		char *item = q;
		bool quoted = *p == '"';

		if (quoted)
			p++;
		while (*p && (quoted ? *p != '"' : *p != ',' && *p != '}')) {
			if (*p == '\\' && p[1])
				p++;
			*q++ = *p++;
		}
		*q++ = '\0';
		if (quoted && *p)
			p++;
		items[n++] = item;
		if (*p == ',')
			p++;
	}
	*out = items;
	return n;
}

static const char *
text_at(struct arena *arena, const struct rowset *rs, int row, const char *name)
{
	const struct cell *c = rowset_get(rs, row, name);

	return c->type == CELL_TEXT ? arena_strndup(arena, c->s, c->len) : NULL;
}

static double
num_at(const struct rowset *rs, int row, const char *name, double none)
{
	return cell_num(rowset_get(rs, row, name), none);
}

static int
by_relid(const void *va, const void *vb)
{
	const struct cat_table *a = va, *b = vb;

	return a->relid < b->relid ? -1 : a->relid > b->relid;
}

static void
read_tables(struct catalog *cat, const struct rowset *rs)
{
	struct arena *arena = &cat->arena;

	cat->ntables = rs->nrows;
	cat->tables = arena_zalloc(arena, (size_t)rs->nrows + 1, sizeof(*cat->tables));
	for (int i = 0; i < rs->nrows; i++) {
		struct cat_table *t = &cat->tables[i];
		const char *kind = text_at(arena, rs, i, "kind");

		t->relid = (uint32_t)num_at(rs, i, "relid", 0);
		t->schema = text_at(arena, rs, i, "schema");
		t->name = text_at(arena, rs, i, "table");
		t->schema = t->schema ? t->schema : "";
		t->name = t->name ? t->name : "";
		t->kind = kind && *kind ? *kind : 'r';
		t->parent = (uint32_t)num_at(rs, i, "root", 0);
		t->rows = fmax(num_at(rs, i, "reltuples", 0), 0);
		t->pages = fmax(num_at(rs, i, "pages", 0), 0);
		t->index_bytes = (int64_t)num_at(rs, i, "index_bytes", 0);
		t->ins = num_at(rs, i, "ins", 0);
		t->upd = num_at(rs, i, "upd", 0);
		t->hot_upd = num_at(rs, i, "hot_upd", 0);
		t->del = num_at(rs, i, "del", 0);
		t->stats_age_s = num_at(rs, i, "stats_age_s", 0);
	}
	if (cat->ntables)
		qsort(cat->tables, (size_t)cat->ntables, sizeof(*cat->tables), by_relid);
}

/* Roots get the sums of their leaves. */
static void
link_partitions(struct catalog *cat)
{
	for (int i = 0; i < cat->ntables; i++) {
		struct cat_table *t = &cat->tables[i], *root;

		t->root = t;
		root = t->parent ? catalog_table(cat, t->parent) : NULL;
		if (!root || root == t)
			continue;
		t->root = root;
		if (t->kind != 'p')
			root->nparts++;
	}
	for (int i = 0; i < cat->ntables; i++) {
		struct cat_table *t = &cat->tables[i];

		if (t->kind == 'p')
			t->rows = t->pages = 0;
		t->parts =
		    arena_alloc(&cat->arena, sizeof(struct cat_table *) * (size_t)(t->nparts + 1));
		t->nparts = 0;
	}
	for (int i = 0; i < cat->ntables; i++) {
		struct cat_table *t = &cat->tables[i], *root = t->root;

		if (root == t || t->kind == 'p')
			continue;
		root->parts[root->nparts++] = t;
		root->rows += t->rows;
		root->pages += t->pages;
		root->index_bytes += t->index_bytes;
		root->ins += t->ins;
		root->upd += t->upd;
		root->hot_upd += t->hot_upd;
		root->del += t->del;
		root->stats_age_s = fmax(root->stats_age_s, t->stats_age_s);
	}
}

static void
read_column(struct arena *arena, const struct rowset *rs, int row, struct cat_table *t)
{
	struct cat_column *c = &t->columns[t->ncolumns++];
	const char **freqs, *align;
	int nfreqs;

	c->attnum = (int)num_at(rs, row, "attnum", 0);
	c->name = text_at(arena, rs, row, "name");
	c->type = text_at(arena, rs, row, "type");
	c->name = c->name ? c->name : "";
	c->type = c->type ? c->type : "";
	c->c_collation = cell_i64(rowset_get(rs, row, "c_collation"), 0) != 0;
	c->width = (int)num_at(rs, row, "width", 0);
	c->has_stats = !cell_is_null(rowset_get(rs, row, "n_distinct"));
	c->null_frac = num_at(rs, row, "null_frac", 0);
	c->correlation = num_at(rs, row, "correlation", 0);
	c->ndistinct = num_at(rs, row, "n_distinct", 0);
	if (c->ndistinct < 0)
		c->ndistinct = -c->ndistinct * t->rows;
	c->nmcv = catalog_array(arena, text_at(arena, rs, row, "mcv"), &c->mcv);
	nfreqs = catalog_array(arena, text_at(arena, rs, row, "mcf"), &freqs);
	if (nfreqs < c->nmcv)
		c->nmcv = nfreqs;
	c->freqs = arena_alloc(arena, sizeof(double) * (size_t)(c->nmcv + 1));
	for (int i = 0; i < c->nmcv; i++)
		c->freqs[i] = strtod(freqs[i], NULL);
	c->nhist = catalog_array(arena, text_at(arena, rs, row, "hist"), &c->hist);
	c->is_notnull = num_at(rs, row, "not_null", 0) != 0;
	c->is_sortable = num_at(rs, row, "has_opclass", 0) != 0;
	c->equal_image = num_at(rs, row, "equal_image", 0) != 0;
	c->typlen = (int)num_at(rs, row, "typlen", -1);
	align = text_at(arena, rs, row, "typalign");
	c->align = align ? *align : 0;
}

/* The largest leaf that has statistics lends them to its root. */
static void
borrow_stats(struct cat_table *root)
{
	const struct cat_table *best = NULL;

	for (int i = 0; i < root->nparts; i++) {
		const struct cat_table *leaf = root->parts[i];

		if (leaf->ncolumns && (!best || leaf->pages > best->pages))
			best = leaf;
	}
	for (int i = 0; i < root->ncolumns && best; i++) {
		struct cat_column *c = &root->columns[i];
		const struct cat_column *from = catalog_column(best, c->name);
		struct cat_column own = *c;

		if (c->has_stats || !from)
			continue;
		*c = *from;
		c->attnum = own.attnum;
	}
}

static void
read_columns(struct catalog *cat, const struct rowset *rs)
{
	int col = rowset_col(rs, "relid");
	struct cat_table *t;

	for (int i = 0; i < rs->nrows; i++) {
		t = catalog_table(cat, (uint32_t)cell_i64(rowset_cell(rs, i, col), 0));
		if (t)
			t->ncolumns++;
	}
	for (int i = 0; i < cat->ntables; i++) {
		t = &cat->tables[i];
		t->columns =
		    arena_zalloc(&cat->arena, (size_t)t->ncolumns + 1, sizeof(*t->columns));
		t->ncolumns = 0;
	}
	for (int i = 0; i < rs->nrows; i++) {
		t = catalog_table(cat, (uint32_t)cell_i64(rowset_cell(rs, i, col), 0));
		if (t)
			read_column(&cat->arena, rs, i, t);
	}
	for (int i = 0; i < cat->ntables; i++)
		borrow_stats(&cat->tables[i]);
}

static void
read_index(struct arena *arena, const struct rowset *rs, int row, struct cat_index *ix)
{
	const struct cell *keys = rowset_get(rs, row, "keys");
	const struct cell *options = rowset_get(rs, row, "options");

	ix->oid = (uint32_t)num_at(rs, row, "indexrelid", 0);
	ix->name = text_at(arena, rs, row, "index");
	ix->name = ix->name ? ix->name : "";
	ix->method = text_at(arena, rs, row, "method");
	ix->method = ix->method ? ix->method : "btree";
	ix->predicate = text_at(arena, rs, row, "pred");
	ix->exprs = text_at(arena, rs, row, "exprs");
	ix->opclasses = text_at(arena, rs, row, "opclasses");
	ix->is_unique = num_at(rs, row, "is_unique", 0) != 0;
	ix->is_primary = num_at(rs, row, "is_primary", 0) != 0;
	ix->is_valid = num_at(rs, row, "is_valid", 1) != 0;
	ix->size_bytes = (int64_t)num_at(rs, row, "size_bytes", 0);
	if (keys->type != CELL_INTS)
		return;
	ix->ncolumns = keys->len < CAT_MAX_KEYS ? (int)keys->len : CAT_MAX_KEYS;
	for (int i = 0; i < ix->ncolumns; i++) {
		ix->keys[i] = (int)keys->ints[i];
		if (options->type == CELL_INTS && i < (int)options->len)
			ix->desc[i] = options->ints[i] & 1;
	}
	ix->nkeys = (int)num_at(rs, row, "nkeys", ix->ncolumns);
	if (ix->nkeys > ix->ncolumns)
		ix->nkeys = ix->ncolumns;
}

static void
read_indexes(struct catalog *cat, const struct rowset *rs)
{
	int col = rowset_col(rs, "relid");
	struct cat_table *t;

	for (int i = 0; i < rs->nrows; i++) {
		t = catalog_table(cat, (uint32_t)cell_i64(rowset_cell(rs, i, col), 0));
		if (t)
			t->nindexes++;
	}
	for (int i = 0; i < cat->ntables; i++) {
		t = &cat->tables[i];
		t->indexes =
		    arena_zalloc(&cat->arena, (size_t)t->nindexes + 1, sizeof(*t->indexes));
		t->nindexes = 0;
	}
	for (int i = 0; i < rs->nrows; i++) {
		t = catalog_table(cat, (uint32_t)cell_i64(rowset_cell(rs, i, col), 0));
		if (t)
			read_index(&cat->arena, rs, i, &t->indexes[t->nindexes++]);
	}
}

void
catalog_build(struct catalog *cat, const struct rowset *tables, const struct rowset *columns,
    const struct rowset *indexes)
{
	if (tables)
		read_tables(cat, tables);
	link_partitions(cat);
	if (columns)
		read_columns(cat, columns);
	if (indexes)
		read_indexes(cat, indexes);
}

void
catalog_release(struct catalog *cat)
{
	arena_release(&cat->arena);
	*cat = (struct catalog){ 0 };
}

struct cat_table *
catalog_table(const struct catalog *cat, uint32_t relid)
{
	struct cat_table key = { .relid = relid };

	if (!cat->ntables)
		return NULL;
	return bsearch(&key, cat->tables, (size_t)cat->ntables, sizeof(*cat->tables), by_relid);
}

struct cat_table *
catalog_find(const struct catalog *cat, const char *schema, const char *name)
{
	for (int i = 0; i < cat->ntables; i++) {
		struct cat_table *t = &cat->tables[i];

		if (strcmp(t->name, name) == 0 && (!schema || strcmp(t->schema, schema) == 0))
			return t;
	}
	return NULL;
}

const struct cat_column *
catalog_column(const struct cat_table *table, const char *name)
{
	for (int i = 0; i < table->ncolumns; i++) {
		if (strcmp(table->columns[i].name, name) == 0)
			return &table->columns[i];
	}
	return NULL;
}

const struct cat_column *
catalog_attnum(const struct cat_table *table, int attnum)
{
	for (int i = 0; i < table->ncolumns; i++) {
		if (table->columns[i].attnum == attnum)
			return &table->columns[i];
	}
	return NULL;
}

bool
catalog_is_sortable(const struct cat_column *col)
{
	/* Values this wide may not fit into an index entry at all. */
	return col->is_sortable && !strchr(col->type, '[') &&
	    !(col->has_stats && col->width > 1000);
}
