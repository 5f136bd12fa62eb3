#include "config.h"

#include "model/alarm_rule.h"

#include <ctype.h>
#include <string.h>

/* What an alarm is asked for; TRUE and FALSE have none. */
static const char *const states[] = { "ALARM", "OK", "INSUFFICIENT_DATA" };

/* Behind "STATE (" at s; NULL: it is something else. */
static const char *
argument_of(const char *s)
{
	for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
		size_t len = strlen(states[i]);

		if (strncmp(s, states[i], len) != 0)
			continue;
		s += len;
		while (isspace((unsigned char)*s))
			s++;
		return *s == '(' ? s + 1 : NULL;
	}
	return NULL;
}

/* One character of a quoted text, *s behind it. */
static char
take_char(const char **s)
{
	if (**s == '\\' && (*s)[1])
		(*s)++;
	return *(*s)++;
}

/* The end of an ARN is the name, colons and all. */
static void
cut_arn(char *name)
{
	char *at = strncmp(name, "arn:", 4) == 0 ? strstr(name, ":alarm:") : NULL;

	if (at)
		memmove(name, at + 7, strlen(at + 7) + 1);
}

bool
alarm_rule_next(const char **at, char name[ALARM_NAME_MAX])
{
	const char *s = *at, *arg;
	char whole[2 * ALARM_NAME_MAX];
	size_t n = 0;

	for (;; s++) {
		if (!*s)
			return false;
		/* "NOT_OK(" asks for nothing. */
		if (s > *at && (isalnum((unsigned char)s[-1]) || s[-1] == '_'))
			continue;
		arg = argument_of(s);
		if (arg)
			break;
	}
	s = arg;
	while (isspace((unsigned char)*s))
		s++;
	if (*s == '"') {
		for (s++; *s && *s != '"';) {
			char c = take_char(&s);

			if (n < sizeof(whole) - 1)
				whole[n++] = c;
		}
	} else {
		for (; *s && *s != ')' && !isspace((unsigned char)*s); s++)
			if (n < sizeof(whole) - 1)
				whole[n++] = *s;
	}
	whole[n] = '\0';
	cut_arn(whole);
	n = strlen(whole);
	n = n < ALARM_NAME_MAX ? n : ALARM_NAME_MAX - 1;
	memcpy(name, whole, n);
	name[n] = '\0';
	*at = s;
	return true;
}
