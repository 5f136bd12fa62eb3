/* Lines of any bytes: words are found or an error is, and every word comes back from its quoting.
 */
#include "config.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/lexer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
comes_back(struct arena *arena, const char *word)
{
	struct words words;
	struct error err;

	if (!lex_line(arena, lex_quote(arena, word), true, &words, &err) || words.n != 1 ||
	    words.comment || strcmp(words.w[0].text, word) != 0)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const names[] = { "activity", "locks", "waits", "replication", NULL };
	struct arena arena = { 0 };
	char *line = arena_strndup(&arena, (const char *)data, size), buf[64];
	struct words words;
	struct error err;
	struct wall t;

	if (lex_line(&arena, line, size & 1, &words, &err)) {
		for (int i = 0; i < words.n; i++) {
			if (words.w[i].at >= words.w[i].end || words.w[i].end > (int)strlen(line))
				abort();
			comes_back(&arena, words.w[i].text);
			nearest_name(words.w[i].text, names);
		}
	} else if (err.code != ERR_USAGE || !err.what[0]) {
		abort();
	}
	/* A time that is read is read again from how it is shown. */
	if (wall_parse(line, &t)) {
		struct wall again;

		wall_rfc3339(t, buf, sizeof(buf));
		if (buf[0] != '-' && (!wall_parse(buf, &again) || again.us != t.us))
			abort();
	}
	arena_release(&arena);
	return 0;
}
