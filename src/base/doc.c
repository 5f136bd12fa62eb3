/* Text with roles, line by line. */
#include "config.h"

#include "base/doc.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/strbuf.h"
#include "base/utf8.h"

enum {
	LABEL_COLS = 22,
	MAX_TEXT = 4 * 1024 * 1024, /* of one addition: a statement text of the longest setting */
};

void
doc_release(struct doc *doc)
{
	free(doc->lines);
	arena_release(&doc->arena);
	memset(doc, 0, sizeof(*doc));
}

void
doc_reset(struct doc *doc)
{
	arena_reset(&doc->arena);
	doc->n = 0;
}

/* The lines of a clean text; the first starts with a label of so many bytes, the others are
 * indented by as many blanks as it has columns. */
static void
add_lines(struct doc *doc, enum role role, const char *label, const char *text, size_t len)
{
	int label_len = (int)strlen(label), cols = utf8_width(label, strlen(label));
	const char *end;
	size_t n;

	for (bool is_first = true;; is_first = false) {
		end = memchr(text, '\n', len);
		n = end ? (size_t)(end - text) : len;
		GROW(doc->lines, doc->n, doc->cap);
		doc->lines[doc->n++] = (struct doc_line){
			.role = role,
			.label_len = is_first ? label_len : 0,
			.text = is_first ?
			    arena_printf(&doc->arena, "%s%.*s", label, (int)n, text) :
			    arena_printf(&doc->arena, "%*s%.*s", cols, "", (int)n, text),
		};
		if (!end)
			return;
		text += n + 1;
		len -= n + 1;
		/* A text that ends with a line end has no empty line behind it. */
		if (!len)
			return;
	}
}

static void
add_clean(struct doc *doc, enum role role, const char *label, const char *s, size_t len)
{
	struct strbuf clean = STRBUF_INIT(MAX_TEXT);

	utf8_clean(&clean, s, len, false);
	add_lines(doc, role, label, clean.buf, clean.len);
	strbuf_release(&clean);
}

void
doc_text(struct doc *doc, enum role role, const char *s, size_t len)
{
	add_clean(doc, role, "", s, len);
}

void
doc_add(struct doc *doc, enum role role, const char *fmt, ...)
{
	struct strbuf text = STRBUF_INIT(MAX_TEXT);
	va_list ap;

	va_start(ap, fmt);
	strbuf_addv(&text, fmt, ap);
	va_end(ap);
	add_clean(doc, role, "", text.buf, text.len);
	strbuf_release(&text);
}

void
doc_pair(struct doc *doc, const char *label, enum role role, const char *fmt, ...)
{
	struct strbuf text = STRBUF_INIT(MAX_TEXT), padded = STRBUF_INIT(1024);
	va_list ap;
	int cols;

	utf8_clean(&padded, label, strlen(label), true);
	cols = utf8_width(padded.buf, padded.len);
	do
		strbuf_addc(&padded, ' ');
	while (++cols < LABEL_COLS);
	va_start(ap, fmt);
	strbuf_addv(&text, fmt, ap);
	va_end(ap);
	add_clean(doc, role, padded.buf, text.buf, text.len);
	strbuf_release(&text);
	strbuf_release(&padded);
}

/* A clean line, of which so many bytes are the label. */
static void
add_line(struct doc *doc, enum role role, int label_len, const char *text)
{
	GROW(doc->lines, doc->n, doc->cap);
	doc->lines[doc->n++] = (struct doc_line){
		.role = role, .label_len = label_len, .text = arena_strdup(&doc->arena, text)
	};
}

void
doc_append(struct doc *doc, const struct doc *from)
{
	for (int i = 0; i < from->n; i++)
		add_line(doc, from->lines[i].role, from->lines[i].label_len, from->lines[i].text);
}

void
doc_pack(const struct doc *doc, struct strbuf *out)
{
	for (int i = 0; i < doc->n; i++)
		strbuf_addf(out, "%d %d %s\n", (int)doc->lines[i].role, doc->lines[i].label_len,
		    doc->lines[i].text);
}

void
doc_unpack(struct doc *doc, const char *packed)
{
	struct strbuf line = STRBUF_INIT(MAX_TEXT);
	int role, label, used;

	for (const char *end; *packed; packed = *end ? end + 1 : end) {
		end = packed + strcspn(packed, "\n");
		used = 0;
		if (sscanf(packed, "%3d %6d%n", &role, &label, &used) != 2 || role < 0 ||
		    role >= ROLE_COUNT || label < 0 || packed + used >= end ||
		    label >= end - packed - used) {
			doc_text(doc, ROLE_NORMAL, packed, (size_t)(end - packed));
			continue;
		}
		strbuf_clear(&line);
		utf8_clean(&line, packed + used + 1, (size_t)(end - packed - used - 1), false);
		add_line(doc, (enum role)role, label <= (int)line.len ? label : 0, line.buf);
	}
	strbuf_release(&line);
}
