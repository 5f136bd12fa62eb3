/* Text with roles, line by line. */
#include "config.h"

#include "base/doc.h"

#include <stdarg.h>
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
