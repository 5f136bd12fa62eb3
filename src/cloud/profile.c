#include "config.h"

#include "cloud/profile.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

enum { MAX_FILE = 4 << 20 };

struct reader {
	struct profiles *p;
	bool is_credentials, is_ignored;
	enum profile_kind kind;
	const char *name;  /* of the section; NULL before the first */
	const char *block; /* key with nothing behind it, under which lines may be indented */
	int line;
};

void
profiles_init(struct profiles *p)
{
	memset(p, 0, sizeof(*p));
	strbuf_init(&p->warnings, 16384);
	p->config_path = p->credentials_path = "";
}

void
profiles_release(struct profiles *p)
{
	for (int i = 0; i < p->n; i++)
		explicit_bzero(p->items[i].value, strlen(p->items[i].value));
	free(p->items);
	strbuf_release(&p->warnings);
	arena_release(&p->arena);
	profiles_init(p);
}

static void
warn(struct reader *r, const char *what, const char *name)
{
	strbuf_addf(&r->p->warnings, "%s line %d: %s%s\n",
	    r->is_credentials ? "credentials" : "config", r->line, what, name);
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\v' || c == '\f';
}

static void
trim(const char **s, size_t *len)
{
	while (*len && is_blank(**s)) {
		(*s)++;
		(*len)--;
	}
	while (*len && is_blank((*s)[*len - 1]))
		(*len)--;
}

/* "[profile \"a b\"]" without its brackets. */
static void
read_section(struct reader *r, const char *s, size_t len)
{
	static const struct {
		const char *word;
		enum profile_kind kind;
	} kinds[] = { { "profile", PROFILE_PROFILE }, { "sso-session", PROFILE_SSO_SESSION },
		{ "services", PROFILE_SERVICES } };
	bool has_word = false;

	trim(&s, &len);
	r->kind = PROFILE_PROFILE;
	r->block = NULL;
	for (size_t i = 0; i < ARRAY_LEN(kinds) && !r->is_credentials; i++) {
		size_t n = strlen(kinds[i].word);

		if (len <= n || strncmp(s, kinds[i].word, n) != 0 || !is_blank(s[n]))
			continue;
		r->kind = kinds[i].kind;
		s += n;
		len -= n;
		trim(&s, &len);
		has_word = true;
		break;
	}
	if (len >= 2 && (*s == '"' || *s == '\'') && s[len - 1] == *s && has_word) {
		s++;
		len -= 2;
	}
	r->name = arena_strndup(&r->p->arena, s, len);
	/* A bare name other than default is no profile in the config file. */
	r->is_ignored = !r->is_credentials && !has_word && strcmp(r->name, "default") != 0;
	if (r->is_ignored)
		warn(r, "a section that is no \"profile NAME\" is ignored: ", r->name);
}

static char *
lower(struct arena *arena, const char *s, size_t len)
{
	char *out = arena_strndup(arena, s, len);

	for (char *c = out; *c; c++)
		if (*c >= 'A' && *c <= 'Z')
			*c += 'a' - 'A';
	return out;
}

/* A '#' or ';' in a secret is a part of it. */
static bool
is_secret(const char *key)
{
	return strstr(key, "secret") || strstr(key, "token") || strstr(key, "access_key");
}

static void
add(struct reader *r, const char *key, const char *sub, const char *value, size_t len)
{
	struct profiles *p = r->p;

	for (size_t i = 1; i < len && !is_secret(key); i++)
		if ((value[i] == '#' || value[i] == ';') && is_blank(value[i - 1])) {
			warn(r, "what follows the mark is taken for a comment: ", key);
			len = i;
			while (len && is_blank(value[len - 1]))
				len--;
			break;
		}
	for (int i = 0; i < p->n; i++) {
		struct profile_entry *e = &p->items[i];

		if (e->kind == r->kind && e->is_credentials == r->is_credentials &&
		    strcmp(e->name, r->name) == 0 && strcmp(e->key, key) == 0 &&
		    strcmp(e->sub, sub) == 0) {
			warn(r, "the last one counts of several: ", key);
			e->value = arena_strndup(&p->arena, value, len);
			return;
		}
	}
	GROW(p->items, p->n, p->cap);
	p->items[p->n++] = (struct profile_entry){ r->kind, r->is_credentials, r->name, key, sub,
		arena_strndup(&p->arena, value, len) };
}

static void
read_pair(struct reader *r, const char *s, size_t len, bool is_indented)
{
	const char *key = s, *value;
	size_t klen = 0, vlen;

	while (klen < len && s[klen] != '=' && s[klen] != ':')
		klen++;
	if (klen == len) {
		warn(r, "a line that is no KEY = VALUE is ignored", "");
		return;
	}
	value = s + klen + 1;
	vlen = len - klen - 1;
	trim(&key, &klen);
	trim(&value, &vlen);
	key = lower(&r->p->arena, key, klen);
	if (is_indented && r->block) {
		add(r, r->block, key, value, vlen);
		return;
	}
	r->block = vlen ? NULL : key;
	add(r, key, "", value, vlen);
}

void
profiles_parse(struct profiles *p, const char *text, size_t len, bool is_credentials)
{
	struct reader r = { .p = p, .is_credentials = is_credentials };
	const char *end = text + len;

	if (len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
		text += 3;
	while (text < end) {
		const char *eol = memchr(text, '\n', (size_t)(end - text)), *s = text;
		size_t n = (size_t)((eol ? eol : end) - text);
		bool is_indented = n && is_blank(*text);

		text += n + (eol != NULL);
		r.line++;
		trim(&s, &n);
		if (!n || *s == '#' || *s == ';')
			continue;
		if (*s == '[' && memchr(s, ']', n))
			read_section(&r, s + 1, (size_t)((const char *)memchr(s, ']', n) - s) - 1);
		else if (r.name && !r.is_ignored)
			read_pair(&r, s, n, is_indented);
	}
}

static bool
read_file(struct profiles *p, const char *path, bool is_credentials, struct error *err)
{
	FILE *in = fopen(path, "re");
	struct stat st;
	char *text;
	size_t len;

	if (!in) {
		if (errno == ENOENT || errno == ENOTDIR)
			return true;
		return error_set(err, ERR_FILE, "%s: %s", path, strerror(errno));
	}
	setvbuf(in, NULL, _IONBF, 0); /* no copy of a secret in a buffer */
	if (fstat(fileno(in), &st) == 0 && is_credentials && (st.st_mode & S_IROTH))
		strbuf_addf(&p->warnings, "%s can be read by everybody\n", path);
	text = xmalloc(MAX_FILE);
	len = fread(text, 1, MAX_FILE, in);
	fclose(in);
	profiles_parse(p, text, len, is_credentials);
	explicit_bzero(text, len);
	free(text);
	return true;
}

const char *
profile_path(struct arena *arena, const char *path)
{
	struct strbuf out = STRBUF_INIT(8192);
	const char *home = getenv("HOME"), *done;

	if (*path == '~' && (path[1] == '/' || !path[1])) {
		strbuf_adds(&out, home ? home : "");
		path++;
	}
	while (*path) {
		size_t skip = *path == '$' ? 1 + (path[1] == '{') : 0;
		size_t n = skip ? strspn(path + skip,
		                      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
		                      "0123456789_") :
		                  0;
		const char *value = n ? getenv(arena_strndup(arena, path + skip, n)) : NULL;

		if (value && (skip == 1 || path[skip + n] == '}')) {
			strbuf_adds(&out, value);
			path += skip + n + (skip == 2);
		} else {
			strbuf_addc(&out, *path++);
		}
	}
	done = arena_strndup(arena, out.buf, out.len);
	strbuf_release(&out);
	return done;
}

static const char *
path_of(struct profiles *p, const char *variable, const char *usual)
{
	const char *set = getenv(variable);

	return profile_path(&p->arena, set && *set ? set : usual);
}

bool
profiles_read(struct profiles *p, const char *credentials, struct error *err)
{
	profiles_init(p);
	p->config_path = path_of(p, "AWS_CONFIG_FILE", "~/.aws/config");
	p->credentials_path = credentials && *credentials ?
	    profile_path(&p->arena, credentials) :
	    path_of(p, "AWS_SHARED_CREDENTIALS_FILE", "~/.aws/credentials");
	return read_file(p, p->config_path, false, err) &&
	    read_file(p, p->credentials_path, true, err);
}

bool
profile_exists(const struct profiles *p, const char *name)
{
	for (int i = 0; i < p->n; i++)
		if (p->items[i].kind == PROFILE_PROFILE && strcmp(p->items[i].name, name) == 0)
			return true;
	return false;
}

const char *
profile_of_file(const struct profiles *p, const char *name, const char *key, bool is_credentials)
{
	for (int i = 0; i < p->n; i++) {
		const struct profile_entry *e = &p->items[i];

		if (e->kind == PROFILE_PROFILE && e->is_credentials == is_credentials && !*e->sub &&
		    *e->value && strcmp(e->name, name) == 0 && strcmp(e->key, key) == 0)
			return e->value;
	}
	return NULL;
}

const char *
profile_get(const struct profiles *p, const char *name, const char *key)
{
	const char *value = profile_of_file(p, name, key, true);

	return value ? value : profile_of_file(p, name, key, false);
}

const char *
profile_block(const struct profiles *p, enum profile_kind kind, const char *name, const char *key,
    const char *sub)
{
	for (int i = 0; i < p->n; i++) {
		const struct profile_entry *e = &p->items[i];

		if (e->kind == kind && *e->value && strcmp(e->name, name) == 0 &&
		    strcmp(e->key, key) == 0 && strcmp(e->sub, sub) == 0)
			return e->value;
	}
	return NULL;
}
