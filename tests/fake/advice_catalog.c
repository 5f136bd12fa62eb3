/* The catalogue as the queries would bring it. */
#include "config.h"

#include "fake/advice_catalog.h"

#include <stdlib.h>
#include <string.h>

static const char *const table_names[] = { "relid", "schema", "table", "kind", "root", "reltuples",
	"pages", "index_bytes" };
static const uint8_t table_types[] = { CELL_INT, CELL_TEXT, CELL_TEXT, CELL_TEXT, CELL_INT,
	CELL_FLOAT, CELL_INT, CELL_INT };
static const struct {
	int relid;
	const char *name, *kind;
	int root, rows, pages;
} tables[] = {
	{ 1, "orders", "r", 0, 200000, 4000 },
	{ 2, "items", "r", 0, 400000, 3000 },
	{ 3, "metrics", "p", 0, 0, 0 },
	{ 4, "metrics_1", "r", 3, 100000, 1000 },
	{ 5, "metrics_2", "r", 3, 300000, 3000 },
};

static const char *const column_names[] = { "relid", "attnum", "name", "type", "typlen", "not_null",
	"has_opclass", "equal_image", "c_collation", "n_distinct", "null_frac", "width",
	"correlation", "mcv", "mcf", "hist" };
static const uint8_t column_types[] = { CELL_INT, CELL_INT, CELL_TEXT, CELL_TEXT, CELL_INT,
	CELL_BOOL, CELL_BOOL, CELL_BOOL, CELL_BOOL, CELL_FLOAT, CELL_FLOAT, CELL_INT, CELL_FLOAT,
	CELL_TEXT, CELL_TEXT, CELL_TEXT };
static const struct {
	int relid, attnum;
	const char *name, *type;
	bool sortable, c_collation;
	double ndistinct, null_frac, correlation;
	const char *mcv, *mcf, *hist;
} columns[] = {
	{ 1, 1, "id", "bigint", true, false, -1, 0, 1, NULL, NULL,
	    "{1,50000,100000,150000,200000}" },
	{ 1, 2, "customer_id", "integer", true, false, 10000, 0, 0.01, NULL, NULL,
	    "{1,2500,5000,7500,10000}" },
	{ 1, 3, "status", "text", true, false, 3, 0, 0.5, "{done,open,\"on hold\"}",
	    "{0.98,0.015,0.005}", NULL },
	{ 1, 4, "created_at", "timestamp with time zone", true, false, -1, 0, 0.99, NULL, NULL,
	    "{\"2025-01-01 00:00:00+00\",\"2025-04-01 00:00:00+00\",\"2025-07-01 00:00:00+00\",\"2025-10-01 00:00:00+00\",\"2025-12-31 00:00:00+00\"}" },
	{ 1, 5, "total", "numeric", true, false, -0.5, 0, 0, NULL, NULL, "{1,20,300,4000}" },
	{ 1, 6, "email", "text", true, false, -0.9, 0, 0, NULL, NULL,
	    "{anna@x.org,bert@x.org,carl@x.org,dora@x.org,emil@x.org,fred@x.org,gina@x.org,hans@x.org,ivan@x.org,jane@x.org}" },
	{ 1, 7, "doc", "jsonb", false, false, 0, 0, 0, NULL, NULL, NULL },
	{ 1, 8, "paid_at", "date", true, false, 300, 0.99, 0, NULL, NULL, NULL },
	{ 2, 1, "order_id", "bigint", true, false, 150000, 0, 0.1, NULL, NULL,
	    "{1,50000,100000,150000,200000}" },
	{ 2, 2, "qty", "integer", true, false, 20, 0, 0, "{1,2}", "{0.5,0.3}", NULL },
	{ 3, 1, "sensor", "integer", true, false, 0, 0, 0, NULL, NULL, NULL },
	{ 3, 2, "at", "date", true, false, 0, 0, 0, NULL, NULL, NULL },
	{ 5, 1, "sensor", "integer", true, false, 500, 0, 0, NULL, NULL, "{1,125,250,375,500}" },
	{ 5, 2, "at", "date", true, false, 365, 0, 1, NULL, NULL,
	    "{2025-01-01,2025-06-01,2025-12-31}" },
};

static const char *const index_names[] = { "indexrelid", "relid", "index", "method", "is_unique",
	"is_valid", "nkeys", "keys", "options" };
static const uint8_t index_types[] = { CELL_INT, CELL_INT, CELL_TEXT, CELL_TEXT, CELL_BOOL,
	CELL_BOOL, CELL_INT, CELL_INTS, CELL_INTS };

static struct rowset *
make_tables(void)
{
	struct rowset *rs = rowset_new((int)ARRAY_LEN(table_names), table_names, table_types);

	for (size_t i = 0; i < ARRAY_LEN(tables); i++) {
		struct cell *c = rowset_add(rs);

		c[0] = cell_int(tables[i].relid);
		c[1] = cell_text("shop");
		c[2] = cell_text(tables[i].name);
		c[3] = cell_text(tables[i].kind);
		c[4] = tables[i].root ? cell_int(tables[i].root) : cell_null(WHY_NONE);
		c[5] = cell_float(tables[i].rows);
		c[6] = cell_int(tables[i].pages);
		c[7] = cell_int(0);
	}
	return rs;
}

static struct rowset *
make_columns(void)
{
	struct rowset *rs = rowset_new((int)ARRAY_LEN(column_names), column_names, column_types);

	for (size_t i = 0; i < ARRAY_LEN(columns); i++) {
		struct cell *c = rowset_add(rs);
		bool is_text = strcmp(columns[i].type, "text") == 0;

		c[0] = cell_int(columns[i].relid);
		c[1] = cell_int(columns[i].attnum);
		c[2] = cell_text(columns[i].name);
		c[3] = cell_text(columns[i].type);
		c[4] = cell_int(is_text ? -1 : 8);
		c[5] = cell_bool(columns[i].attnum == 1);
		c[6] = cell_bool(columns[i].sortable);
		c[7] = cell_bool(true);
		c[8] = cell_bool(columns[i].c_collation);
		if (columns[i].ndistinct != 0) {
			c[9] = cell_float(columns[i].ndistinct);
			c[10] = cell_float(columns[i].null_frac);
			c[11] = cell_int(is_text ? 12 : 8);
			c[12] = cell_float(columns[i].correlation);
		}
		c[13] = cell_text(columns[i].mcv);
		c[14] = cell_text(columns[i].mcf);
		c[15] = cell_text(columns[i].hist);
	}
	return rs;
}

/* The primary key of orders. */
static struct rowset *
make_indexes(void)
{
	static const int64_t keys[] = { 1 }, options[] = { 0 };
	struct rowset *rs = rowset_new((int)ARRAY_LEN(index_names), index_names, index_types);
	struct cell *c = rowset_add(rs);

	c[0] = cell_int(100);
	c[1] = cell_int(1);
	c[2] = cell_text("orders_pkey");
	c[3] = cell_text("btree");
	c[4] = c[5] = cell_bool(true);
	c[6] = cell_int(1);
	c[7] = (struct cell){ .ints = keys, .len = 1, .type = CELL_INTS };
	c[8] = (struct cell){ .ints = options, .len = 1, .type = CELL_INTS };
	return rs;
}

void
fake_catalog(struct catalog *cat)
{
	struct rowset *t = make_tables(), *c = make_columns(), *x = make_indexes();

	*cat = (struct catalog){ 0 };
	catalog_build(cat, t, c, x);
	rowset_unref(t);
	rowset_unref(c);
	rowset_unref(x);
}

struct needs *
fake_needs(struct arena *arena, const struct catalog *cat, const char *json)
{
	struct error err = { 0 };
	struct plan *plan = plan_read(arena, json, strlen(json), &err);

	if (!plan)
		fatal("plan: %s", err.what);
	return needs_read(arena, plan, cat);
}
