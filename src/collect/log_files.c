#include "config.h"

#include "collect/log_files.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cell.h"

const char *
log_file_base(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

enum log_format
log_file_format(const char *name)
{
	size_t len = strlen(name);

	if (len > 4 && strcmp(name + len - 4, ".csv") == 0)
		return LOGFORMAT_CSV;
	if (len > 5 && strcmp(name + len - 5, ".json") == 0)
		return LOGFORMAT_JSON;
	return LOGFORMAT_STDERR;
}

/* What others made of old log files, or are making. */
static bool
is_packed(const char *name)
{
	static const char *const ends[] = { ".gz", ".bz2", ".xz", ".zst", ".lz4", ".zip", ".tmp" };
	size_t len = strlen(name);

	for (size_t i = 0; i < ARRAY_LEN(ends); i++)
		if (len > strlen(ends[i]) && strcmp(name + len - strlen(ends[i]), ends[i]) == 0)
			return true;
	return false;
}

/* Order of two files by time; files of one second by name, as %H%M%S and -1 -2 sort. */
static int
compare(const struct log_file *a, const struct log_file *b)
{
	if (a->modified_us != b->modified_us)
		return a->modified_us < b->modified_us ? -1 : 1;
	return strcmp(a->name, b->name);
}

const struct log_file *
log_files_find(const struct log_files *fs, const char *name)
{
	for (int i = 0; i < fs->n; i++)
		if (strcmp(fs->files[i].name, name) == 0)
			return &fs->files[i];
	return NULL;
}

const struct log_file *
log_files_neighbour(const struct log_files *fs, enum log_format format, const char *name, int way)
{
	const struct log_file *from = log_files_find(fs, name), *best = NULL;

	for (int i = 0; from && i < fs->n; i++) {
		const struct log_file *f = &fs->files[i];

		if (log_file_format(f->name) != format || compare(f, from) * way <= 0)
			continue;
		if (!best || compare(f, best) * way < 0)
			best = f;
	}
	return best;
}

const struct log_file *
log_files_newest(const struct log_files *fs, enum log_format format)
{
	const struct log_file *newest = NULL;

	for (int i = 0; i < fs->n; i++)
		if (log_file_format(fs->files[i].name) == format &&
		    (!newest || compare(&fs->files[i], newest) > 0))
			newest = &fs->files[i];
	return newest;
}

void
log_files_add(struct log_files *fs, const struct log_file *f)
{
	int at;

	if (is_packed(f->name) || (fs->n == LOG_FILES_MAX && compare(f, &fs->files[fs->n - 1]) < 0))
		return;
	at = fs->n < LOG_FILES_MAX ? fs->n++ : LOG_FILES_MAX - 1;
	for (; at > 0 && compare(f, &fs->files[at - 1]) > 0; at--)
		fs->files[at] = fs->files[at - 1];
	fs->files[at] = *f;
}

void
log_files_list(struct log_files *fs, const char *folder)
{
	DIR *dir = opendir(folder);
	struct dirent *entry;

	fs->n = 0;
	while (dir && (entry = readdir(dir))) {
		struct log_file f = { .bytes = 0 };
		struct stat st;

		if (entry->d_name[0] == '.' || strlen(entry->d_name) >= sizeof(f.name) ||
		    fstatat(dirfd(dir), entry->d_name, &st, 0) != 0 || !S_ISREG(st.st_mode))
			continue;
		snprintf(f.name, sizeof(f.name), "%s", entry->d_name);
		f.bytes = st.st_size;
		f.modified_us = (int64_t)st.st_mtim.tv_sec * 1000000 + st.st_mtim.tv_nsec / 1000;
		log_files_add(fs, &f);
	}
	if (dir)
		closedir(dir);
}

void
log_files_take(struct log_files *fs, const struct rowset *rows)
{
	fs->n = 0;
	for (int i = 0; i < rows->nrows; i++) {
		const struct cell *name = rowset_get(rows, i, "name");
		struct log_file f;

		if (name->type != CELL_TEXT || name->len >= sizeof(f.name))
			continue;
		snprintf(f.name, sizeof(f.name), "%.*s", (int)name->len, name->s);
		f.bytes = cell_i64(rowset_get(rows, i, "bytes"), 0);
		f.modified_us = cell_i64(rowset_get(rows, i, "modified"), 0);
		log_files_add(fs, &f);
	}
}
