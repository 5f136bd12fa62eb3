/* Text from outside made fit for a terminal, and its width there. */
#include "config.h"

#include "base/utf8.h"

#include <string.h>

#include "base/compat.h"
#include "base/utf8_table.h"

bool utf8_enabled = true;

enum {
	STAND_IN = 0xfffd,
	MAX_MARKS = 4, /* combining marks per character: real scripts need three */
	TAB_STOP = 8,
};

/* Characters that a terminal does not show, or that change how it shows others. */
static const struct utf8_range unsafe_ranges[] = {
	{ 0x0000, 0x001f },   /* C0 */
	{ 0x007f, 0x009f },   /* DEL, C1 */
	{ 0x00ad, 0x00ad },   /* soft hyphen */
	{ 0x034f, 0x034f },   /* combining grapheme joiner */
	{ 0x061c, 0x061c },   /* Arabic letter mark */
	{ 0x115f, 0x1160 },   /* Hangul fillers */
	{ 0x17b4, 0x17b5 },   /* Khmer inherent vowels */
	{ 0x180b, 0x180f },   /* Mongolian selectors and separator */
	{ 0x200b, 0x200f },   /* zero-width space, joiners, direction marks */
	{ 0x2028, 0x202e },   /* separators, bidi embeddings and overrides */
	{ 0x2060, 0x206f },   /* word joiner, invisible operators, bidi isolates */
	{ 0x3164, 0x3164 },   /* Hangul filler */
	{ 0xd800, 0xdfff },   /* surrogates */
	{ 0xfe00, 0xfe0f },   /* variation selectors */
	{ 0xfeff, 0xfeff },   /* byte order mark */
	{ 0xffa0, 0xffa0 },   /* halfwidth Hangul filler */
	{ 0xfff0, 0xfffb },   /* interlinear annotation */
	{ 0xfffe, 0xffff },   /* non-characters */
	{ 0x1bca0, 0x1bca3 }, /* shorthand format controls */
	{ 0x1d173, 0x1d17a }, /* musical format controls */
	{ 0xe0000, 0xe0fff }, /* tags, more variation selectors */
};

static bool
in_ranges(const struct utf8_range *r, size_t n, uint32_t cp)
{
	size_t low = 0, high = n, mid;

	while (low < high) {
		mid = (low + high) / 2;
		if (cp > r[mid].last)
			low = mid + 1;
		else if (cp < r[mid].first)
			high = mid;
		else
			return true;
	}
	return false;
}

size_t
utf8_decode(const char *s, size_t len, uint32_t *cp)
{
	const unsigned char *p = (const unsigned char *)s;
	uint32_t v, least;
	size_t n;

	if (p[0] < 0x80) {
		*cp = p[0];
		return 1;
	}
	*cp = STAND_IN;
	if (p[0] >= 0xc2 && p[0] <= 0xdf) {
		n = 2, v = p[0] & 0x1f, least = 0x80;
	} else if ((p[0] & 0xf0) == 0xe0) {
		n = 3, v = p[0] & 0x0f, least = 0x800;
	} else if (p[0] >= 0xf0 && p[0] <= 0xf4) {
		n = 4, v = p[0] & 0x07, least = 0x10000;
	} else {
		return 1;
	}
	if (len < n)
		return 1;
	for (size_t i = 1; i < n; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 1;
		v = v << 6 | (p[i] & 0x3f);
	}
	if (v < least || v > 0x10ffff || (v >= 0xd800 && v <= 0xdfff))
		return 1;
	*cp = v;
	return n;
}

size_t
utf8_encode(uint32_t cp, char out[4])
{
	if (cp > 0x10ffff || (cp >= 0xd800 && cp <= 0xdfff))
		cp = STAND_IN;
	if (cp < 0x80) {
		out[0] = (char)cp;
		return 1;
	}
	if (cp < 0x800) {
		out[0] = (char)(0xc0 | cp >> 6);
		out[1] = (char)(0x80 | (cp & 0x3f));
		return 2;
	}
	if (cp < 0x10000) {
		out[0] = (char)(0xe0 | cp >> 12);
		out[1] = (char)(0x80 | (cp >> 6 & 0x3f));
		out[2] = (char)(0x80 | (cp & 0x3f));
		return 3;
	}
	out[0] = (char)(0xf0 | cp >> 18);
	out[1] = (char)(0x80 | (cp >> 12 & 0x3f));
	out[2] = (char)(0x80 | (cp >> 6 & 0x3f));
	out[3] = (char)(0x80 | (cp & 0x3f));
	return 4;
}

int
utf8_cp_width(uint32_t cp)
{
	if (cp < 0x20 || (cp >= 0x7f && cp < 0xa0))
		return -1;
	if (cp < 0x300)
		return 1;
	if (in_ranges(zero_ranges, ARRAY_LEN(zero_ranges), cp))
		return 0;
	return in_ranges(wide_ranges, ARRAY_LEN(wide_ranges), cp) ? 2 : 1;
}

bool
utf8_cp_is_unsafe(uint32_t cp)
{
	if (cp >= 0x20 && cp < 0x7f)
		return false;
	return in_ranges(unsafe_ranges, ARRAY_LEN(unsafe_ranges), cp) ||
	    (cp >= 0x10000 && (cp & 0xfffe) == 0xfffe);
}

uint32_t
utf8_cp_fold(uint32_t cp)
{
	if (cp < 0x80)
		return cp >= 'A' && cp <= 'Z' ? cp + 32 : cp;
	if (cp >= 0xc0 && cp <= 0xde)
		return cp == 0xd7 ? cp : cp + 32;
	/* Latin Extended-A: pairs, even then odd, or odd then even in two stretches. */
	if ((cp >= 0x100 && cp <= 0x12f) || (cp >= 0x132 && cp <= 0x137) ||
	    (cp >= 0x14a && cp <= 0x177) || (cp >= 0x1e00 && cp <= 0x1e95) ||
	    (cp >= 0x460 && cp <= 0x481) || (cp >= 0x1ea0 && cp <= 0x1eff))
		return cp | 1;
	if ((cp >= 0x139 && cp <= 0x148) || (cp >= 0x179 && cp <= 0x17e))
		return cp + (cp & 1);
	if ((cp >= 0x391 && cp <= 0x3a9 && cp != 0x3a2) || (cp >= 0x410 && cp <= 0x42f))
		return cp + 32;
	return cp >= 0x400 && cp <= 0x40f ? cp + 80 : cp;
}

/* Does s begin with the folded needle? Folding may change the count of bytes, so both are walked;
 * *rest is what s has left. */
static bool
begins_fold(const char *s, size_t len, const char *needle, size_t needle_len, size_t *rest)
{
	uint32_t a, b;
	size_t n, m;

	while (needle_len) {
		if (!len)
			return false;
		n = utf8_decode(s, len, &a);
		m = utf8_decode(needle, needle_len, &b);
		if (utf8_cp_fold(a) != b)
			return false;
		/* Invalid bytes all decode to the stand-in: those must be equal themselves. */
		if (a == STAND_IN && (n != m || memcmp(s, needle, n) != 0))
			return false;
		s += n;
		len -= n;
		needle += m;
		needle_len -= m;
	}
	*rest = len;
	return true;
}

bool
utf8_equal_fold(const char *s, size_t len, const char *word, size_t word_len)
{
	size_t rest;

	return begins_fold(s, len, word, word_len, &rest) && !rest;
}

/* The nearer of the next lower and upper case letter; memchr looks at many bytes a step, and each
 * is asked anew only when it was passed. */
static bool
find_ascii(const char *s, size_t len, const char *needle, size_t needle_len)
{
	char low = needle[0], high = low >= 'a' && low <= 'z' ? (char)(low - 32) : low;
	const char *end = s + len, *a = memchr(s, low, len),
	           *b = high != low ? memchr(s, high, len) : NULL;
	size_t rest;

	while (a || b) {
		s = !b || (a && a < b) ? a : b;
		if (begins_fold(s, (size_t)(end - s), needle, needle_len, &rest))
			return true;
		s++;
		if (a && a < s)
			a = memchr(s, low, (size_t)(end - s));
		if (b && b < s)
			b = memchr(s, high, (size_t)(end - s));
	}
	return false;
}

bool
utf8_find_fold(const char *s, size_t len, const char *needle, size_t needle_len)
{
	unsigned char first, c;
	size_t rest;

	if (!needle_len)
		return true;
	first = (unsigned char)needle[0];
	if (first < 0x80)
		return len > 0 && find_ascii(s, len, needle, needle_len);
	for (size_t i = 0; i < len; i++) {
		c = (unsigned char)s[i];
		if ((c < 0x80 || (c & 0xc0) == 0x80) && c != first)
			continue;
		if (begins_fold(s + i, len - i, needle, needle_len, &rest))
			return true;
	}
	return false;
}

int
utf8_width(const char *s, size_t len)
{
	int width = 0, w;
	uint32_t cp;
	size_t n;

	for (; len; s += n, len -= n) {
		if (*s >= 0x20 && *s < 0x7f) {
			n = 1;
			width++;
			continue;
		}
		n = utf8_decode(s, len, &cp);
		w = utf8_cp_width(cp);
		width += w > 0 ? w : 0;
	}
	return width;
}

size_t
utf8_fit(const char *s, size_t len, int cols, int *used)
{
	size_t at = 0, n;
	int width = 0, w;
	uint32_t cp;

	while (at < len) {
		n = utf8_decode(s + at, len - at, &cp);
		w = utf8_cp_width(cp);
		if (w < 0)
			w = 0;
		if (width + w > cols)
			break;
		width += w;
		at += n;
	}
	if (used)
		*used = width;
	return at;
}

struct cleaner {
	struct strbuf *out;
	bool one_line;
	bool is_spaced; /* white space waits for the next visible character */
	bool is_begun;  /* something visible was written */
	int marks;      /* combining marks on the present character; MAX_MARKS when there is none */
	int col;
};

static void
put_stand_in(struct cleaner *c)
{
	if (utf8_enabled)
		strbuf_add(c->out, "\xef\xbf\xbd", 3);
	else
		strbuf_addc(c->out, '?');
	c->marks = MAX_MARKS;
	c->col++;
}

/* White space, tabs and line ends by the mode; false: not one of these. */
static bool
put_space(struct cleaner *c, const char *s, size_t len)
{
	if (*s != ' ' && *s != '\n' && *s != '\t' && *s != '\r')
		return false;
	if (c->one_line) {
		c->is_spaced = true;
		return true;
	}
	if (*s == '\r') {
		if (len > 1 && s[1] == '\n')
			return true;
		return false;
	}
	if (*s == '\n') {
		strbuf_addc(c->out, '\n');
		c->col = 0;
	} else {
		do {
			strbuf_addc(c->out, ' ');
			c->col++;
		} while (*s == '\t' && c->col % TAB_STOP);
	}
	c->marks = MAX_MARKS;
	return true;
}

static void
put_cp(struct cleaner *c, uint32_t cp, const char *s, size_t n)
{
	int w = utf8_cp_width(cp);

	if (utf8_cp_is_unsafe(cp) || (n == 1 && cp == STAND_IN) || (!utf8_enabled && cp >= 0x80) ||
	    (w == 0 && c->marks >= MAX_MARKS)) {
		put_stand_in(c);
		return;
	}
	c->marks = w == 0 ? c->marks + 1 : 0;
	strbuf_add(c->out, s, n);
	c->col += w;
}

void
utf8_clean(struct strbuf *out, const char *s, size_t len, bool one_line)
{
	struct cleaner c = { .out = out, .one_line = one_line, .marks = MAX_MARKS };
	size_t n;
	uint32_t cp;

	for (; len; s += n, len -= n) {
		n = 1;
		if (put_space(&c, s, len))
			continue;
		if (c.is_spaced && c.is_begun) {
			strbuf_addc(out, ' ');
			c.marks = MAX_MARKS;
		}
		c.is_spaced = false;
		c.is_begun = true;
		for (n = 0; n < len && s[n] > 0x20 && s[n] < 0x7f; n++)
			;
		if (n) {
			strbuf_add(out, s, n);
			c.col += (int)n;
			c.marks = 0;
			continue;
		}
		n = utf8_decode(s, len, &cp);
		put_cp(&c, cp, s, n);
	}
}

bool
utf8_is_clean(const char *s, size_t len)
{
	size_t n;
	uint32_t cp;

	for (; len; s += n, len -= n) {
		n = utf8_decode(s, len, &cp);
		if (cp == '\n' || cp == '\t')
			continue;
		if (utf8_cp_is_unsafe(cp) || (n == 1 && cp == STAND_IN))
			return false;
	}
	return true;
}
