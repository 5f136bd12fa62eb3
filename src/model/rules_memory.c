/*
 * What is posted to the rules and what they hand out: thresholds, mutes, and the memory that
 * outlives a process.
 *
 * Rows of the memory: kind, name, text, since, seen, a, b
 *   pending, firing  rule, severity, beginning, last judged    what a level has held since when
 *   window           name, -, from, to, sums                   a part of a sliding window
 *   counter          name, -, -, when, values                  its counters when last read
 *   disk             -, -, -, when, bytes free                 a point of the disk's last hours
 *   lag              -, -, -, when, WAL position               how long the WAL was; newest first
 *   archived         -, -, -, when                             no finished WAL file waited
 *   standby          application name, -, -, last seen         that streamed from here
 *   server           -, -, start time, when, identifier, timeline (minus: a standby)
 */
#include "config.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "model/rules_priv.h"

static const char *const limit_names[] = { "rule", "warning", "critical", "for_s", "is_off" };
static const uint8_t limit_types[] = { CELL_TEXT, CELL_FLOAT, CELL_FLOAT, CELL_INT, CELL_BOOL };

struct rowset *
rules_rowset(void)
{
	return rowset_new((int)ARRAY_LEN(limit_names), limit_names, limit_types);
}

static struct cell
level(double v)
{
	return isnan(v) ? cell_null(WHY_NONE) : cell_float(v);
}

void
rules_rowset_add(struct rowset *rs, enum rule_id id, const struct rule_limits *limits)
{
	struct cell *c = rowset_add(rs);

	c[0] = cell_text(rules[id].id);
	c[1] = level(limits->warning);
	c[2] = level(limits->critical);
	c[3] = cell_int(limits->for_s);
	c[4] = cell_bool(limits->is_off);
}

void
rules_take_limits(struct rules *r, const struct rowset *rows)
{
	for (int i = 0; i < RULE_COUNT; i++)
		r->limits[i] = rule_limits_default((enum rule_id)i);
	for (int i = 0; i < rows->nrows; i++) {
		for (int k = 0; k < RULE_COUNT; k++) {
			if (!cell_is(rowset_get(rows, i, "rule"), rules[k].id))
				continue;
			r->limits[k] = (struct rule_limits){
				.warning = cell_num(rowset_get(rows, i, "warning"), NAN),
				.critical = cell_num(rowset_get(rows, i, "critical"), NAN),
				.for_s = (int)cell_i64(rowset_get(rows, i, "for_s"), 0),
				.is_off = cell_i64(rowset_get(rows, i, "is_off"), 0) != 0,
			};
		}
	}
	r->version++;
}

static const char *const mute_names[] = { "rule", "until", "reason" };
static const uint8_t mute_types[] = { CELL_TEXT, CELL_TIME, CELL_TEXT };

struct rowset *
rules_mutes_rowset(void)
{
	return rowset_new((int)ARRAY_LEN(mute_names), mute_names, mute_types);
}

static struct cell
copied(struct rowset *rs, const char *s)
{
	return cell_text(arena_strdup(&rs->arena, s));
}

void
rules_mutes_add(struct rowset *rs, const char *rule, struct wall until, const char *reason)
{
	struct cell *c = rowset_add(rs);

	c[0] = copied(rs, rule);
	c[1] = cell_time(until.us);
	c[2] = copied(rs, reason);
}

static const char *const memory_names[MEMORY_COLUMNS] = { "kind", "name", "text", "since", "seen",
	"a", "b" };
static const uint8_t memory_types[MEMORY_COLUMNS] = { CELL_TEXT, CELL_TEXT, CELL_TEXT, CELL_TIME,
	CELL_TIME, CELL_FLOAT, CELL_FLOAT };

struct rowset *
rules_memory_rowset(void)
{
	return rowset_new(MEMORY_COLUMNS, memory_names, memory_types);
}

/* ---- out */

static struct cell *
add(struct rowset *rs, const char *kind, const char *name, int64_t since, int64_t seen, double a,
    double b)
{
	struct cell *c = rowset_add(rs);

	c[MEMORY_KIND] = cell_text(kind);
	c[MEMORY_NAME] = copied(rs, name);
	c[MEMORY_TEXT] = cell_text("");
	c[MEMORY_SINCE] = cell_time(since);
	c[MEMORY_SEEN] = cell_time(seen);
	c[MEMORY_A] = cell_float(a);
	c[MEMORY_B] = cell_float(b);
	return c;
}

static void
add_windows(struct rowset *rs, const struct rules *r)
{
	for (int i = 0; i < WINDOW_COUNT; i++) {
		const struct window *w = &r->windows[i];
		const char *name = window_names[i];
		for (int k = 0; k < w->n; k++)
			if (w->slots[k].to > r->seen_at - window_spans[i] * INT64_C(1000000))
				add(rs, "window", name, w->slots[k].from, w->slots[k].to,
				    w->slots[k].a, w->slots[k].b);
		if (w->has_last)
			add(rs, "counter", name, 0, w->last_at, w->last_a, w->last_b);
	}
}

struct rowset *
rules_memory(const struct rules *r, const struct finding *findings, int64_t now)
{
	struct rowset *rs = rules_memory_rowset();

	for (int i = 0; i < RULE_COUNT; i++) {
		const struct rule_memory *m = &r->memory[i];
		/* Of a rule without data what was known of it stands. */
		for (int s = SEVERITY_WARNING; s <= SEVERITY_CRITICAL; s++)
			if (m->held[s])
				add(rs, m->fired[s] ? "firing" : "pending", rules[i].id,
				    m->since[s], m->known_at, findings[i].value, 0)[MEMORY_TEXT] =
				    cell_text(severity_names[s]);
	}
	add_windows(rs, r);
	for (int i = 0; i < r->ndisk; i++)
		add(rs, "disk", "", 0, r->disk[i].at, r->disk[i].free, 0);
	/* A few of the points will do: the newest, and others further and further apart. */
	for (int i = r->nlag - 1, step = 1; i >= 0; i -= step, step += (step + 3) / 4)
		add(rs, "lag", "", 0, r->lag[i].at, (double)r->lag[i].lsn, 0);
	if (r->archived_at)
		add(rs, "archived", "", 0, r->archived_at, 0, 0);
	for (int i = 0; i < STANDBYS_MAX; i++)
		if (r->standbys[i].seen)
			add(rs, "standby", r->standbys[i].name, 0, r->standbys[i].seen, 0, 0);
	if (r->start_us) {
		char id[32];
		/* As text: a float would lose the end of it. */
		snprintf(id, sizeof(id), "%lld", (long long)r->system_identifier);
		add(rs, "server", id, r->start_us, now, r->timeline, r->is_standby);
		if (r->restarted_at)
			add(rs, "event", "restart", 0, r->restarted_at, 0, 0);
		if (r->role_changed_at)
			add(rs, "event", "role_change", 0, r->role_changed_at, 0, 0)[MEMORY_TEXT] =
			    copied(rs, r->role_change);
	}
	return rs;
}

/* ---- in */

static int64_t
at(const struct cell *c, int col)
{
	return cell_i64(&c[col], 0);
}

static void
text(char *buf, size_t size, const struct cell *c)
{
	snprintf(buf, size, "%.*s", c->type == CELL_TEXT ? (int)c->len : 0,
	    c->type == CELL_TEXT ? c->s : "");
}

/* When the rules are at work already, only a beginning earlier than theirs is news. */
static void
take_level(struct rules *r, const struct cell *c, bool fired)
{
	char name[64];
	enum rule_id id;
	struct rule_memory *m;
	enum severity s = cell_is(&c[MEMORY_TEXT], severity_names[SEVERITY_CRITICAL]) ?
	    SEVERITY_CRITICAL :
	    SEVERITY_WARNING;

	text(name, sizeof(name), &c[MEMORY_NAME]);
	id = rule_by_id(name);
	if (id == RULE_COUNT || at(c, MEMORY_SINCE) > at(c, MEMORY_SEEN))
		return;
	m = &r->memory[id];
	if (m->known_at &&
	    (!m->held[s] || rules_is_gap(&r->limits[id], at(c, MEMORY_SEEN), m->known_at)))
		return;
	if (!m->held[s] || at(c, MEMORY_SINCE) < m->since[s])
		m->since[s] = at(c, MEMORY_SINCE);
	m->held[s] = true;
	m->fired[s] |= fired;
	if (!m->known_at)
		m->known_at = at(c, MEMORY_SEEN);
}

/* Before what is there already. */
static void
insert_slot(struct window *w, int at_slot, const struct window_slot *slot)
{
	if (w->n == WINDOW_SLOTS)
		return;
	memmove(w->slots + at_slot + 1, w->slots + at_slot,
	    (size_t)(w->n - at_slot) * sizeof(w->slots[0]));
	w->slots[at_slot] = *slot;
	w->n++;
}

static void
take_window(struct rules *r, const struct cell *c, bool is_counter)
{
	for (int i = 0; i < WINDOW_COUNT; i++) {
		struct window *w = &r->windows[i];
		struct window_slot slot = { at(c, MEMORY_SINCE), at(c, MEMORY_SEEN),
			cell_num(&c[MEMORY_A], 0), cell_num(&c[MEMORY_B], 0) };
		int place = 0;
		if (!cell_is(&c[MEMORY_NAME], window_names[i]))
			continue;
		if (is_counter && !w->has_last) {
			w->has_last = true;
			w->last_at = slot.to;
			w->last_a = slot.a;
			w->last_b = slot.b;
		}
		while (place < w->n && w->slots[place].to <= slot.from)
			place++;
		if (!is_counter && (place == w->n || w->slots[place].from >= slot.to))
			insert_slot(w, place, &slot);
	}
}

static int64_t
system_of(const struct cell *c)
{
	char id[32];
	long long n = 0;

	text(id, sizeof(id), &c[MEMORY_NAME]);
	return sscanf(id, "%lld", &n) == 1 ? n : 0;
}

static void
take_server(struct rules *r, const struct cell *c)
{
	rules_was(r,
	    &(struct server_info){ .start_us = at(c, MEMORY_SINCE),
	        .system_identifier = system_of(c),
	        .timeline = (int)cell_num(&c[MEMORY_A], 0),
	        .is_standby = cell_num(&c[MEMORY_B], 0) > 0 });
}

static void
take_event(struct rules *r, const struct cell *c)
{
	if (cell_is(&c[MEMORY_NAME], "restart"))
		r->restarted_at = at(c, MEMORY_SEEN);
	else
		r->role_changed_at = at(c, MEMORY_SEEN);
	if (cell_is(&c[MEMORY_NAME], "role_change"))
		text(r->role_change, sizeof(r->role_change), &c[MEMORY_TEXT]);
}

/* They come newest first. */
static void
take_lag(struct rules *r, const struct cell *c)
{
	if (r->nlag == LAG_POINTS)
		return;
	memmove(r->lag + 1, r->lag, (size_t)r->nlag * sizeof(r->lag[0]));
	r->lag[0].at = at(c, MEMORY_SEEN);
	r->lag[0].lsn = cell_i64(&c[MEMORY_A], 0);
	r->nlag++;
}

static void
take_standby(struct rules *r, const struct cell *c)
{
	char name[64];

	text(name, sizeof(name), &c[MEMORY_NAME]);
	for (int i = 0; i < STANDBYS_MAX; i++)
		if (r->standbys[i].seen && strcmp(r->standbys[i].name, name) == 0)
			return;
	for (int i = 0; i < STANDBYS_MAX; i++) {
		if (r->standbys[i].seen)
			continue;
		snprintf(r->standbys[i].name, sizeof(r->standbys[i].name), "%s", name);
		r->standbys[i].seen = at(c, MEMORY_SEEN);
		return;
	}
}

/* What an earlier process noted of another cluster, of which there is only to be said that. */
static bool
is_of_other_cluster(const struct rules *r, const struct rowset *rows)
{
	for (int i = 0; i < rows->nrows; i++) {
		const struct cell *c = rowset_row(rows, i);
		if (cell_is(&c[MEMORY_KIND], "server") && !rules_is_memory_of(r, system_of(c)))
			return true;
	}
	return false;
}

/* Only before the first judgement: later the rules know better. What is too old for it goes then.
 */
void
rules_take_memory(struct rules *r, const struct rowset *rows)
{
	if (rows->ncols != MEMORY_COLUMNS || r->has_memory)
		return;
	r->has_memory = true;
	bool had_disk = r->ndisk > 0, had_lag = r->nlag > 0;
	bool is_other = is_of_other_cluster(r, rows);
	for (int i = 0; i < rows->nrows; i++) {
		const struct cell *c = rowset_row(rows, i), *kind = &c[MEMORY_KIND];

		if (cell_is(kind, "server"))
			take_server(r, c);
		else if (is_other)
			continue;
		else if (cell_is(kind, "firing") || cell_is(kind, "pending"))
			take_level(r, c, cell_is(kind, "firing"));
		else if (cell_is(kind, "window") || cell_is(kind, "counter"))
			take_window(r, c, cell_is(kind, "counter"));
		else if (cell_is(kind, "disk") && !had_disk && r->ndisk < DISK_POINTS) {
			r->disk[r->ndisk].at = at(c, MEMORY_SEEN);
			r->disk[r->ndisk++].free = cell_num(&c[MEMORY_A], 0);
		} else if (cell_is(kind, "lag") && !had_lag)
			take_lag(r, c);
		else if (cell_is(kind, "standby"))
			take_standby(r, c);
		else if (cell_is(kind, "archived") && at(c, MEMORY_SEEN) > r->archived_at)
			r->archived_at = at(c, MEMORY_SEEN);
		else if (cell_is(kind, "event"))
			take_event(r, c);
	}
}
