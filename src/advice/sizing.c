#include "config.h"

#include "advice/sizing.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

struct column {
	uint32_t relid;
	int attnum;
	struct size_key key;
	double n_distinct; /* as in pg_stats */
	bool has_stats;
};

struct table {
	uint32_t relid;
	double rows; /* < 0 unknown */
	int block_size;
};

/* Distinct combinations: "2, 5" of a table. */
struct combination {
	uint32_t relid;
	const char *json;
};

struct sizing {
	struct arena arena;
	struct column *columns;
	struct table *tables;
	struct combination *combinations;
	int ncolumns, ntables, ncombinations;
};

static int
compare_columns(const void *a, const void *b)
{
	const struct column *x = a, *y = b;

	if (x->relid != y->relid)
		return x->relid < y->relid ? -1 : 1;
	return (x->attnum > y->attnum) - (x->attnum < y->attnum);
}

static int
compare_tables(const void *a, const void *b)
{
	const struct table *x = a, *y = b;

	return (x->relid > y->relid) - (x->relid < y->relid);
}

/* "{0.25,0.1}" */
static const double *
read_floats(struct arena *arena, const struct cell *c, int *n)
{
	const char *text, *s;
	double *values;
	int cap = 1;

	*n = 0;
	if (c->type != CELL_TEXT || c->len < 3)
		return NULL;
	text = arena_strndup(arena, c->s, c->len);
	for (s = text; *s; s++)
		cap += *s == ',';
	values = arena_alloc(arena, sizeof(*values) * (size_t)cap);
	for (s = text + 1; *n < cap;) {
		char *end;

		values[*n] = strtod(s, &end);
		if (end == s)
			break;
		(*n)++;
		s = end + (*end == ',');
	}
	return values;
}

static void
read_columns(struct sizing *s, const struct rowset *rs)
{
	enum {
		RELID,
		ATTNUM,
		TYPLEN,
		TYPALIGN,
		EQUAL_IMAGE,
		N_DISTINCT,
		NULL_FRAC,
		WIDTH,
		CORRELATION,
		MCF,
		N
	};
	static const char *const names[N] = { "relid", "attnum", "typlen", "typalign",
		"equal_image", "n_distinct", "null_frac", "width", "correlation", "mcf" };
	int at[N];

	rowset_cols(rs, names, N, at);
	s->columns = arena_zalloc(&s->arena, (size_t)rs->nrows + 1, sizeof(*s->columns));
	s->ncolumns = rs->nrows;
	for (int i = 0; i < rs->nrows; i++) {
		struct column *c = &s->columns[i];
		const struct cell *align = rowset_cell(rs, i, at[TYPALIGN]);
		const struct cell *distinct = rowset_cell(rs, i, at[N_DISTINCT]);

		c->relid = (uint32_t)cell_i64(rowset_cell(rs, i, at[RELID]), 0);
		c->attnum = (int)cell_i64(rowset_cell(rs, i, at[ATTNUM]), 0);
		c->has_stats = !cell_is_null(distinct);
		c->n_distinct = cell_num(distinct, -1);
		c->key = (struct size_key){
			.typlen = (int)cell_i64(rowset_cell(rs, i, at[TYPLEN]), -1),
			.align = align->type == CELL_TEXT && align->len ? *align->s : 0,
			.width = cell_num(rowset_cell(rs, i, at[WIDTH]), 0),
			.null_frac = cell_num(rowset_cell(rs, i, at[NULL_FRAC]), 0),
			.correlation = cell_num(rowset_cell(rs, i, at[CORRELATION]), 0),
			.equal_image = cell_i64(rowset_cell(rs, i, at[EQUAL_IMAGE]), 0) != 0,
		};
		c->key.freqs = read_floats(&s->arena, rowset_cell(rs, i, at[MCF]), &c->key.nfreqs);
	}
	qsort(s->columns, (size_t)s->ncolumns, sizeof(*s->columns), compare_columns);
}

static void
read_tables(struct sizing *s, const struct rowset *rs)
{
	s->tables = arena_zalloc(&s->arena, (size_t)rs->nrows + 1, sizeof(*s->tables));
	s->ntables = rs->nrows;
	for (int i = 0; i < rs->nrows; i++)
		s->tables[i] = (struct table){
			.relid = (uint32_t)cell_i64(rowset_get(rs, i, "relid"), 0),
			.rows = cell_num(rowset_get(rs, i, "reltuples"), -1),
			.block_size = (int)cell_i64(rowset_get(rs, i, "block_size"), 0),
		};
	qsort(s->tables, (size_t)s->ntables, sizeof(*s->tables), compare_tables);
}

static void
read_combinations(struct sizing *s, const struct rowset *rs)
{
	s->combinations = arena_zalloc(&s->arena, (size_t)rs->nrows + 1, sizeof(*s->combinations));
	for (int i = 0; i < rs->nrows; i++) {
		const struct cell *text = rowset_get(rs, i, "ndistinct");

		if (text->type == CELL_TEXT)
			s->combinations[s->ncombinations++] = (struct combination){
				.relid = (uint32_t)cell_i64(rowset_get(rs, i, "relid"), 0),
				.json = arena_strndup(&s->arena, text->s, text->len),
			};
	}
}

struct sizing *
sizing_new(const struct rowset *tables, const struct rowset *columns, const struct rowset *extended)
{
	struct sizing *s = xcalloc(1, sizeof(*s));

	read_tables(s, tables);
	read_columns(s, columns);
	if (extended)
		read_combinations(s, extended);
	return s;
}

void
sizing_free(struct sizing *s)
{
	if (!s)
		return;
	arena_release(&s->arena);
	free(s);
}

static int
compare_attnums(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

/* What CREATE STATISTICS has counted for these columns, in any order; 0 nothing. */
static double
combined(const struct sizing *s, const struct sizing_index *ix)
{
	int64_t sorted[SIZE_MAX_KEYS];
	char key[256] = "\"";
	size_t len = 1;

	memcpy(sorted, ix->attnums, sizeof(*sorted) * ix->nattnums);
	qsort(sorted, ix->nattnums, sizeof(*sorted), compare_attnums);
	for (size_t i = 0; i < ix->nattnums && len < sizeof(key) - 24; i++)
		len += (size_t)snprintf(
		    key + len, sizeof(key) - len, "%s%lld", i ? ", " : "", (long long)sorted[i]);
	snprintf(key + len, sizeof(key) - len, "\":");
	for (int i = 0; i < s->ncombinations; i++) {
		const char *at = s->combinations[i].relid == ix->relid ?
		    strstr(s->combinations[i].json, key) :
		    NULL;

		if (at)
			return strtod(at + strlen(key), NULL);
	}
	return 0;
}

bool
sizing_estimate(const struct sizing *s, const struct sizing_index *ix, struct size_estimate *out)
{
	struct size_key keys[SIZE_MAX_KEYS];
	const struct table wanted = { .relid = ix->relid };
	const struct table *t =
	    bsearch(&wanted, s->tables, (size_t)s->ntables, sizeof(*s->tables), compare_tables);
	double rows;

	if (!t || ix->nattnums < 1 || ix->nattnums > SIZE_MAX_KEYS)
		return false;
	rows = ix->rows >= 0 ? ix->rows : t->rows;
	if (rows < 0)
		return false;
	for (size_t i = 0; i < ix->nattnums; i++) {
		struct column key = { .relid = ix->relid, .attnum = (int)ix->attnums[i] };
		const struct column *c = bsearch(
		    &key, s->columns, (size_t)s->ncolumns, sizeof(*s->columns), compare_columns);

		if (!c || (!c->has_stats && c->key.typlen < 0))
			return false;
		keys[i] = c->key;
		if (ix->no_dedup)
			keys[i].equal_image = false;
		keys[i].ndistinct = c->n_distinct < 0 ? -c->n_distinct * rows : c->n_distinct;
	}
	*out = size_btree(&(struct size_index){
	    .rows = rows,
	    .keys = keys,
	    .nkeys = (int)ix->nattnums,
	    .ninclude = ix->ninclude,
	    .ndistinct = ix->nattnums > 1 ? combined(s, ix) : 0,
	    .is_unique = ix->is_unique,
	    .fillfactor = ix->fillfactor,
	    .block_size = t->block_size,
	});
	return true;
}
