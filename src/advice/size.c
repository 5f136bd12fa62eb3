#include "config.h"

#include "advice/size.h"

#include <math.h>
#include <string.h>

/* Of the server's page and tuple formats: bufpage.h, itup.h, nbtree.h. */
enum {
	PAGE_HEADER = 24,
	PAGE_SPECIAL = 16,
	LINE_POINTER = 4,
	TUPLE_HEADER = 8,
	TUPLE_HEADER_NULLS = 16, /* with the bitmap, aligned */
	TID = 6,
	MAX_ALIGN = 8,
	NONLEAF_FILLFACTOR = 70,
	DEFAULT_FILLFACTOR = 90,
	DEFAULT_BLOCK = 8192,
	SHORT_VARLENA = 126,
	SPLIT_KEYS = 6, /* 4 parts by each */
};

static double
align_to(double size, double align)
{
	return ceil(size / align) * align;
}

static double
alignment(const struct size_key *k)
{
	switch (k->align) {
	case 'c':
		return 1;
	case 's':
		return 2;
	case 'i':
		return 4;
	case 'd':
		return 8;
	}
	return k->typlen == 1 || k->typlen == 2 || k->typlen == 4 ? k->typlen :
	    k->typlen < 0                                         ? 4 :
	                                                            8;
}

/* Bytes behind `at` that the value ends at. Short values of varying length are not aligned. */
static double
add_value(double at, const struct size_key *k)
{
	double width = k->typlen > 0 ? k->typlen : k->width > 0 ? k->width : 16;

	if (k->typlen > 0 || width > SHORT_VARLENA)
		at = align_to(at, alignment(k));
	return at + width;
}

/* A tuple with all values, and with the NULLs that its rows have on average. */
static double
tuple_bytes(const struct size_key *keys, int n)
{
	double full = 0, present = 0, share_full = 1;

	for (int i = 0; i < n; i++) {
		double before = full;

		full = add_value(full, &keys[i]);
		present += (full - before) * (1 - keys[i].null_frac);
		share_full *= 1 - keys[i].null_frac;
	}
	full = align_to(TUPLE_HEADER + full, MAX_ALIGN);
	if (share_full >= 1)
		return full;
	return share_full * full +
	    (1 - share_full) * align_to(TUPLE_HEADER_NULLS + present, MAX_ALIGN);
}

/* Bytes in the leaves of one key that n rows have, line pointers counted; n need not be whole. */
static double
group_bytes(double base, double n, double max_posting)
{
	double most = floor((floor(max_posting / MAX_ALIGN) * MAX_ALIGN - base) / TID);
	double whole, rest, low, bytes;

	if (most < 2 || n <= 1)
		return fmax(n, 1) * (base + LINE_POINTER);
	whole = floor(n / most);
	rest = n - whole * most;
	bytes = whole * (align_to(base + TID * most, MAX_ALIGN) + LINE_POINTER);
	if (rest <= 0)
		return bytes;
	if (rest < 1)
		return bytes + rest * (base + LINE_POINTER);
	low = floor(rest);
	/* between two whole numbers of rows, some keys have the one and some the other */
	for (int i = 0; i < 2; i++) {
		double share = i ? rest - low : 1 - (rest - low), k = low + i;

		bytes += share *
		    (k > 1 ? align_to(base + TID * k, MAX_ALIGN) + LINE_POINTER :
		             base + LINE_POINTER);
	}
	return bytes;
}

/* Keys with n rows on average each, where the numbers vary as they do by chance: one of them in
 * 1 - exp(-n) is alone. Only matters where there are few. */
static double
varied_bytes(double base, double keys, double rows, double max_posting)
{
	double mean = rows / keys, bytes = 0, p, lambda = mean;

	if (mean <= 1.02 || mean > 8)
		return keys * group_bytes(base, mean, max_posting);
	/* the mean of a Poisson distribution without its zeroes is mean */
	for (int i = 0; i < 30; i++)
		lambda = mean * (1 - exp(-lambda));
	p = exp(-lambda) / (1 - exp(-lambda));
	for (int k = 1; k < 40; k++) {
		p *= lambda / k;
		bytes += p * group_bytes(base, k, max_posting);
	}
	/* half way to keys that all have the same number */
	return keys * (bytes + group_bytes(base, mean, max_posting)) / 2;
}

double
size_distinct(const struct size_key *keys, int n, double rows)
{
	double product = 1, largest = 1, follows = 1, expected;
	int nfollow = 0;

	for (int i = 0; i < n; i++) {
		double d = keys[i].ndistinct > 0 ? keys[i].ndistinct : rows;

		d = fmax(1, fmin(d + (keys[i].null_frac > 0), rows));
		largest = fmax(largest, d);
		if (fabs(keys[i].correlation) > 0.9 && d > 1) {
			follows = fmax(follows, d);
			nfollow++;
		} else {
			product *= d;
		}
	}
	/* those that follow the physical order follow one another, some values shifted */
	if (nfollow > 0)
		product *= nfollow > 1 ? follows * 1.5 : follows;
	/* so many of the combinations come up in so many rows */
	expected = product < 1e15 ? product * -expm1(-rows / product) : rows;
	return fmax(largest, fmin(expected, rows));
}

static bool
is_deduplicated(const struct size_index *ix)
{
	if (ix->is_unique || ix->ninclude > 0)
		return false;
	for (int i = 0; i < ix->nkeys; i++)
		if (!ix->keys[i].equal_image)
			return false;
	return true;
}

/* One key: its most common values and NULLs are long posting lists, the others share what is left.
 */
static double
single_bytes(const struct size_key *k, double rows, double base, double max_posting)
{
	double nulls = rows * k->null_frac, left = rows - nulls, bytes = 0;
	double distinct = k->ndistinct > 0 ? fmin(k->ndistinct, left) : left;

	base = align_to(TUPLE_HEADER + add_value(0, k), MAX_ALIGN);
	if (nulls >= 1)
		bytes += group_bytes(TUPLE_HEADER_NULLS, nulls, max_posting);
	for (int i = 0; i < k->nfreqs && k->freqs; i++) {
		double n = rows * k->freqs[i];

		if (n < 1 || n > left || distinct <= 1)
			break;
		bytes += group_bytes(base, n, max_posting);
		left -= n;
		distinct--;
	}
	if (left < 1)
		return bytes;
	return bytes + varied_bytes(base, fmax(1, fmin(distinct, left)), left, max_posting);
}

/* Some of the rows: those whose keys are NULL, or one very common value, in some columns. */
struct cell_of_rows {
	double rows;
	bool is_fixed[SIZE_MAX_KEYS], is_null[SIZE_MAX_KEYS];
};

/*
 * Without extended statistics nobody knows how two columns go together, and between "each pair is
 * seen once" and "the one says the other" the size varies three- to sevenfold. Mostly they are more
 * independent than not: the estimate is drawn two fifths of the way (in logarithms) to the other
 * end.
 */
static double
cell_bytes(const struct size_index *ix, const struct cell_of_rows *cell, double max_posting,
    double *distinct)
{
	struct size_key free_keys[SIZE_MAX_KEYS], present[SIZE_MAX_KEYS] = { { 0 } };
	double largest = 1, upper, lower, base;
	int nfree = 0, npresent = 0;

	for (int i = 0; i < ix->nkeys; i++) {
		if (cell->is_null[i])
			continue;
		present[npresent] = ix->keys[i];
		present[npresent++].null_frac = 0;
		if (cell->is_fixed[i])
			continue;
		free_keys[nfree] = ix->keys[i];
		free_keys[nfree].null_frac = 0;
		largest = fmax(largest,
		    fmin(free_keys[nfree].ndistinct > 0 ? free_keys[nfree].ndistinct : cell->rows,
		        cell->rows));
		nfree++;
	}
	base = tuple_bytes(present, npresent);
	if (npresent < ix->nkeys)
		base = align_to(base + TUPLE_HEADER_NULLS - TUPLE_HEADER, MAX_ALIGN);
	*distinct = size_distinct(free_keys, nfree, cell->rows);
	upper = varied_bytes(base, *distinct, cell->rows, max_posting);
	lower = varied_bytes(base, largest, cell->rows, max_posting);
	return upper > lower && lower > 0 ? upper * pow(lower / upper, 0.4) : upper;
}

/* The rows split by what their i-th and later keys are; sums what the parts take. */
static double
split_bytes(const struct size_index *ix, struct cell_of_rows *cell, int i, double max_posting,
    double *distinct)
{
	const struct size_key *k = &ix->keys[i < ix->nkeys ? i : 0];
	double rows = cell->rows, left = rows, bytes = 0, d = 0;

	if (i == ix->nkeys || rows < 2) {
		bytes = rows < 0.5 ? 0 : cell_bytes(ix, cell, max_posting, &d);
		*distinct += d;
		return bytes;
	}
	if (k->null_frac > 0.02) {
		cell->rows = rows * k->null_frac;
		cell->is_null[i] = true;
		bytes += split_bytes(ix, cell, i + 1, max_posting, distinct);
		cell->is_null[i] = false;
		left -= cell->rows;
	}
	for (int m = 0; m < k->nfreqs && m < 2 && k->freqs && k->freqs[m] > 0.2; m++) {
		cell->rows = rows * k->freqs[m];
		cell->is_fixed[i] = true;
		bytes += split_bytes(ix, cell, i + 1, max_posting, distinct);
		cell->is_fixed[i] = false;
		left -= cell->rows;
	}
	cell->rows = fmax(left, 0);
	bytes += split_bytes(ix, cell, i + 1, max_posting, distinct);
	cell->rows = rows;
	return bytes;
}

static double
joint_bytes(
    const struct size_index *ix, double rows, double base, double max_posting, double *distinct)
{
	struct cell_of_rows all = { .rows = rows };

	*distinct = 0;
	if (ix->ndistinct <= 0 && ix->nkeys <= SPLIT_KEYS)
		return split_bytes(ix, &all, 0, max_posting, distinct);
	*distinct = ix->ndistinct > 0 ? fmax(1, fmin(ix->ndistinct, rows)) :
	                                size_distinct(ix->keys, ix->nkeys, rows);
	return varied_bytes(base, *distinct, rows, max_posting);
}

/* Pages of n bytes in items of such a size on average, each page ending with a high key. */
static double
pages_of(double bytes, double item, double high_key, double block, int fillfactor)
{
	double room = block - PAGE_HEADER - PAGE_SPECIAL;
	double filled = room - block * (100 - fillfactor) / 100;
	double items = fmax(1, filled / item);

	/* a page is full once its free space is below the target, so that the last one passes it by
	 * half its size; it then moves on and leaves its key behind */
	items = fmax(1, items - high_key / item + 0.5 - (item > room / 12 ? 1 : 0));
	return fmax(1, ceil(bytes / (items * item)));
}

struct size_estimate
size_btree(const struct size_index *ix)
{
	double block = ix->block_size ? ix->block_size : DEFAULT_BLOCK, rows = fmax(ix->rows, 0);
	double max_posting = floor(block / 10 / MAX_ALIGN) * MAX_ALIGN - LINE_POINTER;
	double base = tuple_bytes(ix->keys, ix->nkeys), bytes = rows * (base + LINE_POINTER), item;
	double pivot = align_to(tuple_bytes(ix->keys, ix->nkeys - ix->ninclude), MAX_ALIGN), level;
	int fillfactor = ix->fillfactor ? ix->fillfactor : DEFAULT_FILLFACTOR;
	struct size_estimate e = { .height = 1, .ndistinct = rows };

	if (is_deduplicated(ix) && rows >= 1) {
		if (ix->nkeys == 1) {
			bytes = single_bytes(&ix->keys[0], rows, base, max_posting);
			e.ndistinct = size_distinct(ix->keys, 1, rows);
		} else {
			bytes = joint_bytes(ix, rows, base, max_posting, &e.ndistinct);
		}
	}
	item = e.ndistinct > 0 ? bytes / e.ndistinct : base + LINE_POINTER;
	item = fmax(fmin(item, max_posting + LINE_POINTER), base + LINE_POINTER);
	/* equal keys on both sides of a page's end are told apart by a row's address */
	if (rows / fmax(e.ndistinct, 1) > 50)
		pivot += MAX_ALIGN;
	e.leaves = pages_of(bytes, item, pivot + LINE_POINTER, block, fillfactor);
	e.pages = 1 + e.leaves;
	for (level = e.leaves; level > 1 && e.height < 12; e.height++) {
		level = pages_of(level * (pivot + LINE_POINTER), pivot + LINE_POINTER,
		    pivot + LINE_POINTER, block, NONLEAF_FILLFACTOR);
		e.pages += level;
	}
	e.bytes = e.pages * block;
	return e;
}
