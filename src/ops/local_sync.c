/* Names as syncrep_gram.y reads them: quoted or not, compared without case; * is everybody. */
#include "config.h"

#include "ops/local_sync.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* The word at s, quotes taken off; its end. */
static const char *
take_word(const char *s, char *word, size_t size)
{
	size_t len = 0;

	if (*s == '"') {
		for (s++; *s && !(s[0] == '"' && s[1] != '"'); s += 1 + (*s == '"'))
			if (len + 1 < size)
				word[len++] = *s;
		s += *s == '"';
	} else {
		for (; *s && !isspace((unsigned char)*s) && !strchr(",()\"", *s); s++)
			if (len + 1 < size)
				word[len++] = *s;
	}
	word[len] = '\0';
	return s;
}

int
sync_waits_for(const char *names, const char *standby, bool *is_named)
{
	const char *list = strchr(names, '(');
	int needed = 1;

	*is_named = false;
	names += strspn(names, " \t\n");
	if (!*names)
		return 0;
	/* "2 (a, b)", "FIRST 2 (…)", "ANY 2 (…)"; a quoted name may hold a bracket */
	if (list && *names != '"') {
		names += strcspn(names, "0123456789(");
		needed = (int)strtol(names, NULL, 10);
		needed = needed > 0 ? needed : 1;
		names = list;
	}
	while (*names) {
		char word[256];

		if (isspace((unsigned char)*names) || strchr(",()", *names)) {
			names++;
			continue;
		}
		names = take_word(names, word, sizeof(word));
		*is_named |= strcmp(word, "*") == 0 || strcasecmp(word, standby) == 0;
	}
	return needed;
}
