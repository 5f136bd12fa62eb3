/*
 * The server's log through RDS. Its files have an hour each: the newest one is found by
 * DescribeDBLogFiles, its last lines come by DownloadDBLogFilePortion, and from then on what
 * follows the marker of the last answer. A portion holds 1 MB at most, and the end of a line that
 * is longer is lost, as RDS then says in its place. Only asked while somebody looks.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/cell.h"
#include "collect/cloud_priv.h"
#include "collect/log_files.h"
#include "collect/log_rows.h"

enum {
	FIRST_LINES = 1000,
	PORTIONS = 4,
	LIST_EVERY_MS = 30000,
	EACH_MS = 5000, /* of an account's share, for each instance whose log is followed */
};

struct log_memory {
	struct log_files files;
	struct mono listed; /* 0: to be listed */
	struct mono asked;
	int64_t pause_ms;    /* between two looks */
	struct error failed; /* the last look; ERR_OK: it did not */
	struct log_parser *parser;
	struct log_rows rows;
	enum log_format format;
	char file[256], marker[256]; /* of the last answer; "" begin */
	int64_t offset;              /* in the file, as far as the sizes tell */
};

void
cloud_logs_release(struct log_memory *memory)
{
	if (!memory)
		return;
	log_parser_free(memory->parser);
	log_rows_release(&memory->rows);
	free(memory);
}

/* ---- files */

static void
take_file(struct log_files *fs, const struct xml *x)
{
	const char *name = xml_text(x, "LogFileName");
	struct log_file f = { .bytes = xml_int(x, "Size", 0),
		.modified_us = xml_int(x, "LastWritten", 0) * 1000 };

	/* Beside the server's log there are those of upgrades. */
	if (strlen(name) >= sizeof(f.name) || strncmp(name, "error/", 6) != 0)
		return;
	memcpy(f.name, name, strlen(name) + 1);
	log_files_add(fs, &f);
}

static bool
list_files(
    struct cloud_account *a, struct cloud_member *m, struct log_memory *memory, struct error *err)
{
	/* Not FilenameContains: not every endpoint knows it, and there are few others. */
	const struct aws_param params[] = { { "DBInstanceIdentifier", m->id }, { NULL, NULL } };
	struct cloud_listing pages = { .n = 0 };

	if (!cloud_list(a, "DescribeDBLogFiles", params, &pages, err))
		return false;
	memory->files.n = 0;
	for (int i = 0; i < pages.n; i++) {
		const struct xml *list = xml_get(pages.pages[i].xml, "DescribeDBLogFiles");

		for (const struct xml *x = list ? list->child : NULL; x; x = x->next)
			take_file(&memory->files, x);
	}
	cloud_listing_release(&pages);
	memory->listed = mono_now();
	return true;
}

/* csvlog says more, where log_destination has it too. */
static const struct log_file *
newest_file(const struct log_memory *memory)
{
	const struct log_file *csv = log_files_newest(&memory->files, LOGFORMAT_CSV),
	                      *plain = log_files_newest(&memory->files, LOGFORMAT_STDERR);
	const int64_t hour_us = INT64_C(3600) * 1000000;

	return csv && (!plain || csv->modified_us > plain->modified_us - hour_us) ? csv : plain;
}

static void
begin_file(struct log_memory *memory, const struct log_file *f, const char *marker)
{
	enum log_format format = log_file_format(f->name);

	if (!memory->parser || memory->format != format) {
		log_parser_free(memory->parser);
		/* The prefix is RDS's own, which is among those that are tried. */
		memory->parser = log_parser_new(format, NULL, NULL);
		memory->format = format;
	}
	memcpy(memory->file, f->name, sizeof(memory->file));
	snprintf(memory->marker, sizeof(memory->marker), "%s", marker);
	memory->offset = 0;
	log_parser_seek(memory->parser, 0, false);
}

/* ---- entries */

static void
feed(struct log_memory *memory, const char *data, bool is_first)
{
	const struct log_file *f = log_files_find(&memory->files, memory->file);
	size_t len = strlen(data);

	if (is_first && f && f->bytes > (int64_t)len) {
		memory->offset = f->bytes - (int64_t)len;
		log_parser_seek(memory->parser, memory->offset, true);
	}
	log_rows_begin(&memory->rows, memory->file);
	log_parser_feed(memory->parser, data, len, log_rows_add, &memory->rows);
	memory->offset += (int64_t)len;
}

/* The next portion. *more: there is another one; *got: it held something. */
static bool
ask_portion(struct cloud_account *a, struct cloud_member *m, struct log_memory *memory, bool *more,
    bool *got, struct error *err)
{
	bool is_first = !*memory->marker;
	char lines[16];
	const struct aws_param params[] = { { "DBInstanceIdentifier", m->id },
		{ "LogFileName", memory->file }, { "Marker", is_first ? NULL : memory->marker },
		{ "NumberOfLines", is_first ? lines : NULL }, { NULL, NULL } };
	const struct aws_call call = {
		.service = AWS_RDS, .op = "DownloadDBLogFilePortion", .params = params
	};
	struct aws_answer answer;
	const char *data, *marker;
	bool ok;

	snprintf(lines, sizeof(lines), "%d", FIRST_LINES);
	aws_answer_init(&answer);
	ok = cloud_do(a, &call, &answer, err);
	if (ok) {
		data = xml_text(answer.xml, "LogFileData");
		marker = xml_text(answer.xml, "Marker");
		*got = *data != '\0';
		/* From its end on, a first answer without a marker would come again and again. */
		*more = xml_true(answer.xml, "AdditionalDataPending") && *marker && *got;
		feed(memory, data, is_first);
		if (*marker)
			snprintf(memory->marker, sizeof(memory->marker), "%s", marker);
	} else if (strstr(answer.code, "DBLogFileNotFound")) {
		memory->file[0] = '\0'; /* its hour is over, and more than that */
		memory->listed = (struct mono){ 0 };
	}
	aws_answer_release(&answer);
	return ok;
}

/* To the end of what there is of this file, a few portions at most; *left: there is more. */
static bool
read_on(struct cloud_account *a, struct cloud_member *m, struct log_memory *memory, bool *left,
    struct error *err)
{
	bool more = true, got = false, any = false, is_first = !*memory->marker;

	for (int i = 0; i < PORTIONS && more && !cloud_is_stopping(a); i++) {
		if (!ask_portion(a, m, memory, &more, &got, err))
			return false;
		any |= got;
	}
	*left = more;
	/* As of a file: while it grows, its last entry may not be whole. */
	if (!more && (is_first || !any)) {
		log_rows_begin(&memory->rows, memory->file);
		log_parser_flush(memory->parser, log_rows_add, &memory->rows);
	}
	return true;
}

static void
post_source(struct cloud_member *m, const struct log_memory *memory)
{
	static const char *const names[] = { "destination", "name", "bytes", "modified" };
	static const uint8_t types[] = { CELL_TEXT, CELL_TEXT, CELL_INT, CELL_TIME };
	struct rowset *rows = rowset_new((int)ARRAY_LEN(names), names, types);

	for (int i = 0; i < memory->files.n; i++) {
		const struct log_file *f = &memory->files.files[i];
		struct cell *c = rowset_add(rows);

		c[0] = cell_text("RDS");
		c[1] = cell_text(arena_strdup(&rows->arena, f->name));
		c[2] = cell_int(f->bytes);
		c[3] = cell_time(f->modified_us);
	}
	cloud_post(m, PROBE_LOG_SOURCE, rows);
}

/* A recording follows the logs of all its targets: together they take no more calls than a few. */
static bool
is_too_soon(struct cloud_account *a, struct log_memory *memory)
{
	int64_t each_ms = (int64_t)EACH_MS * a->period_ms / CLOUD_PERIOD_MS, n = 0;
	struct mono now = mono_now();

	for (const struct cloud_member *i = cloud_members(a); i; i = i->next)
		n += atomic_load(&i->is_shown[PROBE_LOGS]);
	memory->pause_ms = each_ms * n;
	if (memory->asked.us && mono_since_ms(now, memory->asked) < memory->pause_ms)
		return true;
	memory->asked = now;
	return false;
}

static bool
look(struct cloud_account *a, struct cloud_member *m, struct log_memory *memory, struct error *err)
{
	const struct log_file *next;
	bool left;

	if (!memory->listed.us ||
	    mono_since_ms(mono_now(), memory->listed) > LIST_EVERY_MS + 2 * memory->pause_ms) {
		if (!list_files(a, m, memory, err))
			return false;
		post_source(m, memory);
	}
	if (!*memory->file) {
		next = newest_file(memory);
		if (!next)
			return error_set(err, ERR_NOT_FOUND, "RDS lists no log file of %s", m->id);
		begin_file(memory, next, "");
	}
	if (!read_on(a, m, memory, &left, err))
		return false;
	/* The hour after it, from its beginning. */
	next = log_files_neighbour(&memory->files, memory->format, memory->file, 1);
	if (next) {
		log_rows_begin(&memory->rows, memory->file);
		log_parser_flush(memory->parser, log_rows_add, &memory->rows);
		if (left)
			log_rows_gap(&memory->rows, memory->offset,
			    "the rest of this log file was left out: RDS gives it slower than it is written");
		begin_file(memory, next, "0");
		if (!read_on(a, m, memory, &left, err))
			return false;
	}
	log_rows_begin(&memory->rows, memory->file);
	cloud_post(m, PROBE_LOGS, log_rows_take(&memory->rows));
	return true;
}

bool
cloud_logs_run(struct cloud_account *a, struct cloud_member *m, struct error *err)
{
	struct log_memory *memory;
	bool ok;

	if (!*m->id)
		return error_set(err, *a->trouble ? ERR_CONNECT : ERR_UNSUPPORTED,
		    "the instance is not known%s%.200s", *a->trouble ? ": " : "", a->trouble);
	if (!m->logs)
		m->logs = xcalloc(1, sizeof(*m->logs));
	memory = m->logs;
	/* A turn that does not look leaves it at what the last one came to. */
	if (!is_too_soon(a, memory)) {
		ok = look(a, m, memory, err);
		memory->failed = ok ? (struct error){ .code = ERR_OK } : *err;
	} else if (memory->failed.code != ERR_OK) {
		*err = memory->failed;
		ok = false;
	} else {
		ok = true;
	}
	return ok;
}
