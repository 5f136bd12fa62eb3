#include "config.h"

#include "ops/local_window.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LIST_MS = 120000, MAX_LIST = 256 << 20, NAME_LEN = 24, USUAL_SIZE = 16 << 20 };

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

static void
take_list(struct op *op, const struct json *root, struct wal_archive *out)
{
	out->items = arena_zalloc(&op->arena, (size_t)json_len(root) + 1, sizeof(*out->items));
	for (const struct json *v = json_child(root); v; v = json_next(v)) {
		const char *name = segment_of(json_name(v));
		struct wal_segment *s = &out->items[out->n];
		double at = 0;

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
	return ok;
}

/* ------------------------------------------------------------------ walking */

static const struct wal_segment *
find(const struct wal_archive *a, uint32_t timeline, int64_t number)
{
	const struct wal_segment key = { .timeline = timeline, .number = number };

	return a->n ? bsearch(&key, a->items, (size_t)a->n, sizeof(key), by_place) : NULL;
}

/* The segment after s: of its timeline, or where a later timeline has gone on in it. */
static const struct wal_segment *
next_of(const struct wal_archive *a, const struct wal_segment *s)
{
	const struct wal_segment *next = find(a, s->timeline, s->number + 1);

	for (int i = 0; !next && i < a->n; i++)
		if (a->items[i].timeline > s->timeline && a->items[i].number == s->number + 1)
			next = &a->items[i];
	/* A short timeline: its first segment is the one it branched off in. */
	for (int i = 0; !next && i < a->n; i++)
		if (a->items[i].timeline > s->timeline && a->items[i].number == s->number)
			next = &a->items[i];
	return next;
}

static bool
is_anything_after(const struct wal_archive *a, const struct wal_segment *s)
{
	for (int i = 0; i < a->n; i++)
		if (a->items[i].timeline >= s->timeline && a->items[i].number > s->number)
			return true;
	return false;
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
	for (const struct wal_segment *next = s; next; next = next_of(a, s))
		s = next;
	out->last = s;
	out->is_whole = s->number >= stop;
	if (!out->is_whole || is_anything_after(a, s))
		out->missing = wal_name(op, a, s->timeline, s->number + 1);
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
	for (const struct wal_segment *s = find(a, timeline, number); s; s = next_of(a, s))
		if (s->at.us >= at.us)
			return s;
	return NULL;
}

/* ------------------------------------------------------------------ saying */

struct range {
	struct wall from, to;
	const char *label, *missing;
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
		doc_pair(doc, i ? "" : "recoverable", ROLE_NORMAL, "%s to %s, from %s",
		    wall_rfc3339(ranges[i].from, from, sizeof(from)),
		    wall_rfc3339(ranges[i].to, to, sizeof(to)), ranges[i].label);
		if (*ranges[i].missing)
			doc_pair(doc, "gap", ROLE_WARN,
			    "WAL segment %s is missing: nothing %s %s%s", ranges[i].missing,
			    i + 1 < n ? "between" : "after",
			    wall_rfc3339(ranges[i].to, to, sizeof(to)),
			    i + 1 < n ? arena_printf(&op->arena, " and %s",
			                    wall_rfc3339(ranges[i + 1].from, from, sizeof(from))) :
			                "");
	}
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
