/*
 * One piece of advice, with all that PROBE_ADVICE shows, and the list that a run gathers. Texts and
 * arrays live in the list's arena. Helpers copy what they are given.
 */
#ifndef PGMEDIC_ADVICE_ITEM_H
#define PGMEDIC_ADVICE_ITEM_H

#include <stdbool.h>
#include <stdint.h>

#include "advice/advice.h"
#include "base/mem.h"
#include "base/rowset.h"

enum advice_action { ADVICE_CREATE, ADVICE_DROP, ADVICE_REINDEX };
/* Who says so: the planner with a hypothetical index, our model of it, or a rule of thumb. */
enum advice_confidence { ADVICE_WHAT_IF, ADVICE_MODELLED, ADVICE_HEURISTIC };

struct advice_item {
	enum advice_action action;
	enum advice_kind kind;
	enum advice_confidence confidence;
	const char *schema, *table;
	const char *index;    /* existing index it is about; NULL: none */
	const char *name;     /* of the index to be made; NULL: none */
	const char *parent;   /* of a foreign key: the table it refers to; NULL: none */
	const char **columns; /* plain names or expressions, as pg_get_indexdef has them */
	int ncolumns;
	const char *method; /* btree unless set */
	const char *ddl;    /* one command a line; no ';' at the end */
	const char *reason; /* one line, lower case, no full stop */
	const char **caveats;
	int ncaveats;
	int64_t *statements; /* query ids it helps */
	int nstatements;
	double saving_pct;  /* of the database's statement time, expected; NAN: unknown */
	int64_t size_bytes; /* of the index: to be made, or freed by a drop; -1: unknown */
	double build_s;     /* NAN: unknown or does not apply */
	const char *lock;   /* what the command takes and waits for */
	const char *key;    /* identity between runs: set by advice_item_key() */
	double score;       /* order in the list: higher first, compared within the same action */
};

struct advice_list {
	struct arena arena;
	struct advice_item *items;
	int n, cap;
};

/* A zeroed list is empty and valid. */
void advice_list_release(struct advice_list *list);
/* A new item: method btree, figures unknown. The pointer is valid until the next add. */
struct advice_item *advice_list_add(struct advice_list *list, enum advice_action action,
    enum advice_kind kind, const char *schema, const char *table);
void advice_item_column(
    struct advice_list *list, struct advice_item *item, const char *name, size_t len);
/* Added once, however often it is said. */
void advice_item_caveat(struct advice_list *list, struct advice_item *item, const char *fmt, ...)
    PRINTF_LIKE(3, 4);
void advice_item_statement(struct advice_list *list, struct advice_item *item, int64_t queryid);
/* The key from action, kind, table, index, method and columns, unless it is set. */
void advice_item_key(struct advice_list *list, struct advice_item *item);
/* Sort: create, then reindex, then drop; each by score. */
void advice_list_sort(struct advice_list *list);
/* The rows of PROBE_ADVICE, ranked from 1 as the list is ordered. */
struct rowset *advice_list_rows(struct advice_list *list);

/* An identifier as DDL needs it, in the arena: quoted only where it must be. */
const char *advice_ident(struct arena *arena, const char *name);
/* "schema.table", quoted where needed. */
const char *advice_qualified(struct arena *arena, const char *schema, const char *table);
const char *advice_action_name(enum advice_action action);
const char *advice_confidence_name(enum advice_confidence c);
const char *advice_kind_name(enum advice_kind kind);

#endif
