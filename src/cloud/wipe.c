#include "config.h"

#include "cloud/wipe.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

void
wipe_free(char *secret)
{
	if (secret)
		explicit_bzero(secret, strlen(secret));
	free(secret);
}

void
wipe_strbuf(struct strbuf *sb)
{
	if (sb->cap)
		explicit_bzero(sb->buf, sb->cap);
	strbuf_release(sb);
}

void
wipe_reserve(struct strbuf *sb, size_t cap)
{
	if (sb->cap >= cap || sb->len)
		return;
	strbuf_release(sb);
	sb->buf = xmalloc(cap);
	sb->buf[0] = '\0';
	sb->cap = cap;
}
