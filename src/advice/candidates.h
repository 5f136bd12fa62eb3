/*
 * Candidate B-trees: for each table that a statement reads, equality columns by ascending
 * selectivity, then the sort order or one range; joins as equality; at last what makes the index
 * cover the statement. The same index wanted by several statements is one candidate.
 */
#ifndef PGMEDIC_ADVICE_CANDIDATES_H
#define PGMEDIC_ADVICE_CANDIDATES_H

#include <stdbool.h>
#include <stdint.h>

#include "advice/conditions.h"

enum { CAND_MAX = 192, CAND_MAX_KEYS = 6, CAND_MAX_PER_TABLE = 48 };

struct cand {
	struct cat_table *table;
	const struct cat_column *keys[CAND_MAX_KEYS];
	bool desc[CAND_MAX_KEYS], nulls_odd[CAND_MAX_KEYS]; /* NULLS LAST of DESC, FIRST of ASC */
	bool pattern[CAND_MAX_KEYS];                        /* text_pattern_ops */
	int nkeys;
	int ncore;         /* keys that search or sort; the others only cover */
	int neq;           /* leading keys of equality, whose order is free */
	double size_bytes; /* when built, all partitions */
	double height;     /* pages from the root to a leaf, with it */
	bool is_used;      /* by a plan of the first pass */
};

struct cand_set {
	uint64_t bits[CAND_MAX / 64];
};

struct cands {
	struct cand items[CAND_MAX];
	int n;
	struct arena *arena;
};

static inline bool
cand_has(const struct cand_set *set, int i)
{
	return set->bits[i / 64] >> (i % 64) & 1;
}
static inline void
cand_put(struct cand_set *set, int i)
{
	set->bits[i / 64] |= (uint64_t)1 << (i % 64);
}
static inline void
cand_cut(struct cand_set *set, int i)
{
	set->bits[i / 64] &= ~((uint64_t)1 << (i % 64));
}
struct cand_set cand_and(struct cand_set a, struct cand_set b);
struct cand_set cand_or(struct cand_set a, struct cand_set b);
bool cand_same(const struct cand_set *a, const struct cand_set *b);
bool cand_empty(const struct cand_set *set);
int cand_count(const struct cand_set *set);

/* Adds what a statement could use; *mine gets those of them that serve it. */
void cands_add(struct cands *cands, const struct needs *needs, struct cand_set *mine);
/* Permutations that serve two statements at once, to be called when all statements are in. */
void cands_merge(struct cands *cands);
/* Could the candidate serve this need at all: its first key is searched, joined or sorted by. */
bool cand_serves(const struct cand *cand, const struct need *need);
/* Is every key of a, in this order, at the beginning of b. */
bool cand_is_prefix(const struct cand *a, const struct cand *b);
/* Share of rows that an equality with an unknown value selects. */
double column_eq_share(const struct cat_column *col, double rows);

#endif
