/* WAL that replication slots keep, and how long that can go on. */
#include "config.h"

#include <math.h>
#include <string.h>

#include "model/storage.h"

enum { WINDOW_S = 300, LAGGING_BYTES = 1 << 30 };

/* WAL written per second: the mean of the last minutes, or of the interval between two answers. */
static double
wal_rate(const struct snapshot *snap)
{
	const struct series *series = &snap->series;
	const struct rowset *cur, *prev;
	double bytes = 0, seconds = 0, between;

	for (int i = series_since(series, WINDOW_S); i < series->n; i++) {
		const struct tick *t = series_tick(series, i);

		if (isnan(t->metric[METRIC_WAL_BPS]) || !(t->seconds > 0))
			continue;
		bytes += (double)t->metric[METRIC_WAL_BPS] * (double)t->seconds;
		seconds += (double)t->seconds;
	}
	if (seconds > 0)
		return bytes / seconds;
	if (!snapshot_pair(snap, PROBE_SLOTS, &cur, &prev, &between) || cur->nrows == 0 ||
	    prev->nrows == 0)
		return NAN;
	return fmax(0,
	    (cell_num(rowset_get(cur, 0, "current_lsn"), NAN) -
	        cell_num(rowset_get(prev, 0, "current_lsn"), NAN)) /
	        between);
}

/* By how much the WAL of a slot that is read grows: less than is written, or it keeps up. */
static double
lagging_rate(const struct snapshot *snap, const struct cell *name, double written)
{
	const struct rowset *cur, *prev;
	double seconds, kept[2] = { NAN, NAN };
	const struct rowset *sets[2];

	if (!snapshot_pair(snap, PROBE_SLOTS, &cur, &prev, &seconds))
		return 0;
	sets[0] = cur;
	sets[1] = prev;
	for (int k = 0; k < 2; k++)
		for (int i = 0; i < sets[k]->nrows; i++)
			if (cell_equal(rowset_get(sets[k], i, "slot_name"), name))
				kept[k] = cell_num(rowset_get(sets[k], i, "current_lsn"), NAN) -
				    cell_num(rowset_get(sets[k], i, "restart_lsn"), NAN);
	double rate = (kept[0] - kept[1]) / seconds;
	/* restart_lsn moves in steps, at checkpoints of the standby: small growth is no lag. */
	return kept[0] > LAGGING_BYTES && rate > 0.5 * written ? rate : 0;
}

/* Hours until a number of bytes is written at a rate. */
static double
hours_for(double bytes, double rate)
{
	return rate > 0 && !isnan(bytes) ? fmax(0, bytes) / rate / 3600 : INFINITY;
}

void
storage_slots(const struct snapshot *snap, const struct storage *s, struct arena *arena,
    struct storage_slot *out)
{
	const struct rowset *rs = snapshot_rows(snap, PROBE_SLOTS);
	double written = wal_rate(snap);

	*out = (struct storage_slot){ .name = "",
		.rate = NAN,
		.hours_full = INFINITY,
		.hours_lost = INFINITY,
		.hours = INFINITY };
	for (int i = 0; rs && i < rs->nrows; i++) {
		const struct cell *name = rowset_get(rs, i, "slot_name");
		double safe = cell_num(rowset_get(rs, i, "safe_wal_size"), NAN);
		struct storage_slot slot = {
			.is_active = cell_i64(rowset_get(rs, i, "active"), 0) != 0,
			.kept = cell_num(rowset_get(rs, i, "current_lsn"), NAN) -
			    cell_num(rowset_get(rs, i, "restart_lsn"), NAN),
		};

		/* Without restart_lsn, or lost, it keeps nothing. */
		if (isnan(slot.kept) || cell_is(rowset_get(rs, i, "wal_status"), "lost"))
			continue;
		slot.rate =
		    slot.is_active && !isnan(written) ? lagging_rate(snap, name, written) : written;
		slot.hours_lost = hours_for(safe, slot.rate);
		slot.hours_full = hours_for(s->room.wal_free, slot.rate);
		/* The limit gives the slot up before the disk is full, unless there is less room.
		 */
		slot.hours = fmin(slot.hours_full, slot.hours_lost);
		if (slot.hours_lost <= slot.hours_full)
			slot.hours_full = INFINITY;
		if (slot.is_active && !(slot.rate > 0))
			continue;
		if (*out->name &&
		    (slot.hours > out->hours ||
		        (slot.hours == out->hours && slot.kept <= out->kept)))
			continue;
		*out = slot;
		out->name = arena_strndup(arena, name->s, name->len);
	}
}
