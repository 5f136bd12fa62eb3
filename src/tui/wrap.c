/* Breaks text into lines. */
#include "config.h"

#include "tui/wrap.h"

#include "base/utf8.h"

size_t
wrap_line(const char *s, size_t len, int cols, size_t *skip)
{
	int used;
	size_t n = utf8_fit(s, len, cols, &used);

	*skip = 0;
	if (n == len)
		return n;
	if (n == 0) {
		uint32_t cp;
		return utf8_decode(s, len, &cp);
	}
	size_t cut = n;
	if (s[n] != ' ')
		while (cut > n / 2 && s[cut - 1] != ' ')
			cut--;
	if (cut <= n / 2)
		return n;
	while (cut + *skip < len && s[cut + *skip] == ' ')
		++*skip;
	return cut;
}

int
wrap_count(const char *s, size_t len, int cols, int max)
{
	int lines = 0;

	do {
		size_t skip, n = wrap_line(s, len, cols, &skip);
		s += n + skip;
		len -= n + skip;
		lines++;
	} while (len > 0 && lines < max);
	return lines;
}
