#include "config.h"

#include "base/checks.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/utf8.h"

enum { MAX_TEXT = 4096, INDENT = 24 };

void
checks_release(struct checks *c)
{
	free(c->items);
	arena_release(&c->arena);
	memset(c, 0, sizeof(*c));
}

static const char *
format(struct checks *c, const char *before, const char *fmt, va_list ap)
{
	struct strbuf sb = STRBUF_INIT(MAX_TEXT);
	const char *text;

	if (*before)
		strbuf_addf(&sb, "%s\n", before);
	strbuf_addv(&sb, fmt, ap);
	text = arena_strndup(&c->arena, sb.buf, sb.len);
	strbuf_release(&sb);
	return text;
}

struct check *
check_add(struct checks *c, const char *area, enum check_state state, const char *fmt, ...)
{
	va_list ap;

	GROW(c->items, c->n, c->cap);
	va_start(ap, fmt);
	c->items[c->n++] = (struct check){ .area = area,
		.state = state,
		.what = format(c, "", fmt, ap),
		.evidence = "",
		.remedy = "" };
	va_end(ap);
	return &c->items[c->n - 1];
}

void
check_evidence(struct checks *c, const char *fmt, ...)
{
	struct check *last = &c->items[c->n - 1];
	va_list ap;

	va_start(ap, fmt);
	last->evidence = format(c, last->evidence, fmt, ap);
	va_end(ap);
}

void
check_remedy(struct checks *c, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	c->items[c->n - 1].remedy = format(c, "", fmt, ap);
	va_end(ap);
}

const char *
check_state_name(enum check_state state)
{
	static const char *const names[] = { "ok", "warn", "fail", "unknown" };

	return names[state];
}

static void
member(struct strbuf *out, bool *first, const char *key, const char *value)
{
	json_key(out, first, key);
	json_str(out, value, strlen(value));
}

void
checks_json(struct strbuf *out, const struct checks *c, const char *area_key)
{
	strbuf_addc(out, '[');
	for (int i = 0; i < c->n; i++) {
		const struct check *item = &c->items[i];
		bool first = true;

		strbuf_adds(out, i ? ",{" : "{");
		member(out, &first, area_key, item->area);
		member(out, &first, "state", check_state_name(item->state));
		member(out, &first, "what", item->what);
		member(out, &first, "evidence", item->evidence);
		member(out, &first, "remedy", item->remedy);
		strbuf_addc(out, '}');
	}
	strbuf_addc(out, ']');
}

/*
 * Clean text at the indentation, broken between words where cols are set; the first line continues
 * the one that is begun.
 */
static void
add_wrapped(struct strbuf *out, const char *text, int indent, int cols)
{
	size_t room = cols > indent + 20 ? (size_t)(cols - indent) : SIZE_MAX, len;

	for (;;) {
		len =
		    room == SIZE_MAX ? strlen(text) : utf8_fit(text, strlen(text), (int)room, NULL);
		if (text[len])
			for (size_t i = len; i > 0; i--)
				if (text[i] == ' ') {
					len = i;
					break;
				}
		strbuf_add(out, text, len);
		strbuf_addc(out, '\n');
		text += len;
		text += strspn(text, " ");
		if (!*text || !len)
			return;
		strbuf_addf(out, "%*s", indent, "");
	}
}

/* Lines of what came from outside, made safe, each behind the indentation. */
static void
add_lines(struct strbuf *out, const char *label, const char *text, int cols)
{
	struct strbuf clean = STRBUF_INIT(MAX_TEXT);

	while (*text) {
		size_t len = strcspn(text, "\n");

		strbuf_clear(&clean);
		utf8_clean(&clean, text, len, true);
		strbuf_addf(out, "%*s%s", INDENT, "", label);
		add_wrapped(out, clean.buf, INDENT + (int)strlen(label), cols);
		text += len + (text[len] == '\n');
		if (*label)
			label = "      ";
	}
	strbuf_release(&clean);
}

void
checks_text(struct strbuf *out, const struct checks *c, int cols)
{
	struct strbuf clean = STRBUF_INIT(MAX_TEXT);

	for (int i = 0; i < c->n; i++) {
		const struct check *item = &c->items[i];

		strbuf_clear(&clean);
		utf8_clean(&clean, item->what, strlen(item->what), true);
		strbuf_addf(out, "%-8s%-16s", check_state_name(item->state), item->area);
		add_wrapped(out, clean.buf, INDENT, cols);
		add_lines(out, "", item->evidence, cols);
		add_lines(out, "HINT: ", item->remedy, cols);
	}
	strbuf_release(&clean);
}
