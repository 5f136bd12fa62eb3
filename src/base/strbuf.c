/* A growing string with a ceiling. What does not fit is dropped at a character's border, and from
 * then on everything is, so that a cut text is a true beginning of the whole. */
#include "config.h"

#include "base/strbuf.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/mem.h"

/* Shared by all empty buffers, read only by intent: cap is 0, so nothing writes to it. */
char strbuf_empty[1];

void
strbuf_init(struct strbuf *sb, size_t max)
{
	*sb = (struct strbuf)STRBUF_INIT(max);
}

void
strbuf_release(struct strbuf *sb)
{
	if (sb->cap)
		free(sb->buf);
	sb->buf = strbuf_empty;
	sb->len = sb->cap = 0;
	sb->cut = false;
}

void
strbuf_clear(struct strbuf *sb)
{
	sb->len = 0;
	sb->cut = false;
	if (sb->cap)
		sb->buf[0] = '\0';
}

/* Room for len more bytes and the end mark; len is within the ceiling. */
static void
make_room(struct strbuf *sb, size_t len)
{
	size_t need = sb->len + len + 1, cap;

	if (need <= sb->cap)
		return;
	cap = sb->cap > SIZE_MAX / 4 ? need : sb->cap * 2;
	if (cap < 64)
		cap = 64;
	if (cap < need)
		cap = need;
	sb->buf = xrealloc(sb->cap ? sb->buf : NULL, cap, 1);
	sb->cap = cap;
}

/* As much of len bytes at data as the ceiling allows, no character cut in two. */
static size_t
within_ceiling(struct strbuf *sb, const char *data, size_t len)
{
	size_t room;

	if (sb->cut)
		return 0;
	room = sb->max > sb->len ? sb->max - sb->len : 0;
	if (len <= room)
		return len;
	sb->cut = true;
	len = room;
	while (len > 0 && room - len < 3 && ((unsigned char)data[len] & 0xc0) == 0x80)
		len--;
	return len;
}

void
strbuf_add(struct strbuf *sb, const char *data, size_t len)
{
	len = within_ceiling(sb, data, len);
	if (!len)
		return;
	make_room(sb, len);
	memcpy(sb->buf + sb->len, data, len);
	sb->len += len;
	sb->buf[sb->len] = '\0';
}

void
strbuf_adds(struct strbuf *sb, const char *s)
{
	strbuf_add(sb, s, strlen(s));
}

void
strbuf_addc(struct strbuf *sb, char c)
{
	if (sb->len + 1 < sb->cap && sb->len < sb->max && !sb->cut) {
		sb->buf[sb->len++] = c;
		sb->buf[sb->len] = '\0';
		return;
	}
	strbuf_add(sb, &c, 1);
}

void
strbuf_addv(struct strbuf *sb, const char *fmt, va_list ap)
{
	char small[512];
	char *big;
	va_list again;
	int n;

	va_copy(again, ap);
	n = vsnprintf(small, sizeof(small), fmt, ap);
	if (n < 0)
		fatal("cannot format \"%s\"", fmt);
	if ((size_t)n < sizeof(small)) {
		strbuf_add(sb, small, (size_t)n);
	} else {
		big = xmalloc((size_t)n + 1);
		vsnprintf(big, (size_t)n + 1, fmt, again);
		strbuf_add(sb, big, (size_t)n);
		free(big);
	}
	va_end(again);
}

void
strbuf_addf(struct strbuf *sb, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	strbuf_addv(sb, fmt, ap);
	va_end(ap);
}

char *
strbuf_take(struct strbuf *sb)
{
	char *s = sb->cap ? sb->buf : xstrdup("");

	sb->buf = strbuf_empty;
	sb->len = sb->cap = 0;
	sb->cut = false;
	return s;
}
