/* Spans of time that charts look back over. Pure. */
#ifndef PGMEDIC_MODEL_SPANS_H
#define PGMEDIC_MODEL_SPANS_H

#include <stdbool.h>
#include <stddef.h>

struct span {
	const char *name; /* "5m" … "1y" */
	int seconds;
};
/* Those that are offered, shortest first; ends with a NULL name. */
extern const struct span spans[];
enum { SPAN_MIN_S = 10, SPAN_MAX_S = 366 * 86400, SPAN_DEFAULT_S = 3600 };

/* "90", "90s", "5m", "6h", "7d", "2w", "1y" (decimal); within SPAN_MIN_S and SPAN_MAX_S. */
bool span_read(const char *text, int *seconds);
/* The shortest way to write it: "90s", "1h", "7d". */
const char *span_text(int seconds, char *buf, size_t size);
/* The span offered next: the next longer, or shorter, than this. */
int span_step(int seconds, bool longer);
/* Seconds of a bucket of a chart over this span: 60 to 400 of them. */
int span_bucket_s(int seconds);

#endif
