/*
 * Secrets out of texts that are kept: values of names that sound secret (password=…, "token": …,
 * PASSWORD '…', PGPASSWORD=…, X-Amz-Signature=…), the password of a URI, AWS key ids, JSON web
 * tokens. In doubt it hides too much: a log line that lacks a word is worth more than a password
 * kept.
 */
#include "config.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

#include "base/log.h"

static bool
is_alpha(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool
is_name(char c)
{
	return is_alpha(c) || is_digit(c) || c == '_' || c == '-';
}

static bool
is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static bool
contains(const char *s, size_t len, const char *part)
{
	size_t n = strlen(part);

	for (size_t i = 0; i + n <= len; i++)
		if (strncasecmp(s + i, part, n) == 0)
			return true;
	return false;
}

/* Is this the name of a secret? */
static bool
is_secret_name(const char *s, size_t len)
{
	static const char *const parts[] = { "password", "passwd", "passphrase", "secret", "token",
		"apikey", "api_key", "api-key", "credential", "signature", "private_key",
		"access_key" };

	if ((len == 3 && strncasecmp(s, "pwd", 3) == 0) ||
	    (len == 4 && strncasecmp(s, "pass", 4) == 0))
		return true;
	/* "--repo1-cipher-pass=", "DB_PASS=". */
	if (len > 5 && (s[len - 5] == '-' || s[len - 5] == '_') &&
	    strncasecmp(s + len - 4, "pass", 4) == 0)
		return true;
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		if (contains(s, len, parts[i]))
			return true;
	return false;
}

/* Behind a quoted value; a doubled quote or one after \ does not end it. */
static const char *
skip_quoted(const char *s)
{
	char quote = *s++;

	while (*s) {
		if (*s == '\\' && s[1]) {
			s += 2;
		} else if (*s == quote && s[1] == quote) {
			s += 2;
		} else if (*s++ == quote) {
			return s;
		}
	}
	return s;
}

/* Behind $tag$…$tag$, or NULL when this is none. */
static const char *
skip_dollar(const char *s)
{
	size_t n = 1;
	const char *p;

	if (*s != '$')
		return NULL;
	while (is_name(s[n]) && s[n] != '-')
		n++;
	if (s[n++] != '$')
		return NULL;
	for (p = s + n; *p; p++)
		if (strncmp(p, s, n) == 0)
			return p + n;
	return p;
}

/* Copy the quotes around what is hidden, so that the line can still be read. */
static const char *
hide_value(struct strbuf *out, const char *s)
{
	const char *end = skip_dollar(s);

	if (end) {
		strbuf_adds(out, "***");
		return end;
	}
	if ((*s == 'E' || *s == 'e') && s[1] == '\'')
		strbuf_addc(out, *s++);
	if ((*s == 'U' || *s == 'u') && s[1] == '&' && s[2] == '\'') {
		strbuf_add(out, s, 2);
		s += 2;
	}
	if (*s == '\'' || *s == '"') {
		strbuf_addf(out, "%c***%c", *s, *s);
		return skip_quoted(s);
	}
	end = s;
	while (*end && !is_space(*end) && *end != '&') {
		/* conninfo: \ takes the next byte */
		if (*end == '\\' && end[1])
			end++;
		end++;
	}
	if (end != s)
		strbuf_adds(out, "***");
	return end;
}

static bool
is_quoted_value(const char *s)
{
	if (*s == '\'' || *s == '$')
		return true;
	if ((*s == 'E' || *s == 'e') && s[1] == '\'')
		return true;
	return (*s == 'U' || *s == 'u') && s[1] == '&' && s[2] == '\'';
}

/* After a secret's name that ends at s: what is between is copied, the value hidden. Returns where
 * to go on. */
static const char *
after_name(struct strbuf *out, const char *s)
{
	const char *p = s;
	bool is_assigned;

	if (*p == '"' || *p == '\'')
		p++;
	while (is_space(*p))
		p++;
	is_assigned = *p == '=' || *p == ':';
	if (is_assigned) {
		p++;
		while (is_space(*p))
			p++;
	} else if (!is_quoted_value(p)) {
		return s;
	}
	strbuf_add(out, s, (size_t)(p - s));
	return hide_value(out, p);
}

/* "Authorization: …" to the end of the line. */
static const char *
after_authorization(struct strbuf *out, const char *s)
{
	while (is_space(*s))
		s++;
	if (*s != ':' && *s != '=')
		return s;
	strbuf_addf(out, "%c ***", *s);
	return s + strcspn(s, "\r\n");
}

/*
 * "user:password@" behind "://": hides the password. A password with '/' in it is not valid, but
 * people type it: when what follows the colon is no port, everything to the last '@' of the word is
 * taken for the password.
 */
static const char *
after_scheme(struct strbuf *out, const char *s)
{
	size_t len = strcspn(s, " \t\r\n'\"<>"), host = strcspn(s, "/?"), colon, at, i;

	if (host > len)
		host = len;
	colon = strcspn(s, ":");
	if (colon >= host)
		return s;
	for (at = host; at > colon && s[at - 1] != '@'; at--)
		;
	if (at == colon) {
		for (i = colon + 1; i < host && (is_digit(s[i]) || s[i] == ','); i++)
			;
		if (i == host)
			return s;
		for (at = len; at > colon && s[at - 1] != '@'; at--)
			;
		if (at == colon)
			return s;
	}
	strbuf_add(out, s, colon + 1);
	strbuf_adds(out, "***");
	return s + at - 1;
}

/* Key ids of AWS: AKIA, ASIA and 16 more; tokens that start "eyJ" with two points. */
static size_t
bare_secret(const char *s, size_t len)
{
	size_t n = 0, points = 0;

	if (len == 20 && (strncmp(s, "AKIA", 4) == 0 || strncmp(s, "ASIA", 4) == 0))
		return len;
	if (strncmp(s, "eyJ", 3) != 0)
		return 0;
	while (is_name(s[n]) || s[n] == '.')
		points += s[n++] == '.';
	return points >= 2 ? n : 0;
}

void
redact(struct strbuf *out, const char *s)
{
	size_t n, hidden;

	while (*s) {
		if (strncmp(s, "://", 3) == 0) {
			strbuf_adds(out, "://");
			s = after_scheme(out, s + 3);
			continue;
		}
		for (n = 0; is_name(s[n]); n++)
			;
		if (!n) {
			strbuf_addc(out, *s++);
			continue;
		}
		hidden = bare_secret(s, n);
		if (hidden) {
			strbuf_adds(out, "***");
			s += hidden;
			continue;
		}
		strbuf_add(out, s, n);
		if (n == 13 && strncasecmp(s, "authorization", 13) == 0)
			s = after_authorization(out, s + n);
		else if (is_secret_name(s, n))
			s = after_name(out, s + n);
		else
			s += n;
	}
}
