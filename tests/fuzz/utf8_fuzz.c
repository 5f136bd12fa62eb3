/* Bytes from a server: whatever they are, what is shown is clean, and cleaning it again changes
 * nothing. */
#include "config.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_clean(const char *s, size_t len, bool one_line)
{
	struct strbuf once = STRBUF_INIT(1 << 20), twice = STRBUF_INIT(1 << 20);
	int used;

	utf8_clean(&once, s, len, one_line);
	if (!utf8_is_clean(once.buf, once.len) || memchr(once.buf, '\t', once.len))
		abort();
	if (one_line && memchr(once.buf, '\n', once.len))
		abort();
	utf8_clean(&twice, once.buf, once.len, one_line);
	if (once.len != twice.len || memcmp(once.buf, twice.buf, once.len) != 0)
		abort();
	for (int cols = 0; cols < 20; cols++) {
		size_t fit = utf8_fit(once.buf, once.len, cols, &used);

		if (used > cols || utf8_width(once.buf, fit) != used)
			abort();
	}
	strbuf_release(&once);
	strbuf_release(&twice);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct strbuf safe = STRBUF_INIT(1 << 20), small = STRBUF_INIT(7);
	const char *s = (const char *)data;
	char *text;

	check_clean(s, size, true);
	check_clean(s, size, false);
	/* A ceiling cuts no character. */
	utf8_clean(&small, s, size, false);
	if (!utf8_is_clean(small.buf, small.len) || small.len > 7)
		abort();
	text = malloc(size + 1);
	if (!text)
		abort();
	if (size)
		memcpy(text, s, size);
	text[size] = '\0';
	redact(&safe, text);
	free(text);
	strbuf_release(&safe);
	strbuf_release(&small);
	return 0;
}
