/* Numbers as a DBA reads them. All write into buf (32 bytes suffice) and return it. What is not a
 * number is "-", infinities are "inf" and "-inf". No locale: the point is always '.'. */
#ifndef PGMEDIC_BASE_FMT_H
#define PGMEDIC_BASE_FMT_H

#include <stddef.h>
#include <stdint.h>

/* 1024-based, at most 6 columns: "0", "812", "1.2K", "34.5M", "1.0T"; negative with '-'. */
const char *fmt_bytes(char *buf, size_t size, double bytes);
/* 1000-based, at most 6 columns: "999", "12.3k", "4.5M", "1.2G". */
const char *fmt_count(char *buf, size_t size, double n);
/* Per second, at most 6 columns: "0", "0.25", "12.3", "999", "12.3k". */
const char *fmt_rate(char *buf, size_t size, double n);
/* Seconds, at most 7 columns: "0.004", "1.23", "59.9", "12:34", "3:04:05", "12h34m", "4d03h",
 * "120d", beyond a million days "3000y". */
const char *fmt_seconds(char *buf, size_t size, double s);
/* The same within a sentence: seconds have their unit, "1.23 s", "12:34". */
const char *fmt_span(char *buf, size_t size, double s);
/* Milliseconds: "0.02", "1.50", "123", "12.3s", "3:04". */
const char *fmt_ms(char *buf, size_t size, double ms);
/* A ratio 0..100: "0.0", "12.3", "100". */
const char *fmt_pct(char *buf, size_t size, double pct);
/* A plain float: "0.00012", "0.123", "12.34", "1234.5", "123457"; at most 7 columns below a
 * million, exact integers below 1e15, an exponent from there. */
const char *fmt_float(char *buf, size_t size, double v);

/* An exact integer; a PostgreSQL log position "16/B374D848". */
const char *fmt_int(char *buf, size_t size, int64_t v);
const char *fmt_lsn(char *buf, size_t size, int64_t lsn);

#endif
