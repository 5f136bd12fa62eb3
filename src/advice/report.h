/* From what the search chose to advice items and the rowsets of the sink. */
#ifndef PGMEDIC_ADVICE_REPORT_H
#define PGMEDIC_ADVICE_REPORT_H

#include "advice/item.h"
#include "advice/search.h"

/* An index to be made, of any kind. */
struct report_index {
	const struct cat_table *table;
	const char *method;               /* NULL: btree */
	const char *keys[CAND_MAX_KEYS];  /* as in the DDL: quoted, with opclass, DESC */
	const char *names[CAND_MAX_KEYS]; /* plain columns or expressions */
	int nkeys;                        /* the first of them search, */
	int nall;                         /* the others only cover */
	const char *predicate;
	double size_bytes;
};

/* Adds an item with DDL, name, size, build time and lock. */
struct advice_item *report_create(struct advice_list *list, const struct catalog *cat,
    enum advice_kind kind, const struct report_index *ix);
/* An item for each chosen candidate. */
void report_chosen(struct advice_list *list, const struct catalog *cat, const struct search *sr);
/* Why each statement without advice gets none. */
void report_reasons(const struct search *sr);
/* Rows of PROBE_ADVICE_STATEMENTS. */
struct rowset *report_statements(struct advice_list *list, const struct workload *wl);
/* What an item saves of a statement, for kinds that the search did not choose. */
void report_helped(struct advice_list *list, struct advice_item *item, struct statement *s,
    double ratio, const char *wanted);

/*
 * Foreign keys' indexes: those that an index to be made serves too go, the others are credited with
 * the deletes and updates of their parent, whose triggers no plan shows but whose buffers count.
 */
void report_foreign_keys(struct advice_list *list, const struct catalog *cat, struct workload *wl);

#endif
