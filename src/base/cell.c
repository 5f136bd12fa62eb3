/* Order and equality of cells. */
#include "config.h"

#include "base/cell.h"

#include <math.h>

/* NULL, numbers, texts, lists: in this order when types differ. */
static int
class_of(const struct cell *c)
{
	switch ((enum cell_type)c->type) {
	case CELL_NULL:
		return 0;
	case CELL_BOOL:
	case CELL_INT:
	case CELL_FLOAT:
	case CELL_TIME:
		return 1;
	case CELL_TEXT:
		return 2;
	case CELL_INTS:
		return 3;
	}
	return 0;
}

/* An int64 with a double, exactly: a double holds no integer above 2^53 for sure, and a long double
 * only where the machine has one that is longer. NaN is above all numbers, as PostgreSQL sorts it.
 */
static int
int_float_cmp(int64_t i, double f)
{
	int64_t whole;

	if (isnan(f) || f >= 0x1p63)
		return -1;
	if (f < -0x1p63)
		return 1;
	whole = (int64_t)f;
	if (i != whole)
		return i < whole ? -1 : 1;
	return (f < (double)whole) - (f > (double)whole);
}

static int
number_cmp(const struct cell *a, const struct cell *b)
{
	if (a->type != CELL_FLOAT && b->type != CELL_FLOAT)
		return (a->i > b->i) - (a->i < b->i);
	if (a->type != CELL_FLOAT)
		return int_float_cmp(a->i, b->f);
	if (b->type != CELL_FLOAT)
		return -int_float_cmp(b->i, a->f);
	if (isnan(a->f) || isnan(b->f))
		return (isnan(a->f) != 0) - (isnan(b->f) != 0);
	return (a->f > b->f) - (a->f < b->f);
}

static int
fold(unsigned char c)
{
	return c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c;
}

static int
text_cmp(const struct cell *a, const struct cell *b)
{
	size_t n = a->len < b->len ? a->len : b->len;
	int x, y, r;

	/* Columns repeat themselves: most texts that are compared are equal as they are. */
	if (!n || a->s == b->s || memcmp(a->s, b->s, n) == 0)
		return (a->len > b->len) - (a->len < b->len);
	for (size_t i = 0; i < n; i++) {
		if (a->s[i] == b->s[i])
			continue;
		x = fold((unsigned char)a->s[i]);
		y = fold((unsigned char)b->s[i]);
		if (x != y)
			return x < y ? -1 : 1;
	}
	if (a->len != b->len)
		return a->len < b->len ? -1 : 1;
	r = memcmp(a->s, b->s, n);
	return (r > 0) - (r < 0);
}

static int
ints_cmp(const struct cell *a, const struct cell *b)
{
	for (uint32_t i = 0; i < a->len && i < b->len; i++)
		if (a->ints[i] != b->ints[i])
			return a->ints[i] < b->ints[i] ? -1 : 1;
	return (a->len > b->len) - (a->len < b->len);
}

int
cell_cmp(const struct cell *a, const struct cell *b)
{
	int x = class_of(a), y = class_of(b);

	if (x != y)
		return x < y ? -1 : 1;
	switch (x) {
	case 1:
		return number_cmp(a, b);
	case 2:
		return text_cmp(a, b);
	case 3:
		return ints_cmp(a, b);
	}
	return 0;
}

bool
cell_equal(const struct cell *a, const struct cell *b)
{
	if (a->type != b->type)
		return false;
	if (a->type == CELL_NULL)
		return a->why == b->why;
	return cell_cmp(a, b) == 0;
}
