#include "config.h"

#include "cloud/xml.h"

#include <expat.h>
#include <stdlib.h>
#include <string.h>

#include "base/strbuf.h"
#include "base/utf8.h"

struct builder {
	XML_Parser parser;
	struct arena *arena;
	struct xml *path[XML_MAX_DEPTH]; /* open elements */
	struct xml *last[XML_MAX_DEPTH]; /* the last child of each */
	struct strbuf text;
	struct xml *root;
	int depth, nodes;
	const char *refused;
};

/* ------------------------------------------------------------------ clean bytes */

/* Char of XML 1.0. */
static bool
is_char(uint32_t c)
{
	return c == '\t' || c == '\n' || c == '\r' || (c >= 0x20 && c < 0xd800) ||
	    (c >= 0xe000 && c < 0xfffe) || (c >= 0x10000 && c <= 0x10ffff);
}

/* The length of a reference at s, "&...;"; 0: none. *code: what a numeric one stands for. */
static size_t
reference(const char *s, const char *end, uint32_t *code)
{
	const char *p = s + 1;
	int base = 10;

	*code = 'x';
	if (p < end && *p == '#') {
		p++;
		if (p < end && *p == 'x') {
			base = 16;
			p++;
		}
		*code = 0;
		for (const char *start = p; p < end; p++) {
			int digit = *p >= '0' && *p <= '9'       ? *p - '0' :
			    (*p | 32) >= 'a' && (*p | 32) <= 'f' ? (*p | 32) - 'a' + 10 :
			                                           99;

			if (digit >= base)
				return *p == ';' && p > start ? (size_t)(p - s) + 1 : 0;
			if (*code <= 0x10ffff)
				*code = *code * (uint32_t)base + (uint32_t)digit;
		}
		return 0;
	}
	while (p < end && ((*p | 32) >= 'a' && (*p | 32) <= 'z'))
		p++;
	return p < end && *p == ';' && p > s + 1 ? (size_t)(p - s) + 1 : 0;
}

/* One character, or U+FFFD for what is none. */
static const char *
clean_char(struct strbuf *out, const char *s, const char *end)
{
	uint32_t c;
	size_t n = utf8_decode(s, (size_t)(end - s), &c);

	if (is_char(c) && (n > 1 || c < 0x80))
		strbuf_add(out, s, n);
	else
		strbuf_adds(out, "\xef\xbf\xbd");
	return s + n;
}

static void
clean(struct strbuf *out, const char *s, size_t len)
{
	static const char cdata[] = "<![CDATA[";
	const char *end = s + len;
	bool is_cdata = false;

	while (s < end) {
		size_t left = (size_t)(end - s), n;
		uint32_t code;

		if (!is_cdata && left >= 9 && memcmp(s, cdata, 9) == 0)
			is_cdata = true;
		else if (is_cdata && left >= 3 && memcmp(s, "]]>", 3) == 0)
			is_cdata = false;
		if (*s != '&' || is_cdata) {
			s = clean_char(out, s, end);
			continue;
		}
		n = reference(s, end, &code);
		if (!n) {
			strbuf_adds(out, "&amp;");
			s++;
		} else if (!is_char(code)) {
			strbuf_adds(out, "\xef\xbf\xbd");
			s += n;
		} else {
			strbuf_add(out, s, n);
			s += n;
		}
	}
}

/* ------------------------------------------------------------------ the tree */

static void
refuse(struct builder *b, const char *why)
{
	b->refused = why;
	XML_StopParser(b->parser, XML_FALSE);
}

static void XMLCALL
on_doctype(
    void *arg, const XML_Char *name, const XML_Char *sysid, const XML_Char *pubid, int subset)
{
	(void)name;
	(void)sysid;
	(void)pubid;
	(void)subset;
	refuse(arg, "it has a document type");
}

static void XMLCALL
on_start(void *arg, const XML_Char *name, const XML_Char **attributes)
{
	struct builder *b = arg;
	const char *colon = strrchr(name, ':');
	struct xml *node;

	(void)attributes;
	if (b->refused)
		return;
	if (b->depth == XML_MAX_DEPTH || b->nodes == XML_MAX_NODES) {
		refuse(b, b->depth == XML_MAX_DEPTH ? "it is nested too deeply" : "it is too long");
		return;
	}
	node = arena_zalloc(b->arena, 1, sizeof(*node));
	node->name = arena_strdup(b->arena, colon ? colon + 1 : name);
	node->text = "";
	b->nodes++;
	if (!b->depth) {
		b->root = node;
	} else {
		if (b->last[b->depth - 1])
			b->last[b->depth - 1]->next = node;
		else
			b->path[b->depth - 1]->child = node;
		b->last[b->depth - 1] = node;
	}
	b->path[b->depth] = node;
	b->last[b->depth] = NULL;
	b->depth++;
	strbuf_clear(&b->text);
}

static void XMLCALL
on_end(void *arg, const XML_Char *name)
{
	struct builder *b = arg;
	struct xml *node;

	(void)name;
	if (b->refused || !b->depth)
		return;
	node = b->path[--b->depth];
	if (!node->child && b->text.len)
		node->text = arena_strndup(b->arena, b->text.buf, b->text.len);
	strbuf_clear(&b->text);
}

static void XMLCALL
on_text(void *arg, const XML_Char *s, int len)
{
	struct builder *b = arg;

	if (!b->refused)
		strbuf_add(&b->text, s, (size_t)len);
}

const struct xml *
xml_parse(struct arena *arena, const char *s, size_t len, struct error *err)
{
	struct builder b = { .arena = arena, .text = STRBUF_INIT(XML_MAX_BYTES) };
	struct strbuf bytes = STRBUF_INIT(4 * (size_t)XML_MAX_BYTES);
	enum XML_Status status;

	if (len > XML_MAX_BYTES) {
		error_set(err, ERR_FORMAT, "the XML of %zu bytes is too long", len);
		return NULL;
	}
	b.parser = XML_ParserCreate("UTF-8"); /* whatever its declaration says */
	if (!b.parser)
		fatal("expat cannot make a parser");
	XML_SetUserData(b.parser, &b);
	XML_SetElementHandler(b.parser, on_start, on_end);
	XML_SetCharacterDataHandler(b.parser, on_text);
	XML_SetStartDoctypeDeclHandler(b.parser, on_doctype);
	clean(&bytes, s, len);
	status = XML_Parse(b.parser, bytes.buf, (int)bytes.len, 1);
	if (b.refused)
		error_set(err, ERR_FORMAT, "the XML is refused: %s", b.refused);
	else if (status != XML_STATUS_OK)
		error_set(err, ERR_FORMAT, "this is no XML: %s in line %lu",
		    XML_ErrorString(XML_GetErrorCode(b.parser)),
		    (unsigned long)XML_GetCurrentLineNumber(b.parser));
	if (b.refused || status != XML_STATUS_OK)
		b.root = NULL;
	XML_ParserFree(b.parser);
	strbuf_release(&b.text);
	strbuf_release(&bytes);
	return b.root;
}

const struct xml *
xml_get(const struct xml *node, const char *path)
{
	while (node && *path) {
		size_t len = strcspn(path, "/");
		const struct xml *child = node->child;

		while (child && (strncmp(child->name, path, len) != 0 || child->name[len] != '\0'))
			child = child->next;
		node = child;
		path += len + (path[len] == '/');
	}
	return node;
}

const char *
xml_text(const struct xml *node, const char *path)
{
	const struct xml *at = xml_get(node, path);

	return at ? at->text : "";
}

int64_t
xml_int(const struct xml *node, const char *path, int64_t other)
{
	const char *s = xml_text(node, path);
	char *end;
	long long v = strtoll(s, &end, 10);

	return end != s && !*end ? v : other;
}

bool
xml_true(const struct xml *node, const char *path)
{
	return strcmp(xml_text(node, path), "true") == 0;
}

int
xml_count(const struct xml *node, const char *path)
{
	const struct xml *at = xml_get(node, path);
	int n = 0;

	for (at = at ? at->child : NULL; at; at = at->next)
		n++;
	return n;
}
