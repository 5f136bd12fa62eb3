/* INI files and the folders that pgmedic keeps its things in. */
#include "config.h"

#include "base/conf.h"

#include <errno.h>
#include <ini.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MAX_SECTION = 49 }; /* inih cuts a longer name silently */

/*
 * Lines are fed to inih one by one, so that their numbers are known (its handler does not get
 * them), so that a line longer than its buffer of INI_MAX_LINE is not cut, and so that all bad
 * lines are found, not only the first. Leading blanks are dropped: an indented key is a key, not
 * the rest of the value above.
 */
struct reading {
	struct conf *conf;
	FILE *file;
	char *line; /* as getline() keeps it */
	size_t cap;
	int number;
	const char *long_value; /* of the present line, when inih's buffer cannot hold it */
};

static void
add_bad(struct conf *conf, int line)
{
	int *more = arena_zalloc(&conf->arena, (size_t)conf->nbad + 2, sizeof(*more));

	if (conf->nbad)
		memcpy(more, conf->bad_lines, (size_t)conf->nbad * sizeof(*more));
	more[conf->nbad++] = line;
	conf->bad_lines = more;
}

static int
on_entry(void *arg, const char *section, const char *name, const char *value)
{
	struct reading *r = arg;
	struct conf *conf = r->conf;

	GROW(conf->entries, conf->n, conf->cap);
	conf->entries[conf->n++] = (struct conf_entry){
		.section = arena_strdup(&conf->arena, section),
		.key = arena_strdup(&conf->arena, name),
		.value = arena_strdup(&conf->arena, r->long_value ? r->long_value : value),
		.line = r->number,
	};
	return 1;
}

/* As inih takes a value: without the blanks around it and a comment behind it. */
static void
trim_value(char *s)
{
	char *end;

	for (end = s; *end; end++)
		if (*end == ';' && end > s && strchr(" \t", end[-1]))
			break;
	while (end > s && strchr(" \t\r\n", end[-1]))
		end--;
	*end = '\0';
}

/* A line too long for inih: the key goes through it, the value past it. */
static bool
split_long(struct reading *r, char *s, char *str, size_t size)
{
	size_t key = strcspn(s, "=:");

	if (*s == '[' || key + 2 > size)
		return false;
	memcpy(str, s, key);
	str[key] = '=';
	str[key + 1] = '\0';
	s += key + 1;
	s += strspn(s, " \t");
	trim_value(s);
	r->long_value = s;
	return true;
}

static char *
next_line(char *str, int num, void *arg)
{
	struct reading *r = arg;
	size_t size = num > 1 ? (size_t)num : 0;
	ssize_t len = getline(&r->line, &r->cap, r->file);
	char *s = r->line;

	r->long_value = NULL;
	if (len < 0 || !size)
		return NULL;
	r->number++;
	if (r->number == 1 && strncmp(s, "\xef\xbb\xbf", 3) == 0)
		s += 3;
	s += strspn(s, " \t");
	str[0] = '\0';
	if (!*s || strchr("#;\r\n", *s))
		return str;
	if (*s == '[' ? !strchr(s, ']') || strcspn(s, "]") - 1 > MAX_SECTION :
	                *s == '=' || *s == ':' || !s[strcspn(s, "=:")]) {
		add_bad(r->conf, r->number);
		return str;
	}
	if (strlen(s) < size)
		memcpy(str, s, strlen(s) + 1);
	else if (!split_long(r, s, str, size))
		add_bad(r->conf, r->number);
	return str;
}

bool
conf_read(struct conf *conf, const char *path, struct error *err)
{
	struct reading r = { .conf = conf };
	bool is_read;

	memset(conf, 0, sizeof(*conf));
	r.file = fopen(path, "re");
	if (!r.file && (errno == ENOENT || errno == ENOTDIR))
		return true;
	if (!r.file)
		return error_set(err, ERR_FILE, "cannot open \"%s\": %s", path, strerror(errno));
	errno = 0;
	is_read = ini_parse_stream(next_line, &r, on_entry, &r) >= 0 && !ferror(r.file);
	if (!is_read)
		error_set(err, ERR_FILE, "cannot read \"%s\": %s", path, strerror(errno));
	free(r.line);
	fclose(r.file);
	return is_read;
}

void
conf_release(struct conf *conf)
{
	free(conf->entries);
	arena_release(&conf->arena);
	memset(conf, 0, sizeof(*conf));
}

/* An XDG base folder; the specification says that relative values are ignored. */
static const char *
base_folder(struct arena *arena, const char *variable, const char *fallback)
{
	const char *dir = getenv(variable), *home = getenv("HOME");
	struct passwd *pw;

	if (dir && *dir == '/')
		return arena_printf(arena, "%s/pgmedic", dir);
	if (!home || !*home) {
		pw = getpwuid(getuid());
		home = pw && pw->pw_dir ? pw->pw_dir : "/";
	}
	return arena_printf(arena, "%s/%s/pgmedic", home, fallback);
}

static const char *
below(struct arena *arena, const char *dir, const char *rest)
{
	return rest && *rest ? arena_printf(arena, "%s/%s", dir, rest) : dir;
}

const char *
path_config(struct arena *arena, const char *rest)
{
	return below(arena, base_folder(arena, "XDG_CONFIG_HOME", ".config"), rest);
}

const char *
path_state(struct arena *arena, const char *rest)
{
	const char *path = below(arena, base_folder(arena, "XDG_STATE_HOME", ".local/state"), rest);
	char *dir = arena_strdup(arena, path), *slash = strrchr(dir, '/');
	struct error err;
	bool is_made;

	if (rest && *rest && slash)
		*slash = '\0';
	/* When it cannot be made, opening the file fails next and says so with its name. */
	is_made = path_make(dir, &err);
	(void)is_made;
	return path;
}

const char *
path_data(struct arena *arena, const char *rest)
{
	const char *dirs[] = { path_config(arena, NULL), getenv("PGMEDIC_DATADIR"),
		PGMEDIC_SHAREDIR };
	const char *path;

	for (size_t i = 0; i < ARRAY_LEN(dirs); i++) {
		if (!dirs[i] || !*dirs[i])
			continue;
		path = below(arena, dirs[i], rest);
		if (access(path, R_OK) == 0)
			return path;
	}
	return NULL;
}

bool
path_make(const char *dir, struct error *err)
{
	char *path = xstrdup(dir), *p = path;
	struct stat st;
	bool ok = true;
	int why = 0;

	do {
		p += strspn(p, "/");
		p += strcspn(p, "/");
		char cut = *p;

		*p = '\0';
		if (mkdir(path, 0700) < 0 && errno != EEXIST) {
			why = errno;
			ok = stat(path, &st) == 0 && S_ISDIR(st.st_mode);
		}
		*p = cut;
	} while (ok && *p);
	if (!ok)
		error_set(err, ERR_FILE, "cannot make folder \"%s\": %s", dir, strerror(why));
	else if (stat(dir, &st) < 0 || !S_ISDIR(st.st_mode))
		ok = error_set(err, ERR_FILE, "\"%s\" is not a folder", dir);
	free(path);
	return ok;
}
