/* Events, and the server's log files. */
#include "config.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "labcloud/rds.h"

enum { PORTION = 1 << 20 };

/* ---- events */

static bool
wanted(const struct call *c, const struct event *e, struct wall from, struct wall to)
{
	const char *type = form_get(&c->form, "SourceType"),
	           *source = form_get(&c->form, "SourceIdentifier"), *category;
	bool is_met = !form_has(&c->form, "EventCategories.EventCategory");

	for (int n = 1; (category = form_getf(&c->form, "EventCategories.EventCategory.%d", n));
	     n++)
		is_met |= strcmp(category, e->category) == 0;
	return is_met && (!type || strcmp(type, e->type) == 0) &&
	    (!source || strcasecmp(source, e->source) == 0) && e->at.us >= from.us &&
	    e->at.us <= to.us;
}

static bool
event_times(struct call *c, struct wall *from, struct wall *to)
{
	const char *start = form_get(&c->form, "StartTime"), *end = form_get(&c->form, "EndTime");
	int minutes = 60;

	if (!call_int(c, "Duration", 1, 20160, &minutes))
		return false;
	*to = wall_now();
	if ((start && !wall_parse(start, from)) || (end && !wall_parse(end, to)))
		return call_fail(c, 400, "InvalidParameterValue", "The time is invalid.");
	if (!start)
		from->us = to->us - (int64_t)minutes * 60000000;
	if (form_get(&c->form, "SourceIdentifier") && !form_get(&c->form, "SourceType"))
		return call_fail(c, 400, "InvalidParameterCombination",
		    "SourceType must be given with SourceIdentifier.");
	return true;
}

static void
describe_events(struct call *c)
{
	const struct world *w = c->world;
	const struct event *found[MAX_EVENTS];
	struct wall begin, end;
	int n = 0, from, to;

	if (!event_times(c, &begin, &end))
		return;
	for (int64_t k = w->nevents > MAX_EVENTS ? w->nevents - MAX_EVENTS : 0; k < w->nevents; k++)
		if (wanted(c, &w->events[k % MAX_EVENTS], begin, end))
			found[n++] = &w->events[k % MAX_EVENTS];
	if (!call_page(c, n, &from, &to))
		return;
	w_list(&c->w, "Events", "Event");
	for (int i = from; i < to; i++) {
		const char *type = found[i]->type;

		w_open(&c->w, NULL);
		w_text(&c->w, "SourceIdentifier", found[i]->source);
		w_text(&c->w, "SourceType", found[i]->type);
		w_text(&c->w, "Message", found[i]->message);
		w_list(&c->w, "EventCategories", "EventCategory");
		w_text(&c->w, NULL, found[i]->category);
		w_close(&c->w);
		w_time(&c->w, "Date", found[i]->at);
		w_text(&c->w, "SourceArn",
		    call_arn(c,
		        strcmp(type, "db-instance") == 0            ? "db" :
		            strcmp(type, "db-parameter-group") == 0 ? "pg" :
		            strcmp(type, "db-proxy") == 0           ? "db-proxy" :
		                                                      "snapshot",
		        found[i]->source));
		w_close(&c->w);
	}
	w_close(&c->w);
}

/* ---- logs */

static const char *
log_folder(struct call *c, const struct instance *i)
{
	return arena_printf(&c->request->arena, "%s/%s/log", c->world->options.directory, i->data);
}

static void
write_log_file(struct call *c, const char *folder, const char *name)
{
	const char *contains = form_get(&c->form, "FilenameContains");
	const char *shown = arena_printf(&c->request->arena, "error/%s", name);
	int least = 0;
	struct stat st;

	if ((contains && !strstr(shown, contains)) ||
	    stat(arena_printf(&c->request->arena, "%s/%s", folder, name), &st) < 0 ||
	    !S_ISREG(st.st_mode) || !call_int(c, "FileSize", 0, 1 << 30, &least) ||
	    st.st_size < least)
		return;
	w_open(&c->w, NULL);
	w_text(&c->w, "LogFileName", shown);
	w_int(
	    &c->w, "LastWritten", (int64_t)st.st_mtim.tv_sec * 1000 + st.st_mtim.tv_nsec / 1000000);
	w_int(&c->w, "Size", (int64_t)st.st_size);
	w_close(&c->w);
}

static void
describe_log_files(struct call *c)
{
	const struct instance *i = rds_instance(c, "DBInstanceIdentifier");
	const char *folder = i && i->data[0] ? log_folder(c, i) : NULL;
	DIR *dir = folder ? opendir(folder) : NULL;
	struct dirent *entry;

	if (!i)
		return;
	w_list(&c->w, "DescribeDBLogFiles", "DescribeDBLogFilesDetails");
	while (dir && (entry = readdir(dir)))
		if (entry->d_name[0] != '.')
			write_log_file(c, folder, entry->d_name);
	w_close(&c->w);
	if (dir)
		closedir(dir);
}

/* Open a log file by the name that is shown; -1 and failed. */
static int
open_log(struct call *c, const struct instance *i, const char *name)
{
	const char *base = strncmp(name, "error/", 6) == 0 ? name + 6 : "";
	int fd = -1;

	if (i->data[0] && *base && *base != '.' && !strchr(base, '/'))
		fd = open(arena_printf(&c->request->arena, "%s/%s", log_folder(c, i), base),
		    O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0)
		call_fail(c, 404, "DBLogFileNotFoundFault",
		    "DBLog File: %s, is not found on the DB instance", name);
	return fd;
}

/* The place where the last `lines` lines begin. */
static off_t
last_lines(int fd, off_t size, int lines)
{
	char block[4096];

	for (off_t end = size; end > 0;) {
		off_t begin = end > (off_t)sizeof(block) ? end - (off_t)sizeof(block) : 0;
		ssize_t n = pread(fd, block, (size_t)(end - begin), begin);

		for (ssize_t k = n - 1; k >= 0; k--)
			if (block[k] == '\n' && begin + k + 1 < size && --lines == 0)
				return begin + k + 1;
		end = begin;
	}
	return 0;
}

static void
write_portion(struct call *c, int fd, off_t from, off_t to, off_t size)
{
	char *data = arena_alloc(&c->request->arena, (size_t)(to - from) + 1);
	ssize_t n = pread(fd, data, (size_t)(to - from), from);

	data[n > 0 ? n : 0] = 0;
	w_text(&c->w, "LogFileData", data);
	w_text(&c->w, "Marker",
	    arena_printf(&c->request->arena, "0:%lld", (long long)(from + (n > 0 ? n : 0))));
	w_bool(&c->w, "AdditionalDataPending", to < size);
}

static void
download_portion(struct call *c)
{
	const struct instance *i = rds_instance(c, "DBInstanceIdentifier");
	const char *name = i ? call_need(c, "LogFileName") : NULL,
	           *marker = form_get(&c->form, "Marker");
	int fd = name ? open_log(c, i, name) : -1, lines = 0;
	struct stat st;
	int64_t most = PORTION;

	if (fd < 0)
		return;
	if (call_int(c, "NumberOfLines", 1, 10000, &lines) && fstat(fd, &st) == 0) {
		const char *colon = marker ? strchr(marker, ':') : NULL;
		off_t from = colon ? (off_t)strtoll(colon + 1, NULL, 10) : 0;

		fault_peek(&c->world->faults, FAULT_PAGE, c->action, &most);
		if (!marker)
			from = last_lines(fd, st.st_size, lines ? lines : 10000);
		if (from < 0 || from > st.st_size)
			from = st.st_size;
		write_portion(c, fd, from,
		    st.st_size - from > most ? from + (off_t)most : st.st_size, st.st_size);
	}
	close(fd);
}

/* GET /v13/downloadCompleteLogFile/INSTANCE/FILE: the file as it is. */
static void
download_complete(struct call *c)
{
	const struct instance *i = rds_instance(c, "DBInstanceIdentifier");
	const char *name = i ? call_need(c, "LogFileName") : NULL;
	int fd = name ? open_log(c, i, name) : -1;
	char block[16384];
	ssize_t n;

	if (fd < 0)
		return;
	c->is_raw = true;
	while ((n = read(fd, block, sizeof(block))) > 0)
		strbuf_add(&c->out, block, (size_t)n);
	close(fd);
}

const struct action rds_other_actions[] = {
	{ "rds", "DescribeEvents", describe_events, RDS_NAMESPACE },
	{ "rds", "DescribeDBLogFiles", describe_log_files, RDS_NAMESPACE },
	{ "rds", "DownloadDBLogFilePortion", download_portion, RDS_NAMESPACE },
	{ "rds", "DownloadCompleteDBLogFile", download_complete, RDS_NAMESPACE },
	{ NULL, NULL, NULL, NULL },
};
