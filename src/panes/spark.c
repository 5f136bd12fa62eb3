/* Sparklines as text: eight heights, scaled from zero to the largest value in sight. */
#include "config.h"

#include "panes/spark.h"

#include <math.h>
#include <string.h>

#include "base/strbuf.h"
#include "base/utf8.h"

enum { MAX_WIDTH = 120 };

static const char *const blocks[] = { "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█" };
static const char *const ascii[] = { "_", ".", ",", "-", "=", "+", "*", "#" };

const char *
spark_text(
    struct arena *arena, const struct series *series, enum metric metric, int seconds, int width)
{
	struct strbuf out = STRBUF_INIT(MAX_WIDTH * 4);
	float v[MAX_WIDTH], top = 0;
	int64_t slice, last;
	const char *text;

	if (width > MAX_WIDTH)
		width = MAX_WIDTH;
	if (series->n == 0 || width <= 0 || seconds < width)
		return "";
	for (int i = 0; i < width; i++)
		v[i] = NAN;
	slice = (int64_t)seconds * 1000000 / width;
	last = series_tick(series, series->n - 1)->at.us / slice;
	for (int i = series_since(series, seconds); i < series->n; i++) {
		const struct tick *t = series_tick(series, i);
		int64_t at = width - 1 - (last - t->at.us / slice);
		if (at >= 0 && at < width && !isnan(t->metric[metric]))
			v[at] = fmaxf(v[at], t->metric[metric]);
	}
	for (int i = 0; i < width; i++)
		if (!isnan(v[i]))
			top = fmaxf(top, v[i]);
	for (int i = 0; i < width; i++) {
		int level = top > 0 ? (int)(v[i] / top * 7.999f) : 0;
		strbuf_adds(&out, isnan(v[i]) ? " " : (utf8_enabled ? blocks : ascii)[level]);
	}
	text = arena_strndup(arena, out.buf, out.len);
	strbuf_release(&out);
	return text;
}
