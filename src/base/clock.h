/* The only place that reads clocks. Tests freeze the wall clock with PGMEDIC_NOW (RFC 3339). */
#ifndef PGMEDIC_BASE_CLOCK_H
#define PGMEDIC_BASE_CLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compat.h"

struct mono {
	int64_t us;
}; /* monotonic, origin unknown; 0 = never */
struct wall {
	int64_t us;
}; /* microseconds since 1970-01-01 UTC; 0 = unknown */

struct mono mono_now(void);
struct wall wall_now(void);
static inline int64_t
mono_since_ms(struct mono now, struct mono then)
{
	return (now.us - then.us) / 1000;
}

/* "2026-11-21T07:27:12.123456Z" (fraction left out when 0); buf of at least 32 bytes. */
const char *wall_rfc3339(struct wall t, char *buf, size_t size);
/* Reads RFC 3339 (Z or offset; 'T' or ' '; a date alone is midnight UTC), or "@epoch[.frac]", or
 * plain epoch seconds. */
bool wall_parse(const char *s, struct wall *t) MUST_CHECK;
/* "07:27:12Z" */
const char *wall_hms(struct wall t, char *buf, size_t size);

#endif
