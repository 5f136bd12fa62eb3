/* The rowsets as tables, indexes and foreign keys; counters of partitions go to their parents. */
#include "config.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "advice/drop_priv.h"

static const char *
text(struct drop *d, const struct rowset *rs, int row, const char *name)
{
	const struct cell *c = rowset_get(rs, row, name);

	return c->type == CELL_TEXT ? arena_strndup(&d->list->arena, c->s, c->len) : NULL;
}

static char
letter(const struct rowset *rs, int row, const char *name)
{
	const struct cell *c = rowset_get(rs, row, name);

	return c->type == CELL_TEXT && c->len ? *c->s : '\0';
}

static double
number(const struct rowset *rs, int row, const char *name, double none)
{
	return cell_num(rowset_get(rs, row, name), none);
}

static bool
is_true(const struct rowset *rs, int row, const char *name)
{
	return cell_i64(rowset_get(rs, row, name), 0) != 0;
}

static uint32_t
oid(const struct rowset *rs, int row, const char *name)
{
	return (uint32_t)cell_i64(rowset_get(rs, row, name), 0);
}

static int
ints(const struct rowset *rs, int row, const char *name, int64_t *out)
{
	const struct cell *c = rowset_get(rs, row, name);
	int n = c->type == CELL_INTS ? (int)c->len : 0;

	if (n > DROP_MAX_KEYS)
		n = DROP_MAX_KEYS;
	for (int i = 0; i < n; i++)
		out[i] = c->ints[i];
	return n;
}

static int
compare_tables(const void *a, const void *b)
{
	const struct drop_table *x = a, *y = b;

	return (x->relid > y->relid) - (x->relid < y->relid);
}

struct drop_table *
drop_table_of(const struct drop *d, uint32_t relid)
{
	const struct drop_table wanted = { .relid = relid };

	return d->ntables ?
	    bsearch(&wanted, d->tables, (size_t)d->ntables, sizeof(*d->tables), compare_tables) :
	    NULL;
}

static void
read_tables(struct drop *d)
{
	const struct rowset *rs = d->in->tables;

	d->tables = arena_zalloc(&d->list->arena, (size_t)rs->nrows + 1, sizeof(*d->tables));
	d->ntables = rs->nrows;
	d->is_standby = rs->nrows > 0 && is_true(rs, 0, "is_standby");
	for (int i = 0; i < rs->nrows; i++)
		d->tables[i] = (struct drop_table){
			.relid = oid(rs, i, "relid"),
			.parent = oid(rs, i, "parent"),
			.root = oid(rs, i, "root"),
			.schema = text(d, rs, i, "schema"),
			.name = text(d, rs, i, "table"),
			.kind = letter(rs, i, "kind"),
			.rows = number(rs, i, "reltuples", -1),
			.pages = number(rs, i, "pages", 0),
			.ins = number(rs, i, "ins", 0),
			.upd = number(rs, i, "upd", 0),
			.hot_upd = number(rs, i, "hot_upd", 0),
			.del = number(rs, i, "del", 0),
			.block_size = number(rs, i, "block_size", 8192),
			.stats_age_s = number(rs, i, "stats_age_s", -1),
			.is_analyzed = !cell_is_null(rowset_get(rs, i, "last_analyze")),
			.mod_since_analyze = number(rs, i, "mod_since_analyze", 0),
		};
	qsort(d->tables, (size_t)d->ntables, sizeof(*d->tables), compare_tables);
	/* a partitioned table is as large and as busy as its leaves */
	for (int i = 0; i < d->ntables; i++) {
		struct drop_table *t = &d->tables[i], *up = t;

		for (int depth = 0; t->kind != 'p' && up && up->parent && depth < 10; depth++) {
			up = drop_table_of(d, up->parent);
			if (!up || up->kind != 'p')
				break;
			up->rows = fmax(up->rows, 0) + fmax(t->rows, 0);
			up->pages += t->pages;
			up->ins += t->ins;
			up->upd += t->upd;
			up->hot_upd += t->hot_upd;
			up->del += t->del;
		}
	}
}

static void
read_index(struct drop *d, const struct rowset *rs, int i, struct drop_index *ix)
{
	const char *parts = text(d, rs, i, "parts");
	int64_t options[DROP_MAX_KEYS] = { 0 };

	*ix = (struct drop_index){
		.oid = oid(rs, i, "indexrelid"),
		.relid = oid(rs, i, "relid"),
		.parent = oid(rs, i, "parent"),
		.schema = text(d, rs, i, "schema"),
		.name = text(d, rs, i, "index"),
		.method = text(d, rs, i, "method"),
		.pred = text(d, rs, i, "pred"),
		.definition = text(d, rs, i, "definition"),
		.constraint = text(d, rs, i, "constraint_name"),
		.kind = letter(rs, i, "kind"),
		.is_unique = is_true(rs, i, "is_unique"),
		.is_primary = is_true(rs, i, "is_primary"),
		.is_exclusion = is_true(rs, i, "is_exclusion"),
		.is_immediate = is_true(rs, i, "is_immediate"),
		.is_valid = is_true(rs, i, "is_valid") && is_true(rs, i, "is_ready"),
		.is_replident = is_true(rs, i, "is_replident"),
		.is_clustered = is_true(rs, i, "is_clustered"),
		.nulls_not_distinct = is_true(rs, i, "nulls_not_distinct"),
		.is_deferrable = is_true(rs, i, "is_deferrable"),
		.is_extension = is_true(rs, i, "is_extension"),
		.equal_image = is_true(rs, i, "equal_image"),
		.building = is_true(rs, i, "building"),
		.referenced = (int)number(rs, i, "referenced", 0),
		.fillfactor = (int)number(rs, i, "fillfactor", 90),
		.pages = number(rs, i, "pages", 0),
		.rows = number(rs, i, "reltuples", -1),
		.scans = number(rs, i, "scans", 0),
		.fetched = number(rs, i, "fetched", 0),
		.last_scan_age_s = number(rs, i, "last_scan_age_s", -1),
		.made_age_s = number(rs, i, "made_age_s", -1),
		.standby_age_s = -1,
	};
	ix->table = drop_table_of(d, ix->relid);
	ix->ncolumns = ints(rs, i, "keys", ix->keys);
	ix->nkeys = (int)number(rs, i, "nkeys", ix->ncolumns);
	if (ix->nkeys > ix->ncolumns)
		ix->nkeys = ix->ncolumns;
	ints(rs, i, "opclass_ids", ix->opclass);
	ints(rs, i, "collations", ix->collation);
	ints(rs, i, "options", options);
	for (int k = 0; k < DROP_MAX_KEYS; k++)
		ix->options[k] = (int)options[k];
	if (catalog_array(&d->list->arena, parts, &ix->parts) < ix->ncolumns)
		ix->ncolumns = ix->nkeys = 0;
}

static struct drop_index *
index_of(struct drop *d, uint32_t wanted)
{
	uint64_t at;

	return hmap_get(&d->by_oid, wanted, &at) ? &d->indexes[at] : NULL;
}

static void
read_indexes(struct drop *d)
{
	const struct rowset *rs = d->in->indexes;

	d->indexes = arena_zalloc(&d->list->arena, (size_t)rs->nrows + 1, sizeof(*d->indexes));
	for (int i = 0; i < rs->nrows; i++) {
		struct drop_index *ix = &d->indexes[d->nindexes];

		if (!is_true(rs, i, "is_live"))
			continue;
		read_index(d, rs, i, ix);
		if (!ix->table || !ix->name || !ix->method || ix->ncolumns == 0)
			continue;
		hmap_put(&d->by_oid, ix->oid, (uint64_t)d->nindexes);
		if (!ix->table->nindexes++)
			ix->table->first = d->nindexes;
		d->nindexes++;
	}
	/* one that is part of another is dropped with it, and used when any part is */
	for (int i = 0; i < d->nindexes; i++) {
		struct drop_index *ix = &d->indexes[i], *up = ix;

		for (int depth = 0; ix->kind == 'i' && up && up->parent && depth < 10; depth++) {
			up = index_of(d, up->parent);
			if (!up)
				break;
			up->pages += ix->pages;
			up->rows = fmax(up->rows, 0) + fmax(ix->rows, 0);
			up->scans += ix->scans;
			up->fetched += ix->fetched;
			up->building |= ix->building;
			up->is_replident |= ix->is_replident;
			up->is_clustered |= ix->is_clustered;
			if (ix->last_scan_age_s >= 0 &&
			    (up->last_scan_age_s < 0 || ix->last_scan_age_s < up->last_scan_age_s))
				up->last_scan_age_s = ix->last_scan_age_s;
		}
	}
}

static uint64_t
name_hash(const char *schema, size_t schema_len, const char *name, size_t len)
{
	return hash_bytes(hash_bytes(0, schema, schema_len) + 1, name, len);
}

static void
read_standbys(struct drop *d)
{
	const struct rowset *rs = d->in->standby_scans;
	struct hmap by_name = { 0 };

	for (int i = 0; rs && i < d->nindexes; i++)
		hmap_put(&by_name,
		    name_hash(d->indexes[i].schema, strlen(d->indexes[i].schema),
		        d->indexes[i].name, strlen(d->indexes[i].name)),
		    (uint64_t)i);
	for (int r = 0; rs && r < rs->nrows; r++) {
		const struct cell *schema = rowset_get(rs, r, "schema"),
		                  *name = rowset_get(rs, r, "index");
		double scans = number(rs, r, "scans", 0), age = number(rs, r, "stats_age_s", 0);

		struct drop_index *up;
		uint64_t at;

		if (schema->type != CELL_TEXT || name->type != CELL_TEXT ||
		    !hmap_get(&by_name, name_hash(schema->s, schema->len, name->s, name->len), &at))
			continue;
		up = &d->indexes[at];
		for (int depth = 0; up && depth < 10; depth++) {
			up->standby_scans += scans;
			if (scans > 0)
				up->standby = text(d, rs, r, "standby");
			if (up->standby_age_s < 0 || age < up->standby_age_s)
				up->standby_age_s = fmax(age, 0);
			up = up->parent ? index_of(d, up->parent) : NULL;
		}
	}
	hmap_release(&by_name);
}

static void
read_fkeys(struct drop *d)
{
	const struct rowset *rs = d->in->fkeys;

	d->fkeys = arena_zalloc(&d->list->arena, (size_t)rs->nrows + 1, sizeof(*d->fkeys));
	for (int i = 0; i < rs->nrows; i++) {
		struct drop_fkey *fk = &d->fkeys[d->nfkeys];

		*fk = (struct drop_fkey){
			.name = text(d, rs, i, "name"),
			.ref_schema = text(d, rs, i, "ref_schema"),
			.ref_table = text(d, rs, i, "ref_table"),
			.table = drop_table_of(d, oid(rs, i, "relid")),
			.ref = drop_table_of(d, oid(rs, i, "refrelid")),
			.on_update = letter(rs, i, "on_update"),
			.on_delete = letter(rs, i, "on_delete"),
		};
		fk->nkeys = ints(rs, i, "keys", fk->keys);
		d->nfkeys += fk->table && fk->ref && fk->nkeys > 0 && fk->name;
	}
}

void
drop_read(struct drop *d)
{
	read_tables(d);
	read_indexes(d);
	read_standbys(d);
	read_fkeys(d);
}
