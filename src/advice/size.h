/*
 * How large a B-tree is right after it was built. Follows what CREATE INDEX does from version 13 on
 * (nbtsort.c, nbtdedup.c): tuples of equal keys become posting lists of at most a tenth of a page,
 * unless the index is unique, covers columns or has keys whose equal values may differ in their
 * bytes; leaves are filled to the fillfactor, pages above them to 70 %. Pure.
 */
#ifndef PGMEDIC_ADVICE_SIZE_H
#define PGMEDIC_ADVICE_SIZE_H

#include <stdbool.h>

enum { SIZE_MAX_KEYS = 32 };

struct size_key {
	int typlen;   /* of the type, -1 and -2: varying */
	char align;   /* pg_attribute.attalign: c s i d; 0: by typlen */
	double width; /* average bytes as pg_stats has them; <= 0: a guess by typlen */
	double
	    ndistinct; /* of values that are not NULL, absolute; <= 0: unknown, taken as unique */
	double null_frac;    /* 0..1 */
	double correlation;  /* with the physical order, -1..1; 0 unknown */
	bool equal_image;    /* equal values are the same bytes */
	const double *freqs; /* of the most common values, shares of all rows; NULL: none known */
	int nfreqs;
};

struct size_index {
	double rows;
	const struct size_key *keys;
	int nkeys;        /* with the columns of INCLUDE */
	int ninclude;     /* the last ones, which only cover */
	double ndistinct; /* of the combination, from extended statistics; <= 0: unknown */
	bool is_unique;
	int fillfactor; /* 0: 90 */
	int block_size; /* 0: 8192 */
};

struct size_estimate {
	double bytes;
	double pages;  /* with the metapage */
	double leaves; /* of those */
	int height;    /* pages from the root to a leaf, both counted */
	double ndistinct;
};

/* Never less than two pages, a metapage and a root, as an empty one has after its first row. */
struct size_estimate size_btree(const struct size_index *ix);
/* Distinct combinations of n keys, by their own numbers: the product where they are independent, no
 * more than the rows, fewer where both follow the physical order and so each other. */
double size_distinct(const struct size_key *keys, int n, double rows);

#endif
