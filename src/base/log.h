/* Log to a file (--log), never to the screen. Any thread. */
#ifndef PGMEDIC_BASE_LOG_H
#define PGMEDIC_BASE_LOG_H

#include <stdbool.h>

#include "base/error.h"
#include "base/strbuf.h"

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG };

/* NULL path: off. Created 0600. */
bool log_open(const char *path, enum log_level level, struct error *err) MUST_CHECK;
void log_close(void);
extern bool log_debug_on;
void log_write(enum log_level level, const char *module, const char *fmt, ...) PRINTF_LIKE(3, 4);
#define log_error(module, ...) log_write(LOG_ERROR, module, __VA_ARGS__)
#define log_warn(module, ...)  log_write(LOG_WARN, module, __VA_ARGS__)
#define log_info(module, ...)  log_write(LOG_INFO, module, __VA_ARGS__)
#define log_debug(module, ...)                                     \
	do {                                                       \
		if (log_debug_on)                                  \
			log_write(LOG_DEBUG, module, __VA_ARGS__); \
	} while (0)

/* Append s with passwords (conninfo, URI, PASSWORD '…'), AWS keys and tokens replaced by "***". */
void redact(struct strbuf *out, const char *s);

#endif
