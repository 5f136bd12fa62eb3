/* Finds theme and keymap files. */
#include "config.h"

#include "tui/datafile.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/builtin.h"
#include "base/conf.h"
#include "base/lexer.h"

enum { DATAFILE_MAX = 256 * 1024 }; /* bytes; a keymap or theme has a few thousand */

static char *
read_text(struct arena *arena, const char *path)
{
	FILE *f = fopen(path, "re");
	if (!f)
		return NULL;
	char *text = arena_alloc(arena, DATAFILE_MAX + 1);
	size_t n = fread(text, 1, DATAFILE_MAX, f);
	bool is_bad = ferror(f) != 0;
	fclose(f);
	text[n] = '\0';
	return is_bad ? NULL : text;
}

const char *
datafile_read(struct arena *arena, const char *folder, const char *name, const char *ending,
    const char **path, struct error *err)
{
	const char *rel = arena_printf(arena, "%s/%s%s", folder, name, ending);
	bool is_path = strchr(name, '/') != NULL;
	const char *found = is_path ? name : path_data(arena, rel);
	const char *text = found ? read_text(arena, found) : NULL;

	if (text) {
		*path = found;
		return text;
	}
	text = is_path ? NULL : builtin_file(rel);
	if (text) {
		*path = rel;
		return text;
	}
	error_set(err, ERR_NOT_FOUND, "there is no %s \"%s\"",
	    strcmp(folder, "themes") == 0 ? "theme" : "keymap", name);
	const char *near = nearest_name(name, datafile_names(arena, folder, ending));
	if (near)
		error_hint(err, "The nearest name is \"%s\".", near);
	return NULL;
}

struct names {
	struct arena *arena;
	const char **items;
	int n, cap;
};

static void
names_add(struct names *names, const char *file, const char *ending)
{
	size_t len = strlen(file), end = strlen(ending);
	if (len <= end || strcmp(file + len - end, ending) != 0)
		return;
	for (int i = 0; i < names->n; i++)
		if (strlen(names->items[i]) == len - end &&
		    strncmp(names->items[i], file, len - end) == 0)
			return;
	GROW(names->items, names->n, names->cap);
	names->items[names->n++] = arena_strndup(names->arena, file, len - end);
}

static void
names_add_folder(struct names *names, const char *folder, const char *ending)
{
	DIR *dir = folder ? opendir(folder) : NULL;
	if (!dir)
		return;
	for (struct dirent *e; (e = readdir(dir)) && names->n < 1000;)
		names_add(names, e->d_name, ending);
	closedir(dir);
}

static int
by_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

const char *const *
datafile_names(struct arena *arena, const char *folder, const char *ending)
{
	struct names names = { .arena = arena };
	size_t prefix = strlen(folder);

	for (const struct builtin_file *f = builtin_files; f->name; f++)
		if (strncmp(f->name, folder, prefix) == 0 && f->name[prefix] == '/')
			names_add(&names, f->name + prefix + 1, ending);
	names_add_folder(&names, path_config(arena, folder), ending);
	names_add_folder(&names, path_data(arena, folder), ending);
	if (names.n > 0)
		qsort(names.items, (size_t)names.n, sizeof(*names.items), by_name);
	const char **out = arena_zalloc(arena, (size_t)names.n + 1, sizeof(*out));
	if (names.n > 0)
		memcpy(out, names.items, (size_t)names.n * sizeof(*out));
	free(names.items);
	return out;
}
