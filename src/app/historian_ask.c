/* What the historian asks of servers, and by whose clock it keeps the answers. */
#include "config.h"

#include "app/historian.h"
#include "base/compat.h"

/* What the role may not, or the server does not have, is asked again. */
enum { REFUSED_MS = 3600000 };

/* Probes asked for the history's sake, while no pane shows them. */
static const struct {
	enum probe_id probe;
	int period_s;
} asked[] = {
	{ PROBE_SIZES, 900 },
	{ PROBE_STORAGE_WAL, 900 },
	{ PROBE_STORAGE_TEMP, 900 },
	{ PROBE_STORAGE_LOG, 900 },
	{ PROBE_SLOTS, 900 },
	{ PROBE_CAPACITY, 900 },
	{ PROBE_STORAGE_KINDS, 900 },
	{ PROBE_STORAGE_TABLES, 900 },
	{ PROBE_WRAPAROUND, 300 },
	{ PROBE_XMIN_HOLDERS, 60 },
	{ PROBE_CHECKPOINTS, 60 },
	{ PROBE_STATEMENTS, 60 },
};

int
historian_due(const struct snapshot *snap, struct mono *asked_at, enum probe_id *probes)
{
	struct mono now = mono_now();
	int n = 0;

	if (snap->link != LINK_UP || !snap->taken_mono.us)
		return 0;
	for (size_t i = 0; i < ARRAY_LEN(asked); i++) {
		enum probe_id p = asked[i].probe;
		const struct sample *last = snap->cur[p];
		int64_t period_ms = asked[i].period_s * 1000 - 5000;
		struct mono at = asked_at[p];

		if (last && (last->state == SAMPLE_DENIED || last->state == SAMPLE_UNSUPPORTED))
			period_ms = REFUSED_MS;
		/* What takes long, or brings much, is asked seldom. */
		if (last && last->elapsed_us / 5 > period_ms)
			period_ms = last->elapsed_us / 5;
		if (last && last->rows->nrows > 1000 && period_ms < 300000)
			period_ms = 295000;
		if (last && last->at.us > at.us)
			at = last->at;
		if (at.us && mono_since_ms(now, at) < period_ms)
			continue;
		asked_at[p] = now;
		probes[n++] = p;
	}
	return n;
}

int64_t
historian_server_us(const struct snapshot *snap)
{
	const struct tick *last;

	if (snap->series.n == 0)
		return 0;
	last = series_tick(&snap->series, snap->series.n - 1);
	return last->at.us + (mono_now().us - last->mono.us);
}

int64_t
historian_shift_us(const struct snapshot *snap)
{
	const int64_t day_us = 86400 * INT64_C(1000000);
	int64_t server = historian_server_us(snap), ahead = server ? server - wall_now().us : 0;

	return ahead > day_us || ahead < -day_us ? -ahead : 0;
}
