/*
 * Lines are put together first, each bounded; what is longer loses its end. In a stderr log an
 * entry is a line with a severity, the lines that continue it (the server puts a tab before them)
 * and the labelled lines of the same process below it (DETAIL, HINT, …). In csvlog a record may
 * hold line breaks within quotes, in jsonlog a line is an entry.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/compat.h"
#include "base/mem.h"
#include "base/strbuf.h"
#include "model/logkind.h"
#include "model/logparse_priv.h"
#include "model/logwords.h"

enum { LINE_MAX_BYTES = 256 << 10, FIELD_MAX_BYTES = 64 << 10 };

const char *const log_format_names[] = { "stderr", "csvlog", "jsonlog", NULL };

/* Parts of a stderr entry, in the order of enum log_label; the first is the message. */
enum { PARTS = LOGLABEL_BACKTRACE + 1 };

struct log_parser {
	enum log_format format;
	struct log_prefix prefix;
	bool has_prefix;
	struct log_zone zone;
	struct log_parser_counts counts;

	int64_t offset; /* of the next byte */
	bool is_middle; /* no entry has begun yet since a seek into the middle */
	bool is_torn;   /* the next line may have begun before */
	struct strbuf line;
	int64_t line_offset;
	int quotes; /* in the line so far, csvlog */

	/* the entry that is being read */
	bool has_entry, is_raw;
	struct log_entry entry;
	struct strbuf head; /* its first line, which the prefix's texts point into */
	struct strbuf parts[PARTS];
	int part; /* that a continuation belongs to */

	/* the csvlog record that is being read */
	struct strbuf record;
	bool in_quotes;
};

/* Prefixes that are common or fixed (RDS), for logs whose own is not known or was another one. */
static const char *const common_prefixes[] = {
	"%m [%p] %q%u@%d/%a ",
	"%m [%p] %q%u@%d ",
	"%m [%p] ",
	"%t:%r:%u@%d:[%p]:",
	"%t [%p]: [%l-1] user=%u,db=%d,app=%a,client=%h ",
	"%t [%p]: user=%u,db=%d,app=%a,client=%h ",
	"%t [%p-%l] %q%u@%d ",
};

void
log_parser_set(struct log_parser *p, const char *prefix, const struct log_zone *zone)
{
	if (!p)
		return;
	p->has_prefix = prefix != NULL;
	if (prefix)
		logprefix_compile(&p->prefix, prefix);
	if (zone)
		p->zone = *zone;
}

struct log_parser *
log_parser_new(enum log_format format, const char *prefix, const struct log_zone *zone)
{
	struct log_parser *p = xcalloc(1, sizeof(*p));

	p->format = format;
	log_parser_set(p, prefix, zone);
	strbuf_init(&p->line, LINE_MAX_BYTES);
	strbuf_init(&p->head, LINE_MAX_BYTES);
	strbuf_init(&p->record, LINE_MAX_BYTES);
	for (int i = 0; i < PARTS; i++)
		strbuf_init(&p->parts[i], FIELD_MAX_BYTES);
	return p;
}

void
log_parser_free(struct log_parser *p)
{
	if (!p)
		return;
	strbuf_release(&p->line);
	strbuf_release(&p->head);
	strbuf_release(&p->record);
	for (int i = 0; i < PARTS; i++)
		strbuf_release(&p->parts[i]);
	free(p);
}

static void
clear(struct strbuf *sb)
{
	strbuf_clear(sb);
	sb->cut = false;
}

void
log_parser_seek(struct log_parser *p, int64_t offset, bool is_middle)
{
	p->offset = offset;
	p->is_middle = p->is_torn = is_middle;
	p->has_entry = p->is_raw = p->in_quotes = false;
	clear(&p->line);
	clear(&p->record);
	p->quotes = 0;
}

static void
give(struct log_parser *p, struct log_entry *e, log_take *take, void *arg)
{
	if (!e->message.s)
		e->message = (struct log_text){ "", 0 };
	logkind_classify(e);
	p->counts.entries++;
	p->counts.strange_words += e->is_strange;
	take(arg, e);
}

/* ------------------------------------------------------------------ stderr */

static struct log_text
part_text(struct log_parser *p, int part)
{
	struct strbuf *sb = &p->parts[part];

	p->entry.is_cut |= sb->cut;
	return sb->len ? (struct log_text){ sb->buf, sb->len } : (struct log_text){ NULL, 0 };
}

static void
end_entry(struct log_parser *p, log_take *take, void *arg)
{
	struct log_entry *e = &p->entry;

	if (!p->has_entry)
		return;
	p->has_entry = false;
	e->message = part_text(p, LOGLABEL_NONE);
	e->detail = part_text(p, LOGLABEL_DETAIL);
	e->hint = part_text(p, LOGLABEL_HINT);
	e->query = part_text(p, LOGLABEL_QUERY);
	e->context = part_text(p, LOGLABEL_CONTEXT);
	e->location = part_text(p, LOGLABEL_LOCATION);
	e->statement = part_text(p, LOGLABEL_STATEMENT);
	if (p->parts[LOGLABEL_BACKTRACE].len && !e->context.s)
		e->context = part_text(p, LOGLABEL_BACKTRACE);
	give(p, e, take, arg);
}

/* Entry of a line whose prefix and word have been read into `e`, pointing into p->head. */
static void
begin_entry(struct log_parser *p, const struct log_entry *e, size_t message, bool is_cut)
{
	p->entry = *e;
	p->entry.offset = p->line_offset;
	p->entry.is_cut = is_cut;
	p->has_entry = true;
	p->is_raw = false;
	p->part = LOGLABEL_NONE;
	for (int i = 0; i < PARTS; i++)
		clear(&p->parts[i]);
	strbuf_add(&p->parts[0], p->head.buf + message, p->head.len - message);
}

/* The prefix of a line: its own, one of the common ones, or what can be guessed. */
static int
read_prefix(struct log_parser *p, const char *s, size_t len, struct log_entry *e)
{
	struct log_prefix common;
	int n = -1;

	if (p->has_prefix)
		n = logprefix_match(&p->prefix, &p->zone, false, s, len, e);
	for (size_t i = 0; n < 0 && i < ARRAY_LEN(common_prefixes); i++) {
		memset(e, 0, sizeof(*e));
		logprefix_compile(&common, common_prefixes[i]);
		n = logprefix_match(&common, &p->zone, false, s, len, e);
		/* What fits at once is what the next line is tried with. */
		if (n >= 0 && !p->has_prefix) {
			p->prefix = common;
			p->has_prefix = true;
		}
	}
	if (n >= 0)
		return n;
	memset(e, 0, sizeof(*e));
	n = logprefix_guess(&p->zone, s, len, e);
	if (n >= 0 && (e->time_us || n == 0))
		return n;
	memset(e, 0, sizeof(*e));
	n = p->has_prefix && p->prefix.n > 0 ?
	    logprefix_match(&p->prefix, &p->zone, true, s, len, e) :
	    -1;
	return n;
}

/* A line of something else than the server: an archive command, a library, a shell. */
static void
take_raw(struct log_parser *p, const char *s, size_t len, bool is_cut, log_take *take, void *arg)
{
	struct log_entry e = { .severity = LOGSEV_NONE };

	p->counts.strange_lines++;
	if (p->has_entry && p->is_raw) {
		strbuf_addc(&p->parts[0], '\n');
		strbuf_add(&p->parts[0], s, len);
		return;
	}
	end_entry(p, take, arg);
	clear(&p->head);
	strbuf_add(&p->head, s, len);
	begin_entry(p, &e, 0, is_cut);
	p->is_raw = true;
}

static void
continue_part(struct log_parser *p, const char *s, size_t len, bool is_cut)
{
	strbuf_addc(&p->parts[p->part], '\n');
	strbuf_add(&p->parts[p->part], s, len);
	p->entry.is_cut |= is_cut;
}

static void
take_label(struct log_parser *p, enum log_label label, const struct log_entry *e, const char *s,
    size_t len, bool is_cut)
{
	/* Of an entry that began before what has been read, or of another process: nothing to add
	 * it to. */
	if (!p->has_entry || p->is_raw || (e->pid && p->entry.pid && e->pid != p->entry.pid))
		return;
	p->part = label;
	clear(&p->parts[label]);
	strbuf_add(&p->parts[label], s, len);
	p->entry.is_cut |= is_cut;
}

/* At the end of a portion RDS puts this in the place of the rest of a long message. */
static bool
is_truncated_by_rds(const char *s, size_t len)
{
	static const char mark[] = "[Your log message was truncated]";
	size_t n = sizeof(mark) - 1;

	return len >= n && memcmp(s + len - n, mark, n) == 0;
}

static void
take_stderr(struct log_parser *p, const char *s, size_t len, bool is_cut, log_take *take, void *arg)
{
	struct log_entry e = { .severity = LOGSEV_NONE };
	enum log_label label;
	size_t used;
	int n;

	is_cut |= is_truncated_by_rds(s, len);
	if (len > 0 && (*s == '\t' || is_cut) && p->has_entry && !p->is_raw &&
	    (*s == '\t' || *s == '[')) {
		continue_part(p, s + (*s == '\t'), len - (*s == '\t'), is_cut);
		return;
	}
	if (len > 0 && *s == '\t')
		return;
	n = read_prefix(p, s, len, &e);
	if (n >= 0 && logwords_label(s + n, len - (size_t)n, &label, &used)) {
		take_label(p, label, &e, s + n + used, len - (size_t)n - used, is_cut);
		return;
	}
	if (n < 0) {
		/* An empty line within a text has its tab too: this one is nobody's. */
		if (len > 0 && (p->has_entry || !p->is_middle))
			take_raw(p, s, len, is_cut, take, arg);
		return;
	}
	/* Once more, from the copy that the texts are to point into. */
	end_entry(p, take, arg);
	clear(&p->head);
	strbuf_add(&p->head, s, len);
	memset(&e, 0, sizeof(e));
	n = read_prefix(p, p->head.buf, p->head.len, &e);
	if (n < 0)
		return;
	s = p->head.buf + n;
	len = p->head.len - (size_t)n;
	if (!logwords_severity(s, len, &e.severity, &used)) {
		used = logprefix_word(s, len);
		logparse_severity(&e, (struct log_text){ s, used ? used - 3 : 0 });
	}
	p->is_middle = false;
	begin_entry(p, &e, (size_t)n + used, is_cut);
}

/* ------------------------------------------------------------------ records */

static void
give_record(struct log_parser *p, struct strbuf *text, bool is_cut, log_take *take, void *arg)
{
	struct log_entry e = { .offset = p->entry.offset, .is_cut = is_cut };
	bool ok = p->format == LOGFORMAT_CSV ? logparse_csv(&p->zone, text->buf, text->len, &e) :
	                                       logparse_json(&p->zone, text->buf, text->len, &e);

	e.is_cut = is_cut;
	if (ok) {
		p->is_middle = false;
		give(p, &e, take, arg);
	} else {
		p->counts.strange_lines++;
	}
}

/* Does a record begin here? One that is not read from its beginning is passed over. */
static bool
begins_record(const struct log_parser *p, const char *s, size_t len)
{
	int64_t us;
	size_t used;

	return logtime_read(&p->zone, s, len, &us, &used) && used < len && s[used] == ',';
}

static void
take_csv(struct log_parser *p, const char *s, size_t len, bool is_cut, log_take *take, void *arg)
{
	bool is_odd = p->quotes % 2 != 0;

	/* In the middle of a file a line may belong to a text: only what looks like a record is
	 * one, and when it turns out to be none, the next that does is. */
	if (p->in_quotes && p->is_middle && begins_record(p, s, len)) {
		p->in_quotes = false;
		clear(&p->record);
	}
	if (!p->in_quotes) {
		if (!begins_record(p, s, len)) {
			p->counts.strange_lines += !p->is_middle;
			return;
		}
		p->entry.offset = p->line_offset;
		clear(&p->record);
	} else {
		strbuf_addc(&p->record, '\n');
	}
	strbuf_add(&p->record, s, len);
	p->record.cut |= is_cut;
	p->in_quotes ^= is_odd;
	if (p->in_quotes && is_truncated_by_rds(s, len)) {
		p->in_quotes = false;
		p->record.cut = true;
	}
	if (!p->in_quotes)
		give_record(p, &p->record, p->record.cut, take, arg);
}

static void
take_json(struct log_parser *p, const char *s, size_t len, bool is_cut, log_take *take, void *arg)
{
	if (len == 0 || (p->is_middle && *s != '{'))
		return;
	p->entry.offset = p->line_offset;
	clear(&p->head);
	strbuf_add(&p->head, s, len);
	give_record(p, &p->head, is_cut, take, arg);
}

/* ------------------------------------------------------------------ lines */

static void
take_line(struct log_parser *p, const char *s, size_t len, bool is_cut, log_take *take, void *arg)
{
	if (len > 0 && s[len - 1] == '\r')
		len--;
	if (p->is_torn)
		p->is_torn = false;
	else if (p->format == LOGFORMAT_CSV)
		take_csv(p, s, len, is_cut, take, arg);
	else if (p->format == LOGFORMAT_JSON)
		take_json(p, s, len, is_cut, take, arg);
	else
		take_stderr(p, s, len, is_cut, take, arg);
	p->quotes = 0;
}

static int
count_quotes(const char *s, size_t len)
{
	int n = 0;

	for (const char *end = s + len; (s = memchr(s, '"', (size_t)(end - s))); s++)
		n++;
	return n;
}

void
log_parser_feed(struct log_parser *p, const char *s, size_t len, log_take *take, void *arg)
{
	while (len > 0) {
		const char *end = memchr(s, '\n', len);
		size_t n = end ? (size_t)(end - s) : len;

		if (p->line.len == 0 && !p->line.cut)
			p->line_offset = p->offset;
		if (p->format == LOGFORMAT_CSV)
			p->quotes += count_quotes(s, n);
		if (end && p->line.len == 0 && n <= LINE_MAX_BYTES) {
			take_line(p, s, n, false, take, arg);
		} else {
			strbuf_add(&p->line, s, n);
			if (end)
				take_line(p, p->line.buf, p->line.len, p->line.cut, take, arg);
			if (end)
				clear(&p->line);
		}
		n += end != NULL;
		s += n;
		len -= n;
		p->offset += (int64_t)n;
	}
}

void
log_parser_flush(struct log_parser *p, log_take *take, void *arg)
{
	if (p->line.len == 0)
		end_entry(p, take, arg);
}

bool
log_parser_is_waiting(const struct log_parser *p)
{
	return p->has_entry || p->line.len > 0 || p->in_quotes;
}

struct log_parser_counts
log_parser_counts(const struct log_parser *p)
{
	return p->counts;
}
