/*
 * What the server knows of its tables: sizes, columns with their statistics, indexes, write
 * counters. Read once per run, constant afterwards.
 */
#ifndef PGMEDIC_ADVICE_CATALOG_H
#define PGMEDIC_ADVICE_CATALOG_H

#include <stdbool.h>
#include <stdint.h>

#include "base/mem.h"
#include "base/rowset.h"

struct cat_column {
	int attnum;
	const char *name, *type; /* format_type */
	bool c_collation;        /* bytewise: LIKE can use a plain B-tree */
	bool is_notnull, has_stats, is_sortable;
	bool equal_image; /* equal values are the same bytes */
	int typlen;
	char align;
	int width;
	double null_frac, correlation;
	double ndistinct; /* absolute; 0: unknown */
	const char **mcv; /* most common values, with their shares */
	double *freqs;
	int nmcv;
	const char **hist; /* bounds of equally filled buckets */
	int nhist;
};

enum { CAT_MAX_KEYS = 32 };
struct cat_index {
	uint32_t oid;
	const char *name, *method, *predicate, *exprs, *opclasses;
	bool is_unique, is_primary, is_valid;
	int nkeys;              /* without INCLUDE */
	int ncolumns;           /* with it */
	int keys[CAT_MAX_KEYS]; /* attnum; 0 an expression */
	bool desc[CAT_MAX_KEYS];
	int64_t size_bytes;
};

struct cat_table {
	uint32_t relid;
	const char *schema, *name;
	char kind; /* r m p */
	uint32_t parent;
	struct cat_table *root;   /* topmost partitioned table above, or itself */
	struct cat_table **parts; /* of a partitioned root: its leaves */
	int nparts;
	double rows, pages; /* of a partitioned root: sums of its leaves */
	int64_t index_bytes;
	double ins, upd, hot_upd, del; /* since stats_age_s */
	double stats_age_s;
	struct cat_column *columns;
	int ncolumns;
	struct cat_index *indexes;
	int nindexes;
};

struct catalog {
	struct arena arena;
	struct cat_table *tables; /* by relid */
	int ntables;
};

/* From the answers to advice_tables, advice_columns and advice_indexes; NULL ones are empty. A
 * partitioned table without statistics gets those of its largest partition. */
void catalog_build(struct catalog *cat, const struct rowset *tables, const struct rowset *columns,
    const struct rowset *indexes);
void catalog_release(struct catalog *cat);
struct cat_table *catalog_table(const struct catalog *cat, uint32_t relid);
struct cat_table *catalog_find(const struct catalog *cat, const char *schema, const char *name);
const struct cat_column *catalog_column(const struct cat_table *table, const char *name);
const struct cat_column *catalog_attnum(const struct cat_table *table, int attnum);
/* Can a B-tree sort it, and does it fit into one. */
bool catalog_is_sortable(const struct cat_column *col);
/* The texts of an array's text form, '{a,"b c",NULL}': count and *out in the arena. */
int catalog_array(struct arena *arena, const char *text, const char ***out);

#endif
