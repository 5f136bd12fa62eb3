#include "config.h"

#include "ops/local_window.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	LIST_MS = 120000,
	MAX_LIST = 256 << 20,
	NAME_LEN = 24,
	USUAL_SIZE = 16 << 20,
	SEGMENT_HEADER = 40, /* XLogLongPageHeaderData */
};

static int64_t
per_log(const struct wal_archive *a)
{
	return INT64_C(0x100000000) / a->segment_size;
}

bool
wal_parse_name(const struct wal_archive *a, const char *name, uint32_t *timeline, int64_t *number)
{
	uint32_t parts[3];

	for (int i = 0; i < 3; i++) {
		char digits[9] = "";

		if (strspn(name + i * 8, "0123456789ABCDEF") < 8)
			return false;
		memcpy(digits, name + i * 8, 8);
		parts[i] = (uint32_t)strtoul(digits, NULL, 16);
	}
	*timeline = parts[0];
	*number = (int64_t)parts[1] * per_log(a) + parts[2];
	return true;
}

const char *
wal_name(struct op *op, const struct wal_archive *a, uint32_t timeline, int64_t number)
{
	return arena_printf(&op->arena, "%08X%08X%08X", timeline, (unsigned)(number / per_log(a)),
	    (unsigned)(number % per_log(a)));
}

/* ------------------------------------------------------------------ reading */

static int
by_place(const void *a, const void *b)
{
	const struct wal_segment *x = a, *y = b;

	if (x->timeline != y->timeline)
		return x->timeline < y->timeline ? -1 : 1;
	return x->number < y->number ? -1 : x->number > y->number;
}

/* "0000000100000000/000000010000000000000003-SHA1.lz4": the segment's name, else NULL. */
static const char *
segment_of(const char *path)
{
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;

	return strspn(name, "0123456789ABCDEF") == NAME_LEN && name[NAME_LEN] == '-' ? name : NULL;
}

/* "00000002.history": the timeline; 0: it is none. */
static uint32_t
history_of(const char *path)
{
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;

	return strspn(name, "0123456789ABCDEF") == 8 && strcmp(name + 8, ".history") == 0 ?
	    (uint32_t)strtoul(name, NULL, 16) :
	    0;
}

static void
take_list(struct op *op, const struct json *root, struct wal_archive *out)
{
	out->items = arena_zalloc(&op->arena, (size_t)json_len(root) + 1, sizeof(*out->items));
	for (const struct json *v = json_child(root); v; v = json_next(v)) {
		const char *name = segment_of(json_name(v));
		struct wal_segment *s = &out->items[out->n];
		uint32_t timeline = history_of(json_name(v));
		double at = 0;

		if (timeline > out->newest)
			out->newest = timeline;
		if (!name || !wal_parse_name(out, name, &s->timeline, &s->number))
			continue;
		if (json_number(json_get(v, "time"), &at))
			s->at.us = (int64_t)at * 1000000;
		out->n++;
	}
	qsort(out->items, (size_t)out->n, sizeof(*out->items), by_place);
}

bool
wal_archive_read(struct op *op, const struct pgbackrest_info *info, int64_t segment_size,
    struct wal_archive *out, struct error *err)
{
	const char *args[] = { "repo-ls", "--recurse", "--output=json",
		arena_printf(&op->arena, "archive/%s/%s", info->stanza, info->wal_id), NULL };
	struct strbuf text = STRBUF_INIT(MAX_LIST);
	struct json *root = NULL;
	uint32_t tip = 1;
	bool ok;

	*out = (struct wal_archive){ .segment_size = segment_size > 0 ? segment_size : USUAL_SIZE };
	if (!*info->wal_id)
		return true;
	ok = pgbackrest_run(op, args, LIST_MS, &text, err);
	if (ok) {
		root = json_parse(text.buf, text.len, err);
		ok = root || error_prefix(err, "pgbackrest repo-ls");
	}
	if (ok)
		take_list(op, root, out);
	json_free(root);
	strbuf_release(&text);
	for (int i = 0; ok && !out->newest && i < out->n; i++)
		if (out->items[i].timeline > tip)
			tip = out->items[i].timeline;
	return ok && wal_archive_follow(op, info, out, out->newest ? out->newest : tip, err);
}

/* Lines "PARENT<tab>LSN<tab>reason": the ancestors, and where each was left. */
static void
take_history(struct wal_archive *a, const char *text, uint32_t timeline, int most)
{
	int64_t begin = 0;

	for (; *text && a->nline < most; text += strcspn(text, "\n"), text += *text == '\n') {
		unsigned parent, hi, lo;

		if (sscanf(text, "%u %X/%X", &parent, &hi, &lo) != 3)
			continue;
		a->line[a->nline++] = (struct wal_branch){ parent, begin };
		begin = (int64_t)((uint64_t)hi << 32 | lo);
	}
	a->line[a->nline++] = (struct wal_branch){ timeline, begin };
}

bool
wal_archive_follow(struct op *op, const struct pgbackrest_info *info, struct wal_archive *a,
    uint32_t timeline, struct error *err)
{
	enum { MOST = 1000, MAX_HISTORY = 1 << 20 };
	const char *args[] = { "repo-get",
		arena_printf(
		    &op->arena, "archive/%s/%s/%08X.history", info->stanza, info->wal_id, timeline),
		NULL };
	struct strbuf text = STRBUF_INIT(MAX_HISTORY);
	bool ok = true;

	a->line = arena_zalloc(&op->arena, MOST + 1, sizeof(*a->line));
	a->nline = 0;
	/* The first timeline has none. */
	if (timeline > 1 && a->newest)
		ok = pgbackrest_run(op, args, LIST_MS, &text, err);
	if (ok)
		take_history(a, text.buf, timeline, MOST);
	strbuf_release(&text);
	return ok;
}

bool
wal_is_in_line(const struct wal_archive *a, uint32_t timeline, int64_t lsn)
{
	for (int i = 0; i < a->nline; i++)
		if (a->line[i].timeline == timeline)
			return lsn >= a->line[i].begin &&
			    (i + 1 == a->nline || lsn <= a->line[i + 1].begin);
	return false;
}

/* ------------------------------------------------------------------ walking */

static const struct wal_segment *
find(const struct wal_archive *a, uint32_t timeline, int64_t number)
{
	const struct wal_segment key = { .timeline = timeline, .number = number };

	return a->n ? bsearch(&key, a->items, (size_t)a->n, sizeof(key), by_place) : NULL;
}

/* The segment of that number on the line. That in which a timeline begins is read from the later
 * one; where that has none yet, the earlier one has all up to there. */
static const struct wal_segment *
on_line(const struct wal_archive *a, int64_t number)
{
	for (int i = a->nline - 1; i >= 0; i--) {
		int64_t first = a->line[i].begin / a->segment_size;
		const struct wal_segment *s =
		    first <= number ? find(a, a->line[i].timeline, number) : NULL;

		if (s || first < number)
			return s;
	}
	return NULL;
}

/* After s: on the line, or of its own timeline where that was left. */
static const struct wal_segment *
next_of(const struct wal_archive *a, const struct wal_segment *s, bool is_left)
{
	return is_left ? find(a, s->timeline, s->number + 1) : on_line(a, s->number + 1);
}

static bool
is_anything_after(const struct wal_archive *a, const struct wal_segment *s, bool is_left)
{
	for (int i = 0; i < a->n; i++) {
		const struct wal_segment *other = &a->items[i];

		if (other->number > s->number &&
		    (is_left ? other->timeline == s->timeline : on_line(a, other->number) == other))
			return true;
	}
	return false;
}

/* Was it made on a timeline after that was left? */
static bool
is_left_behind(const struct wal_archive *a, const struct pgbackrest_backup *b, uint32_t timeline)
{
	unsigned hi, lo;

	return sscanf(b->lsn_stop, "%X/%X", &hi, &lo) == 2 &&
	    !wal_is_in_line(a, timeline, (int64_t)((uint64_t)hi << 32 | lo));
}

void
wal_reach_of(struct op *op, const struct wal_archive *a, const struct pgbackrest_backup *b,
    struct wal_reach *out)
{
	uint32_t timeline, stop_timeline;
	int64_t number, stop;
	const struct wal_segment *s;

	*out = (struct wal_reach){ .missing = "" };
	if (!wal_parse_name(a, b->wal_start, &timeline, &number) ||
	    !wal_parse_name(a, b->wal_stop, &stop_timeline, &stop))
		return;
	s = find(a, timeline, number);
	if (!s) {
		out->missing = b->wal_start;
		return;
	}
	out->is_left = is_left_behind(a, b, stop_timeline);
	for (const struct wal_segment *next = s; next; next = next_of(a, s, out->is_left))
		s = next;
	out->last = s;
	out->is_whole = s->number >= stop;
	if (!out->is_whole || is_anything_after(a, s, out->is_left))
		out->missing = wal_name(op, a, s->timeline, s->number + 1);
}

bool
wal_has_all(const struct wal_archive *a, const struct wal_reach *reach, int64_t lsn)
{
	return reach->last && !*reach->missing &&
	    lsn <= (reach->last->number + 1) * a->segment_size + SEGMENT_HEADER;
}

const struct wal_segment *
wal_covers_time(
    struct op *op, const struct wal_archive *a, const struct pgbackrest_backup *b, struct wall at)
{
	struct wal_reach reach;
	uint32_t timeline;
	int64_t number;

	wal_reach_of(op, a, b, &reach);
	if (!reach.is_whole || !wal_parse_name(a, b->wal_start, &timeline, &number))
		return NULL;
	for (const struct wal_segment *s = find(a, timeline, number); s;
	     s = next_of(a, s, reach.is_left))
		if (s->at.us >= at.us)
			return s;
	return NULL;
}

/* ------------------------------------------------------------------ saying */

struct range {
	struct wall from, to;
	const char *label, *missing;
	uint32_t left; /* the timeline that was left; 0: of the line */
};

/* Ranges without a gap, oldest first; a backup within the reach of the one before adds nothing. */
static int
ranges_of(struct op *op, const struct wal_archive *a, const struct pgbackrest_info *info,
    struct range *ranges)
{
	const struct wal_segment *end = NULL;
	int n = 0;

	for (int i = 0; i < info->n; i++) {
		const struct pgbackrest_backup *b = &info->backups[i];
		struct wal_reach reach;

		wal_reach_of(op, a, b, &reach);
		if (!reach.is_whole || (n && reach.last == end))
			continue;
		end = reach.last;
		ranges[n++] = (struct range){
			.from = b->stop,
			.to = reach.last->at.us > b->stop.us ? reach.last->at : b->stop,
			.label = b->label,
			.missing = reach.missing,
			.left = reach.is_left ? reach.last->timeline : 0,
		};
	}
	return n;
}

bool
wal_window_doc(
    struct op *op, struct doc *doc, const struct wal_archive *a, const struct pgbackrest_info *info)
{
	struct range *ranges = arena_zalloc(&op->arena, (size_t)info->n + 1, sizeof(*ranges));
	int n = ranges_of(op, a, info, ranges);
	char from[40], to[40];

	for (int i = 0; i < n; i++) {
		doc_pair(doc, i ? "" : "recoverable", ROLE_NORMAL, "%s to %s, from %s%s",
		    wall_rfc3339(ranges[i].from, from, sizeof(from)),
		    wall_rfc3339(ranges[i].to, to, sizeof(to)), ranges[i].label,
		    ranges[i].left ?
		        arena_printf(&op->arena, ", on timeline %u that was left", ranges[i].left) :
		        "");
		if (*ranges[i].missing)
			doc_pair(doc, "gap", ROLE_WARN,
			    "WAL segment %s is missing: nothing %s %s%s", ranges[i].missing,
			    i + 1 < n ? "between" : "after",
			    wall_rfc3339(ranges[i].to, to, sizeof(to)),
			    i + 1 < n ? arena_printf(&op->arena, " and %s",
			                    wall_rfc3339(ranges[i + 1].from, from, sizeof(from))) :
			                "");
	}
	for (int i = 1; i < a->nline; i++)
		doc_pair(doc, i == 1 ? "timelines" : "", ROLE_NORMAL,
		    "%u begins at %X/%X, after %u", a->line[i].timeline,
		    (unsigned)(a->line[i].begin >> 32), (unsigned)a->line[i].begin,
		    a->line[i - 1].timeline);
	if (n == 0)
		doc_pair(doc, "recoverable", ROLE_WARN, "nothing");
	return n > 0;
}

const char *
wal_window_text(struct op *op, const struct wal_archive *a, const struct pgbackrest_info *info)
{
	struct range *ranges = arena_zalloc(&op->arena, (size_t)info->n + 1, sizeof(*ranges));
	int n = ranges_of(op, a, info, ranges);
	struct strbuf sb = STRBUF_INIT(200);
	char from[40], to[40];
	const char *text;

	for (int i = 0; i < n; i++)
		strbuf_addf(&sb, "%s%s to %s", i ? ", " : "",
		    wall_rfc3339(ranges[i].from, from, sizeof(from)),
		    wall_rfc3339(ranges[i].to, to, sizeof(to)));
	text = n ? arena_strndup(&op->arena, sb.buf, sb.len) : "nothing";
	strbuf_release(&sb);
	return text;
}
