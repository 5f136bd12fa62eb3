/* One typed value: what a query returns, what a pane shows, what JSON prints. */
#ifndef PGMEDIC_BASE_CELL_H
#define PGMEDIC_BASE_CELL_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

enum cell_type {
	CELL_NULL, /* unknown; `why` may say why */
	CELL_BOOL,
	CELL_INT,
	CELL_FLOAT,
	CELL_TEXT, /* s, len; as the server sent it: NOT yet clean for a terminal */
	CELL_TIME, /* i: microseconds since 1970 UTC */
	CELL_INTS, /* list of len int64_t at `ints` */
};

/* Why a value is unknown: states of their own, never a 0. */
enum cell_why {
	WHY_NONE,        /* SQL NULL: there is nothing to know */
	WHY_DENIED,      /* the role may not see it */
	WHY_UNSUPPORTED, /* this server does not have it */
	WHY_NODATA,      /* not sampled yet, or a rate without a second sample */
};

struct cell {
	union {
		int64_t i;
		double f;
		const char *s;
		const int64_t *ints;
	};
	uint32_t len;
	uint8_t type; /* enum cell_type */
	uint8_t why;  /* enum cell_why, of CELL_NULL */
	uint8_t role; /* enum role, 0 = as the row */
	uint8_t pad;
};

static inline struct cell
cell_null(enum cell_why why)
{
	return (struct cell){ .type = CELL_NULL, .why = (uint8_t)why };
}
static inline struct cell
cell_int(int64_t i)
{
	return (struct cell){ .i = i, .type = CELL_INT };
}
static inline struct cell
cell_float(double f)
{
	return (struct cell){ .f = f, .type = CELL_FLOAT };
}
static inline struct cell
cell_bool(bool b)
{
	return (struct cell){ .i = b, .type = CELL_BOOL };
}
static inline struct cell
cell_time(int64_t us)
{
	return (struct cell){ .i = us, .type = CELL_TIME };
}
static inline struct cell
cell_textn(const char *s, size_t len)
{
	return (struct cell){ .s = s, .len = (uint32_t)len, .type = CELL_TEXT };
}
static inline struct cell
cell_text(const char *s)
{
	return s ? cell_textn(s, strlen(s)) : cell_null(WHY_NONE);
}
static inline bool
cell_is_null(const struct cell *c)
{
	return c->type == CELL_NULL;
}
static inline bool
cell_is_number(const struct cell *c)
{
	return c->type == CELL_INT || c->type == CELL_FLOAT || c->type == CELL_BOOL ||
	    c->type == CELL_TIME;
}
/* The value as a double; `none` for NULL and text. */
static inline double
cell_num(const struct cell *c, double none)
{
	if (c->type == CELL_FLOAT)
		return c->f;
	return cell_is_number(c) ? (double)c->i : none;
}
static inline int64_t
cell_i64(const struct cell *c, int64_t none)
{
	if (c->type == CELL_FLOAT)
		return c->f > -0x1p63 && c->f < 0x1p63 ? (int64_t)c->f : none;
	return cell_is_number(c) ? c->i : none;
}
/* Is the cell this text? */
static inline bool
cell_is(const struct cell *c, const char *s)
{
	return c->type == CELL_TEXT && c->len == strlen(s) && memcmp(c->s, s, c->len) == 0;
}
/* Order for sorting: NULL last in either direction is the caller's business; here NULL < all.
 * Numbers before text, text bytewise but case-blind first. */
int cell_cmp(const struct cell *a, const struct cell *b);
bool cell_equal(const struct cell *a, const struct cell *b);

#endif
