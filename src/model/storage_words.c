/* What the figures mean, as a DBA would say it. */
#include "config.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/fmt.h"
#include "model/storage.h"

/* Share of the growth from which on something is named as its cause. */
static const double top_share = 0.15;

enum {
	MAX_WORDS = 24,
	MAX_STEPS = 4,
	MANY_FILES = 50,
	NEAR_HOURS = 30 * 24,
	DAY_HOURS = 24,
	PLAN_DAYS = 90
};

struct saying {
	const struct snapshot *snap;
	const struct storage *s;
	const struct storage_outlook *o;
	const struct storage_slot *slot;
	struct arena *arena;
	struct storage_word *words;
	int n;
};

static void
say(struct saying *y, const char *code, enum role role, const char *what, const char *hint)
{
	if (y->n < MAX_WORDS)
		y->words[y->n++] = (struct storage_word){ code, what, hint, role };
}

double
storage_round_up(double bytes)
{
	double unit = 1;

	if (!(bytes > 0))
		return 0;
	while (bytes / unit >= 1000)
		unit *= 1024;
	double power = pow(10, floor(log10(bytes / unit)));
	for (double m = 1; m < 10; m = m < 2 ? 2 : m < 5 ? 5 : 10)
		if (bytes <= m * power * unit * (1 + 1e-9))
			return fmax(m * power, 1) * unit;
	return 10 * power * unit;
}

/* ------------------------------------------------------------------ slots */

static const char *
span_text(struct arena *arena, double hours)
{
	if (hours < 1.5 / 60)
		return "a minute";
	if (hours < 2)
		return arena_printf(arena, "%.0f minutes", hours * 60);
	if (hours < 72)
		return arena_printf(arena, "%.0f hours", hours);
	return arena_printf(arena, "%.0f days", hours / 24);
}

static void
say_slot(struct saying *y)
{
	const struct storage_slot *t = y->slot;
	char kept[32], rate[32];
	const char *who, *end, *hint;

	/* A slot that nobody reads is worth a word even while nothing is written. */
	if (!*t->name || (t->hours > NEAR_HOURS && (t->is_active || t->kept < 0x1p30)))
		return;
	fmt_bytes(kept, sizeof(kept), t->kept);
	fmt_bytes(rate, sizeof(rate), t->rate);
	who = t->is_active ? "its reader falls behind" : "nobody reads from it";
	if (isinf(t->hours))
		end = isnan(t->rate) || !(t->rate > 0) ?
		    "" :
		    arena_printf(y->arena, " at %s a second; how much is free is unknown", rate);
	else if (t->hours_lost <= t->hours_full)
		end = arena_printf(y->arena, ": at %s a second the slot is lost in %s", rate,
		    span_text(y->arena, t->hours));
	else
		end = arena_printf(y->arena, ": at %s a second the disk is full in %s", rate,
		    span_text(y->arena, t->hours));
	hint = t->is_active ?
	    "See where the lag is: pane replication." :
	    arena_printf(y->arena,
	        "Start its reader again, or drop the slot: SELECT pg_drop_replication_slot('%s').%s",
	        t->name,
	        isinf(t->hours_lost) ? " max_slot_wal_keep_size would put a limit to it." : "");
	say(y, "slot",
	    t->hours < DAY_HOURS          ? ROLE_CRIT :
	        t->hours < NEAR_HOURS / 4 ? ROLE_WARN :
	                                    ROLE_INFO,
	    arena_printf(y->arena, "slot %s keeps %s of WAL and %s%s", t->name, kept, who, end),
	    hint);
}

/* ------------------------------------------------------------------ room */

static double
column_of(const struct rowset *rs, int row, const char *column)
{
	return cell_num(rowset_get(rs, row, column), NAN);
}

/* Tablespaces and WAL on file systems of their own are not in the forecast: said when short. */
static void
say_others(struct saying *y)
{
	const struct rowset *rs = snapshot_rows(y->snap, PROBE_CAPACITY);
	double device = NAN;
	char left[32], all[32];

	for (int i = 0; rs && i < rs->nrows; i++)
		if (cell_is(rowset_get(rs, i, "what"), "data directory"))
			device = column_of(rs, i, "device");
	for (int i = 0; rs && i < rs->nrows; i++) {
		const struct cell *what = rowset_get(rs, i, "what");
		double total = column_of(rs, i, "total_bytes"),
		       free = column_of(rs, i, "free_bytes");

		if (!(column_of(rs, i, "device") != device) || isnan(free) || isnan(device) ||
		    what->type != CELL_TEXT)
			continue;
		say(y, "room",
		    free < 0.05 * total     ? ROLE_CRIT :
		        free < 0.10 * total ? ROLE_WARN :
		                              ROLE_INFO,
		    arena_printf(y->arena, "%.*s is on another file system: %s of %s are free",
		        (int)what->len, what->s, fmt_bytes(left, sizeof(left), free),
		        fmt_bytes(all, sizeof(all), total)),
		    "The forecast is of the data directory's.");
	}
}

static void
say_room(struct saying *y)
{
	const struct storage_room *room = &y->s->room;
	double share = room->free / room->capacity,
	       waiting = snapshot_rows(y->snap, PROBE_STORAGE_WAL) &&
	        snapshot_rows(y->snap, PROBE_STORAGE_WAL)->nrows ?
	    column_of(snapshot_rows(y->snap, PROBE_STORAGE_WAL), 0, "to_archive") :
	    NAN;
	char left[32], all[32];

	if (share < 0.10)
		say(y, "room", share < 0.05 ? ROLE_CRIT : ROLE_WARN,
		    arena_printf(y->arena, "only %s of %s are free",
		        fmt_bytes(left, sizeof(left), room->free),
		        fmt_bytes(all, sizeof(all), room->capacity)),
		    room->is_autoscaling ? "The storage grows by itself below a tenth." :
		                           "Raise the storage or remove what is not needed.");
	if (waiting >= MANY_FILES)
		say(y, "archive", ROLE_WARN,
		    arena_printf(y->arena,
		        "%.0f WAL files wait to be archived and are kept until then", waiting),
		    "See whether archive_command fails: pane maintenance.");
	say_others(y);
}

/* ------------------------------------------------------------------ total */

/* What grows most among the things that do not contain one another; NULL when nothing does. */
static const struct storage_item *
top_grower(const struct storage *s)
{
	const struct storage_item *top = NULL;

	for (int i = 0; i < s->n; i++) {
		const struct storage_item *item = &s->items[i];
		bool is_leaf = item->kind == STORAGE_TABLE || item->kind == STORAGE_WAL ||
		    item->kind == STORAGE_LOG || item->kind == STORAGE_TEMP;

		if (is_leaf && item->rate > 0 && (!top || item->rate > top->rate))
			top = item;
	}
	return top;
}

static double
table_number(const struct snapshot *snap, const struct storage_item *item, const char *column)
{
	const struct rowset *rs = snapshot_rows(snap, PROBE_STORAGE_TABLES);

	if (!rs || item->kind != STORAGE_TABLE || item->row < 0 || item->row >= rs->nrows)
		return NAN;
	return cell_num(rowset_get(rs, item->row, column), NAN);
}

/* What can be done about the thing that grows most. */
static const char *
remedy(struct saying *y, const struct storage_item *top)
{
	double dead, live, indexes;

	if (!top)
		return "Find what grows in the rows below, and remove what is not needed";
	switch (top->kind) {
	case STORAGE_WAL:
		return "See what keeps the WAL: slots, archiving, wal_keep_size";
	case STORAGE_LOG:
		return "Rotate the log or log less (log_min_duration_statement, log_statement)";
	case STORAGE_TEMP:
		return "Find the statements that spill (pane statements, temp) or set temp_file_limit";
	default:
		break;
	}
	if (top->row < 0)
		return arena_printf(y->arena, "Drop or detach old partitions of %s", top->name);
	dead = table_number(y->snap, top, "dead");
	live = table_number(y->snap, top, "live");
	indexes = table_number(y->snap, top, "index_bytes");
	if (dead > 0.2 * (dead + live))
		return arena_printf(y->arena, "Vacuum %s (%.0f %% of its rows are dead)", top->name,
		    100 * dead / (dead + live));
	if (indexes > 0.5 * top->bytes)
		return arena_printf(y->arena, "See the indexes of %s, %.0f %% of it (pane indexes)",
		    top->name, 100 * indexes / top->bytes);
	if (!isnan(table_number(y->snap, top, "parent")))
		return arena_printf(y->arena, "Drop or detach old partitions beside %s", top->name);
	return arena_printf(y->arena, "Partition %s and drop what is old", top->name);
}

/* By how much to raise the storage so that it lasts, at the 90 % edge of the band; 0: not needed.
 */
static double
raise_by(const struct storage_outlook *o)
{
	const struct forecast *f = &o->total;

	for (int i = FORECAST_HORIZONS - 1; i >= 0; i--) {
		const struct forecast_quantiles *q = &f->horizons[i];
		double need = q->p90 - o->capacity;

		if (isnan(q->p90) || isnan(o->capacity) || q->days > PLAN_DAYS)
			continue;
		/* Up to 90 days from a shorter horizon by the rate. */
		if (q->days < PLAN_DAYS && f->rate_bytes_per_day > 0)
			need += (PLAN_DAYS - q->days) * f->rate_bytes_per_day;
		return need > 0 ? storage_round_up(need) : 0;
	}
	return 0;
}

static enum role
role_of_full(const struct forecast *f)
{
	if (f->full_p50 <= 7 || f->probability[0] > 0.5)
		return ROLE_CRIT;
	return f->full_p50 <= 30 || f->probability[1] > 0.2 ? ROLE_WARN : ROLE_INFO;
}

/* Storage that grows by itself is full at its limit only. */
static bool
grows_by_itself(const struct saying *y)
{
	return y->s->room.is_autoscaling && !isnan(y->s->room.max) && y->o->total.nhorizons > 0;
}

static void
say_full(struct saying *y)
{
	struct forecast forecast = y->o->total;
	const struct forecast *f = &forecast;
	bool is_endless = grows_by_itself(y) && !isfinite(f->cap_exhausted_p50);
	const struct storage_item *top = top_grower(y->s);
	double raise = raise_by(y->o);
	struct strbuf text = STRBUF_INIT(1000);
	char buf[32], by[32];
	const char *hint = "";

	if (isnan(f->rate_bytes_per_day))
		return;
	if (top && !(top->rate >= top_share * f->rate_bytes_per_day && f->rate_bytes_per_day > 0))
		top = NULL;
	forecast.has_full = f->has_full && !grows_by_itself(y);
	forecast_say(f, isnan(y->o->capacity) ? 0 : y->o->capacity, &text);
	if (top)
		strbuf_addf(&text, "; %s grows %s a day, %.0f %% of it", top->name,
		    fmt_bytes(buf, sizeof(buf), top->rate),
		    fmin(100, 100 * top->rate / f->rate_bytes_per_day));
	if (isfinite(f->full_p50) && raise > 0 && !grows_by_itself(y))
		hint =
		    arena_printf(y->arena, "Raise the storage by %s, which lasts %d days, or: %s.",
		        fmt_bytes(by, sizeof(by), raise), PLAN_DAYS, remedy(y, top));
	else if (isfinite(f->full_p50) && !is_endless)
		hint = arena_printf(y->arena, "%s.", remedy(y, top));
	say(y, "full", grows_by_itself(y) ? ROLE_INFO : role_of_full(f),
	    arena_strndup(y->arena, text.buf, text.len), hint);
	strbuf_release(&text);
}

/* As SQL wants it. */
static const char *
role_name(const struct saying *y)
{
	const char *user = y->snap->server.user;
	struct strbuf quoted = STRBUF_INIT(300);
	const char *text;

	if (!*user)
		return "this role";
	if (strspn(user, "abcdefghijklmnopqrstuvwxyz_0123456789") == strlen(user))
		return user;
	strbuf_addc(&quoted, '"');
	for (; *user; user++)
		strbuf_adds(&quoted, *user == '"' ? "\"\"" : (char[]){ *user, '\0' });
	strbuf_addc(&quoted, '"');
	text = arena_strndup(y->arena, quoted.buf, quoted.len);
	strbuf_release(&quoted);
	return text;
}

static void
say_refused(struct saying *y)
{
	const struct forecast *f = &y->o->total;

	/* "Not full within a year" is an answer and told with the growth. */
	if (f->refused[0] && f->nhorizons == 0)
		say(y, "refused", ROLE_INFO,
		    arena_printf(y->arena, "no date is named: %s", f->refused),
		    y->s->is_waiting ?
		        "" :
		        "The history grows while pgmedic runs or records; pgmedic history import brings one along.");
	if (y->o->hidden > 0)
		say(y, "denied", ROLE_INFO,
		    arena_printf(y->arena,
		        "the statistics of %d of the largest tables are hidden from this role: their past cannot be rebuilt",
		        y->o->hidden),
		    arena_printf(y->arena,
		        "GRANT pg_read_all_data TO %s (from 14 on), or SELECT on them.",
		        role_name(y)));
}

static void
say_steps(struct saying *y)
{
	const struct forecast *f = &y->o->total;
	char bytes[32], day[40];
	int said = 0;

	for (int i = f->nsteps - 1; i >= 0 && said < MAX_STEPS; i--) {
		const struct forecast_step *p = &f->steps[i];

		fmt_bytes(bytes, sizeof(bytes), fabs(p->bytes));
		wall_rfc3339((struct wall){ p->at_us }, day, sizeof(day));
		if (p->is_recurring)
			say(y, "step", ROLE_INFO,
			    arena_printf(y->arena,
			        "%c%s about every %.0f days, last on %.10s: expected to go on",
			        p->bytes < 0 ? '-' : '+', bytes, p->every_days, day),
			    "");
		else
			say(y, "step", ROLE_INFO,
			    arena_printf(y->arena, "%c%s on %.10s, not in the trend",
			        p->bytes < 0 ? '-' : '+', bytes, day),
			    "");
		said++;
		/* One word for all of the same kind. */
		while (p->is_recurring && i > 0 && f->steps[i - 1].is_recurring)
			i--;
	}
}

static void
say_regime(struct saying *y)
{
	const struct forecast *f = &y->o->total;
	char day[40];

	if (f->regime == REGIME_CHANGED)
		say(y, "regime", ROLE_WARN,
		    arena_printf(y->arena, "the growth has changed around %.10s",
		        wall_rfc3339((struct wall){ f->regime_since_us }, day, sizeof(day))),
		    "The band is wider for it; see what began then.");
	if (y->o->nrebuilt * 2 > y->o->n && f->nhorizons > 0)
		say(y, "rebuilt", ROLE_INFO,
		    arena_printf(y->arena,
		        "there is no long history: the past of %.0f %% of the bytes was rebuilt from statistics and partitions",
		        100 * y->o->carried),
		    "");
}

static void
say_autoscaling(struct saying *y)
{
	const struct forecast *f = &y->o->total;
	const struct storage_room *room = &y->s->room;
	const char *events = f->grow_events_p50 == 1 ?
	    "once" :
	    arena_printf(y->arena, "%d times", f->grow_events_p50);
	char max[32];

	if (!room->is_autoscaling)
		return;
	if (isnan(room->max)) {
		say(y, "autoscaling", ROLE_INFO,
		    "the storage grows by itself, but its limit is not known",
		    "Set storage_max = 1TB (MaxAllocatedStorage) in the section of the target.");
		return;
	}
	fmt_bytes(max, sizeof(max), room->max);
	if (isfinite(f->cap_exhausted_p50))
		say(y, "autoscaling", f->cap_exhausted_p50 < 30 ? ROLE_WARN : ROLE_INFO,
		    arena_printf(y->arena,
		        "the limit of %s is full in %.0f days: autoscaling %s within 90 days", max,
		        f->cap_exhausted_p50, events),
		    "Raise the limit; 26 % above what is expected is advised.");
	else if (f->nhorizons > 0)
		say(y, "autoscaling", ROLE_OK,
		    arena_printf(y->arena,
		        "autoscaling %s within 90 days; its limit of %s is not reached in sight",
		        events, max),
		    "");
}

int
storage_say(const struct snapshot *snap, const struct storage *s, const struct storage_outlook *o,
    const struct storage_slot *slot, struct arena *arena, struct storage_word **out)
{
	struct saying y = { snap, s, o, slot, arena,
		arena_alloc(arena, MAX_WORDS * sizeof(*y.words)), 0 };
	bool is_slot_first = slot->hours < 24 * o->total.full_p50;

	if (is_slot_first)
		say_slot(&y);
	if (grows_by_itself(&y))
		say_autoscaling(&y);
	say_full(&y);
	if (!is_slot_first)
		say_slot(&y);
	say_room(&y);
	say_refused(&y);
	if (!grows_by_itself(&y))
		say_autoscaling(&y);
	say_regime(&y);
	say_steps(&y);
	*out = y.words;
	return y.n;
}
