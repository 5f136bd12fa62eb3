/*
 * The newest part of the file comes first (START_BYTES, with the end of the file before where the
 * newest has just begun), then what is added. Where more has been added than is read at a time, the
 * middle is left out, and a row says so. Rotation: the file is read to its end, then the next one
 * by time of modification, so that of several rotations between two looks none is missed.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cell.h"
#include "collect/log_tail_priv.h"
#include "collect/target.h"

enum {
	START_BYTES = 256 << 10,
	FILE_CHUNK = 512 << 10,
	SQL_CHUNK = 256 << 10,
	BEHIND_MAX = 2 << 20, /* further behind than this, the middle is left out */
};

struct log_tail *
log_tail_new(const char *log_file)
{
	struct log_tail *l = xcalloc(1, sizeof(*l));

	l->conf_file = log_file && *log_file ? xstrdup(log_file) : NULL;
	l->fd = -1;
	return l;
}

void
log_tail_close(struct log_tail *l)
{
	if (l->fd >= 0)
		close(l->fd);
	l->fd = -1;
	l->file[0] = '\0';
	l->is_started = false;
}

void
log_tail_free(struct log_tail *l)
{
	if (!l)
		return;
	log_tail_close(l);
	log_parser_free(l->parser);
	log_rows_release(&l->rows);
	free(l->conf_file);
	free(l);
}

bool
log_tail_is_named(const struct log_tail *l)
{
	return l->conf_file != NULL;
}

enum log_via
log_tail_via(const struct log_tail *l)
{
	return l->via;
}

/* ------------------------------------------------------------------ files of the log directory */

/* A file of the folder that the server's current one is in, as the server would name it. */
static void
name_file(const struct log_tail *l, const char *name, char *path, size_t size)
{
	const char *current = l->current[l->format];

	snprintf(path, size, "%.*s%s", (int)(log_file_base(current) - current), current, name);
}

/* Where it is on this machine. */
static void
local_path(const struct log_tail *l, const char *file, char *path, size_t size)
{
	if (file[0] == '/' || !l->data_directory[0])
		snprintf(path, size, "%s", file);
	else
		snprintf(path, size, "%s/%s", l->data_directory, file);
}

bool
log_tail_open(struct log_tail *l, const char *file)
{
	char path[2 * PATH_BYTES];
	struct stat st;

	local_path(l, file, path, sizeof(path));
	if (path[0] != '/' || path_is_remote(path))
		return false;
	if (l->fd >= 0)
		close(l->fd);
	/* A pipe in its place must not block us. */
	l->fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (l->fd >= 0 && (fstat(l->fd, &st) != 0 || !S_ISREG(st.st_mode))) {
		close(l->fd);
		l->fd = -1;
		errno = EINVAL;
	}
	return l->fd >= 0;
}

void
log_tail_format(struct log_tail *l, enum log_format format)
{
	if (l->format == format)
		return;
	log_tail_close(l);
	log_parser_free(l->parser);
	l->parser = NULL;
	l->format = format;
}

/* The newest files of the folder that the current one is in. */
static void
list_files(struct log_tail *l)
{
	char path[2 * PATH_BYTES], *slash;

	local_path(l, l->current[l->format], path, sizeof(path));
	slash = strrchr(path, '/');
	l->files.n = 0;
	if (slash) {
		*slash = '\0';
		log_files_list(&l->files, path);
	}
}

/* ------------------------------------------------------------------ what is read */

static void
begin_file(struct log_tail *l, const char *file, int64_t offset)
{
	snprintf(l->file, sizeof(l->file), "%s", file);
	l->offset = offset;
	if (!l->parser)
		l->parser = log_parser_new(l->format, l->has_prefix ? l->prefix : NULL, &l->zone);
	log_parser_seek(l->parser, offset, offset > 0);
}

/* The first look: how much of the newest file, or of the one before it. */
static void
start(struct log_tail *l, int64_t bytes)
{
	const char *current = l->current[l->format];
	const struct log_file *before = bytes < START_BYTES / 4 ?
	    log_files_neighbour(&l->files, l->format, log_file_base(current), -1) :
	    NULL;
	char path[PATH_BYTES];

	if (before && before->bytes > 0) {
		int64_t from = before->bytes - (START_BYTES - bytes);
		name_file(l, before->name, path, sizeof(path));
		begin_file(l, path, from > 0 ? from : 0);
	} else {
		begin_file(l, current, bytes > START_BYTES ? bytes - START_BYTES : 0);
	}
}

static void
feed(struct log_tail *l, const char *s, size_t len)
{
	log_rows_begin(&l->rows, l->file);
	log_parser_feed(l->parser, s, len, log_rows_add, &l->rows);
	l->offset += (int64_t)len;
}

/*
 * At the end of what there is. A message and its DETAIL come a moment apart: while the file grows,
 * its last entry waits for the next look; at the first look, and where a file is left, it does not.
 */
static void
flush(struct log_tail *l, bool is_growing)
{
	bool is_first = !l->is_started;

	l->is_started = true;
	if (is_growing && !is_first)
		return;
	log_rows_begin(&l->rows, l->file);
	log_parser_flush(l->parser, log_rows_add, &l->rows);
}

/* Too far behind: go on near the end. */
static void
skip_middle(struct log_tail *l, int64_t bytes)
{
	char why[128];
	int64_t from = bytes - START_BYTES;

	if (bytes - l->offset <= BEHIND_MAX)
		return;
	log_rows_begin(&l->rows, l->file);
	log_parser_flush(l->parser, log_rows_add, &l->rows);
	snprintf(
	    why, sizeof(why), "%" PRId64 " bytes of the log were left out here", from - l->offset);
	log_rows_gap(&l->rows, l->offset, why);
	l->offset = from;
	log_parser_seek(l->parser, from, true);
}

void
log_tail_truncated(struct log_tail *l)
{
	log_rows_begin(&l->rows, l->file);
	log_parser_flush(l->parser, log_rows_add, &l->rows);
	log_rows_gap(&l->rows, l->offset, "the log file was truncated or begun anew");
	l->offset = 0;
	log_parser_seek(l->parser, 0, false);
}

/* ------------------------------------------------------------------ files of this machine */

/* What the collector writes to now, from its own note of it: no query tells sooner. */
static void
read_current(struct log_tail *l)
{
	char path[PATH_BYTES + 32], line[PATH_BYTES + 32];
	FILE *f;

	snprintf(path, sizeof(path), "%s/current_logfiles", l->data_directory);
	f = fopen(path, "re");
	while (f && fgets(line, sizeof(line), f)) {
		size_t n = strlen(log_format_names[l->format]);

		line[strcspn(line, "\n")] = '\0';
		if (strncmp(line, log_format_names[l->format], n) == 0 && line[n] == ' ' &&
		    strlen(line + n + 1) < PATH_BYTES)
			snprintf(l->current[l->format], PATH_BYTES, "%s", line + n + 1);
	}
	if (f)
		fclose(f);
}

/* The file has another one in its place, or none: follow the name. */
static bool
was_replaced(const struct log_tail *l)
{
	struct stat now, ours;

	return stat(l->file, &now) == 0 && fstat(l->fd, &ours) == 0 &&
	    (now.st_ino != ours.st_ino || now.st_dev != ours.st_dev);
}

/* The file after the one that is read, when the server has gone on to it; false: it has not. */
static bool
next_file(struct log_tail *l)
{
	char path[PATH_BYTES];
	const struct log_file *next;

	if (l->is_path) {
		if (!was_replaced(l))
			return false;
		snprintf(path, sizeof(path), "%s", l->current[l->format]);
	} else {
		if (strcmp(l->file, l->current[l->format]) == 0)
			return false;
		if (l->via == LOG_FILE)
			list_files(l);
		next = log_files_neighbour(&l->files, l->format, log_file_base(l->file), 1);
		if (next)
			name_file(l, next->name, path, sizeof(path));
		else
			snprintf(path, sizeof(path), "%s", l->current[l->format]);
	}
	if (l->via == LOG_FILE && !log_tail_open(l, path))
		return false;
	log_rows_begin(&l->rows, l->file);
	log_parser_flush(l->parser, log_rows_add, &l->rows);
	begin_file(l, path, 0);
	return true;
}

static bool
begin_reading(struct log_tail *l, struct error *err)
{
	struct stat st;

	if (!l->is_path)
		list_files(l);
	if (!log_tail_open(l, l->current[l->format]) || fstat(l->fd, &st) != 0)
		return error_set(err, ERR_NOT_FOUND, "cannot read the server's log %s: %s",
		    l->current[l->format], strerror(errno));
	start(l, st.st_size);
	if (strcmp(l->file, l->current[l->format]) != 0 && !log_tail_open(l, l->file))
		return error_set(err, ERR_NOT_FOUND, "cannot read the server's log %s: %s", l->file,
		    strerror(errno));
	return true;
}

/* One piece of the file; false: there is no more. */
static bool
read_piece(struct log_tail *l, char *buf, size_t size)
{
	ssize_t n = pread(l->fd, buf, size, l->offset);

	if (n > 0)
		feed(l, buf, (size_t)n);
	return n == (ssize_t)size;
}

bool
log_tail_read(struct log_tail *l, struct rowset **rows, struct error *err)
{
	enum { PIECE = 64 << 10 };
	int64_t before = l->offset, left = FILE_CHUNK;
	struct stat st;
	char *buf;

	if (!l->is_path)
		read_current(l);
	if ((!l->file[0] || l->fd < 0) && !begin_reading(l, err)) {
		log_tail_close(l);
		return false;
	}
	if (fstat(l->fd, &st) != 0)
		st.st_size = l->offset;
	if (st.st_size < l->offset)
		log_tail_truncated(l);
	else
		skip_middle(l, st.st_size);
	buf = xmalloc(PIECE);
	for (; left > 0; left -= PIECE) {
		if (read_piece(l, buf, PIECE))
			continue;
		if (!next_file(l)) {
			flush(l, l->offset != before);
			break;
		}
		before = -1;
	}
	free(buf);
	*rows = log_rows_take(&l->rows);
	return true;
}

/* ------------------------------------------------------------------ through SQL */

void
log_tail_params(struct log_tail *l, const char **params)
{
	const struct log_file *f = log_files_find(&l->files, log_file_base(l->current[l->format]));

	if (!l->file[0])
		start(l, f ? f->bytes : 0);
	f = log_files_find(&l->files, log_file_base(l->file));
	if (f && l->is_started && f->bytes - l->offset > BEHIND_MAX)
		skip_middle(l, f->bytes);
	snprintf(l->params[0], sizeof(l->params[0]), "%" PRId64, l->offset);
	snprintf(l->params[1], sizeof(l->params[1]), "%d", SQL_CHUNK);
	params[0] = l->file;
	params[1] = l->params[0];
	params[2] = l->params[1];
}

struct rowset *
log_tail_answer(struct log_tail *l, const struct rowset *answer)
{
	const struct cell *part = answer->nrows ? rowset_get(answer, 0, "part") : NULL;
	bool is_there = part && part->type == CELL_TEXT, more = false;

	/* Closed, or of another format, since it was asked for. */
	if (!l->file[0])
		return log_rows_take(&l->rows);
	if (is_there && part->len > 0)
		feed(l, part->s, part->len);
	if (is_there && part->len == SQL_CHUNK) {
		/* The first look is from less than that before the end: a log that is written
		 * faster than it is read is shown, and passed over, as it comes. */
		more = !l->is_started;
		l->is_started = true;
	} else if (strcmp(l->file, l->current[l->format]) != 0) {
		more = next_file(l);
	} else if (!is_there) {
		if (l->offset > 0)
			log_tail_truncated(
			    l); /* vanished: it begins anew, once it is there again */
	} else {
		flush(l, part->len > 0);
	}
	return more ? NULL : log_rows_take(&l->rows);
}
