/* Shared by log_tail.c (reading) and log_where.c (where the log is). */
#ifndef PGMEDIC_COLLECT_LOG_TAIL_PRIV_H
#define PGMEDIC_COLLECT_LOG_TAIL_PRIV_H

#include "collect/log_files.h"
#include "collect/log_tail.h"

enum { PATH_BYTES = 1024 };

struct log_tail {
	char *conf_file; /* the target's log_file, or NULL */
	enum log_via via;
	enum log_format format;
	char identity[512]; /* of the server whose log it is */
	char data_directory[PATH_BYTES], prefix[512];
	bool has_prefix;
	struct log_zone zone;
	struct log_parser *parser;
	struct log_rows rows;

	char current[3]
	            [PATH_BYTES]; /* by format: written to now, as named by the server; "" none */
	struct log_files files;   /* as of the last look */

	char file[PATH_BYTES]; /* being read, as the server names it; "" none yet */
	int64_t offset;
	bool is_started; /* it has been read to its end once */

	int fd;       /* LOG_FILE; -1 */
	bool is_path; /* LOG_FILE: a path that is followed by name, not a file of the collector's */

	char params[2][24]; /* LOG_SQL */
};

/* log_tail.c */
/* Forget the file: what is read next begins as at the start. */
void log_tail_close(struct log_tail *l);
/* The file of another format: its entries are parsed by another parser. */
void log_tail_format(struct log_tail *l, enum log_format format);
/* Open a file of this machine, as the server names it; false, errno: it cannot be read. */
bool log_tail_open(struct log_tail *l, const char *file);
/* It is shorter than what has been read of it: from its beginning. */
void log_tail_truncated(struct log_tail *l);

#endif
