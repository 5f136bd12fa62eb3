/*
 * JSON text that is handed on without being taken apart: read strictly, written anew. What comes
 * out is valid, compact and harmless on a terminal whatever was in the strings; numbers stay as
 * they are written, so 64-bit integers stay exact.
 */
#include "config.h"

#include <string.h>

#include "base/json.h"
#include "base/utf8.h"

enum { MAX_NESTING = 64, MAX_STRING = 1 << 20 };

struct scan {
	const char *p, *end;
	struct strbuf *out;
	struct strbuf text; /* the last string, without quotes and escapes */
	int depth;
};

static bool read_value(struct scan *s);

static void
blanks(struct scan *s)
{
	while (s->p < s->end && (*s->p == ' ' || *s->p == '\t' || *s->p == '\n' || *s->p == '\r'))
		s->p++;
}

static bool
take(struct scan *s, char c)
{
	blanks(s);
	if (s->p >= s->end || *s->p != c)
		return false;
	s->p++;
	return true;
}

static bool
hex4(struct scan *s, uint32_t *cp)
{
	*cp = 0;
	if (s->end - s->p < 4)
		return false;
	for (int i = 0; i < 4; i++, s->p++) {
		const char *digits = "0123456789abcdef0123456789ABCDEF";
		const char *at = *s->p ? strchr(digits, *s->p) : NULL;

		if (!at)
			return false;
		*cp = *cp * 16 + (uint32_t)((at - digits) % 16);
	}
	return true;
}

/* What follows "\u": one code point, of two such where it is beyond the basic plane. */
static bool
read_code(struct scan *s)
{
	uint32_t cp, low;
	char buf[4];

	if (!hex4(s, &cp))
		return false;
	if (cp >= 0xd800 && cp < 0xdc00 && s->end - s->p >= 6 && s->p[0] == '\\' &&
	    s->p[1] == 'u') {
		s->p += 2;
		if (!hex4(s, &low) || low < 0xdc00 || low > 0xdfff)
			return false;
		cp = 0x10000 + ((cp - 0xd800) << 10) + (low - 0xdc00);
	} else if (cp >= 0xd800 && cp < 0xe000) {
		cp = 0xfffd;
	}
	strbuf_add(&s->text, buf, utf8_encode(cp, buf));
	return true;
}

static bool
read_escape(struct scan *s)
{
	static const char names[] = "\"\\/bfnrt", values[] = "\"\\/\b\f\n\r\t";
	const char *at;

	if (s->p >= s->end || !*s->p)
		return false;
	if (*s->p == 'u') {
		s->p++;
		return read_code(s);
	}
	at = strchr(names, *s->p++);
	if (!at)
		return false;
	strbuf_addc(&s->text, values[at - names]);
	return true;
}

static bool
read_string(struct scan *s)
{
	strbuf_clear(&s->text);
	if (!take(s, '"'))
		return false;
	while (s->p < s->end && *s->p != '"') {
		unsigned char c = (unsigned char)*s->p++;

		if (c < 0x20 || s->text.len > MAX_STRING || (c == '\\' && !read_escape(s)))
			return false;
		if (c != '\\')
			strbuf_addc(&s->text, (char)c);
	}
	return take(s, '"');
}

static size_t
digits(struct scan *s)
{
	const char *start = s->p;

	while (s->p < s->end && *s->p >= '0' && *s->p <= '9')
		s->p++;
	return (size_t)(s->p - start);
}

static bool
read_number(struct scan *s)
{
	const char *start = s->p;

	s->p += *s->p == '-';
	if (s->p < s->end && *s->p == '0')
		s->p++;
	else if (!digits(s))
		return false;
	if (s->p < s->end && *s->p == '.') {
		s->p++;
		if (!digits(s))
			return false;
	}
	if (s->p < s->end && (*s->p == 'e' || *s->p == 'E')) {
		s->p++;
		s->p += s->p < s->end && (*s->p == '-' || *s->p == '+');
		if (!digits(s))
			return false;
	}
	strbuf_add(s->out, start, (size_t)(s->p - start));
	return true;
}

static bool
read_word(struct scan *s)
{
	static const char *const words[] = { "true", "false", "null" };

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
		size_t n = strlen(words[i]);

		if ((size_t)(s->end - s->p) < n || memcmp(s->p, words[i], n) != 0)
			continue;
		s->p += n;
		strbuf_adds(s->out, words[i]);
		return true;
	}
	return false;
}

/* An array or object, from its opening bracket. */
static bool
read_members(struct scan *s, char open, char close)
{
	bool first = true;

	if (!take(s, open) || ++s->depth > MAX_NESTING)
		return false;
	strbuf_addc(s->out, open);
	while (!take(s, close)) {
		if (!first && !take(s, ','))
			return false;
		if (!first)
			strbuf_addc(s->out, ',');
		first = false;
		if (open == '{') {
			if (!read_string(s) || !take(s, ':'))
				return false;
			json_str(s->out, s->text.buf, s->text.len);
			strbuf_addc(s->out, ':');
		}
		if (!read_value(s))
			return false;
	}
	strbuf_addc(s->out, close);
	s->depth--;
	return true;
}

static bool
read_value(struct scan *s)
{
	blanks(s);
	if (s->p >= s->end)
		return false;
	switch (*s->p) {
	case '[':
		return read_members(s, '[', ']');
	case '{':
		return read_members(s, '{', '}');
	case '"':
		if (!read_string(s))
			return false;
		json_str(s->out, s->text.buf, s->text.len);
		return true;
	case 't':
	case 'f':
	case 'n':
		return read_word(s);
	}
	return read_number(s);
}

bool
json_copy(struct strbuf *out, const char *text, size_t len)
{
	struct strbuf sb = STRBUF_INIT(2 * MAX_STRING);
	struct scan s = {
		.p = text, .end = text + len, .out = &sb, .text = STRBUF_INIT(2 * MAX_STRING)
	};
	bool ok = read_value(&s);

	blanks(&s);
	ok = ok && s.p == s.end;
	if (ok)
		strbuf_add(out, sb.buf, sb.len);
	strbuf_release(&s.text);
	strbuf_release(&sb);
	return ok;
}

bool
json_list_next(struct json_list *l, struct strbuf *item)
{
	struct scan s = {
		.p = l->p, .end = l->end, .out = item, .text = STRBUF_INIT(2 * MAX_STRING)
	};
	bool ok = l->p < l->end && take(&s, l->n ? ',' : '[');

	strbuf_clear(item);
	blanks(&s);
	if (ok && s.p < s.end && *s.p == '"') {
		ok = read_string(&s);
		strbuf_add(item, s.text.buf, s.text.len);
	} else if (ok) {
		ok = s.p < s.end && *s.p != ']' && read_value(&s);
	}
	l->p = ok ? s.p : l->end;
	l->n += ok;
	strbuf_release(&s.text);
	return ok;
}
