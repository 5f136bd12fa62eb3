/* Between drop.c, drop_rows.c, drop_cover.c and drop_fk.c. */
#ifndef PGMEDIC_ADVICE_DROP_PRIV_H
#define PGMEDIC_ADVICE_DROP_PRIV_H

#include "advice/drop.h"
#include "base/hmap.h"

enum { DROP_MAX_KEYS = 32 };

struct drop_table {
	int first, nindexes; /* of the indexes, which are by table */
	uint32_t relid, parent, root;
	const char *schema, *name;
	char kind;
	double rows, pages, ins, upd, hot_upd, del;
	double block_size;
	double stats_age_s; /* < 0: unknown */
	bool is_analyzed;
	double mod_since_analyze; /* rows changed since */
};

struct drop_index {
	uint32_t oid, relid, parent;
	struct drop_table *table;
	const char *schema, *name, *method, *pred, *definition;
	const char *constraint; /* name of the one it serves, or NULL */
	char kind;              /* i, or I of a partitioned table */
	int nkeys, ncolumns;    /* without and with INCLUDE */
	int64_t keys[DROP_MAX_KEYS], opclass[DROP_MAX_KEYS], collation[DROP_MAX_KEYS];
	int options[DROP_MAX_KEYS];
	const char **parts; /* [ncolumns] definitions of the columns */
	bool is_unique, is_primary, is_exclusion, is_immediate, is_valid, is_replident,
	    is_clustered;
	bool nulls_not_distinct, is_deferrable, is_extension, equal_image, building;
	int referenced, fillfactor;
	double pages, rows, scans, fetched; /* those of partitions in it, for kind I */
	double last_scan_age_s, made_age_s; /* < 0: unknown */
	/* of standbys */
	double standby_scans, standby_age_s; /* the youngest statistics of one; < 0: none asked */
	const char *standby;                 /* one that scans it */
	/* decided */
	bool is_dropped;
};

struct drop_fkey {
	const char *name, *schema, *table_name, *ref_schema, *ref_table;
	struct drop_table *table, *ref;
	int64_t keys[DROP_MAX_KEYS];
	int nkeys;
	char on_update, on_delete;
};

struct drop {
	const struct drop_input *in;
	struct advice_list *list;
	struct drop_outcome *out;
	struct drop_table *tables;
	struct drop_index *indexes; /* by table */
	struct drop_fkey *fkeys;
	int ntables, nindexes, nfkeys;
	bool is_standby;
	struct hmap by_oid; /* indexes */
};

void drop_read(struct drop *d);
struct drop_table *drop_table_of(const struct drop *d, uint32_t relid);
/* Does the index serve look-ups of the foreign key: its first columns are the key's, in any order?
 */
bool drop_serves(const struct drop_index *ix, const struct drop_fkey *fk);
/* Another index would serve all that a serves, and as well; b is not asked to be kept. */
bool drop_covers(const struct drop_index *a, const struct drop_index *b);
/* Is it bound to be there: constraints, replica identity, an extension? */
bool drop_is_bound(const struct drop_index *ix);
void drop_covered(struct drop *d);
void drop_foreign_keys(struct drop *d);
/* An item to drop it, with DDL, lock, size and columns. */
struct advice_item *drop_item(struct drop *d, struct drop_index *ix, enum advice_kind kind);
const char *drop_name(struct drop *d, const struct drop_index *ix);

#endif
