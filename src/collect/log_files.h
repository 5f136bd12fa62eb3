/* The files of a server's log directory: which is the newest, which came before and after another
 * one. By time of modification, which every role may see that may see the directory. */
#ifndef PGMEDIC_COLLECT_LOG_FILES_H
#define PGMEDIC_COLLECT_LOG_FILES_H

#include "base/rowset.h"
#include "model/logparse.h"

enum { LOG_FILES_MAX = 64 };

struct log_file {
	char name[256]; /* without its folder */
	int64_t bytes, modified_us;
};

struct log_files {
	struct log_file files[LOG_FILES_MAX]; /* the newest of those there are */
	int n;
};

/* The newest files of a folder of this machine. */
void log_files_list(struct log_files *fs, const char *folder);
/* One more; when there are too many, the oldest goes. */
void log_files_add(struct log_files *fs, const struct log_file *f);
/* Those of an answer of query log_source. */
void log_files_take(struct log_files *fs, const struct rowset *rows);

const struct log_file *log_files_find(const struct log_files *fs, const char *name);
const struct log_file *log_files_newest(const struct log_files *fs, enum log_format format);
/* The file after (1) or before (-1) another one; NULL: none is known. */
const struct log_file *log_files_neighbour(
    const struct log_files *fs, enum log_format format, const char *name, int way);

/* The name without its folder; the format that its ending tells. */
const char *log_file_base(const char *path);
enum log_format log_file_format(const char *name);

#endif
