/*
 * Parameters of a server as `set` sees them, be it by pg_settings or by a parameter group: is a
 * text a value for it, what number does it stand for, what has gone wrong with such a change
 * before. Pure.
 */
#ifndef PGMEDIC_OPS_PARAMETER_H
#define PGMEDIC_OPS_PARAMETER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

/* As pg_settings has it; "" where there is nothing. */
struct parameter {
	const char *name, *vartype; /* bool, integer, real, string, enum */
	const char *unit;           /* "8kB", "kB", "MB", "B", "ms", "s", "min" */
	const char *context;        /* "postmaster", "sighup", "user" … */
	const char *min, *max;
	const char *enums; /* "a, b" */
	bool is_list;      /* of names, quoted one by one */
};

/* A number with or without a unit, in the unit of the parameter. */
bool parameter_number(const struct parameter *p, const char *text, double *value);
/* Can the parameter have this value? */
bool parameter_check(const struct parameter *p, const char *value, struct error *err) MUST_CHECK;
/* Do both texts mean the same? "64MB" and "65536" kB do. */
bool parameter_same(const struct parameter *p, const char *a, const char *b);
/* For people: "65536" of unit kB is "64MB"; other texts as they are, "" is "''". */
const char *parameter_show(const struct parameter *p, const char *value, char *buf, size_t size);

/* What is known to hurt in changing this from one value to another; several may hold. */
struct parameter_warning {
	const char *name;
	enum {
		WHEN_ALWAYS,
		WHEN_OFF, /* off, 0, none, "" */
		WHEN_ON,  /* the contrary */
		WHEN_RAISED,
		WHEN_LOWERED
	} when;
	const char *risk; /* "medium", "high" */
	const char *text;
};
/* The first, or the one after `last`; NULL: no more. */
const struct parameter_warning *parameter_warning(const struct parameter *p, const char *from,
    const char *to, const struct parameter_warning *last);

#endif
