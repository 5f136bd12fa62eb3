/* A series of sizes from a CSV text: time,bytes. */
#ifndef PGMEDIC_APP_FORECAST_CSV_H
#define PGMEDIC_APP_FORECAST_CSV_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "model/forecast.h"

struct csv_points {
	struct forecast_point *items; /* by time, one per time (the last line of it) */
	int n, cap;
};

/*
 * Read lines of `time,bytes`. Time is RFC 3339 (without a zone: UTC), a date, or epoch seconds,
 * milliseconds or microseconds; bytes is a number from 0 to 9.2e18. A first line whose time begins
 * with a letter is a header; when it names the columns (time, bytes), they may be any two of more.
 * Comma, semicolon or tab; quotes, CRLF, blank lines and lines that begin with # are allowed; lines
 * need not be by time. Errors name the line. text need not end with NUL. Release in any case. Pure.
 */
bool csv_points_parse(
    struct csv_points *out, const char *text, size_t len, struct error *err) MUST_CHECK;
void csv_points_release(struct csv_points *out);

/* Bytes with a unit of PostgreSQL ("500GB", "1.5 TiB": powers of 1024) or without. */
bool csv_parse_bytes(const char *text, double *bytes) MUST_CHECK;

#endif
