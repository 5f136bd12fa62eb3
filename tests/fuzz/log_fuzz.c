/*
 * A server log of any bytes. The first byte chooses the format and where it begins, the first line
 * is the prefix. In whatever pieces it comes, the entries are the same, and within bounds.
 */
#include "config.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "model/logparse.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct sum {
	uint64_t hash;
	int64_t n;
};

static void
add_text(struct sum *s, struct log_text t)
{
	for (size_t i = 0; t.s && i < t.len; i++)
		s->hash = (s->hash ^ (unsigned char)t.s[i]) * 1099511628211u;
	s->hash = (s->hash ^ t.len) * 1099511628211u;
}

static void
take(void *arg, const struct log_entry *e)
{
	struct sum *s = arg;

	s->n++;
	if (e->kind >= LOGKIND_COUNT || e->severity >= LOGSEV_COUNT || e->nparties < 0 ||
	    e->nparties > LOG_PARTIES_MAX || !e->message.s)
		abort();
	add_text(s, e->message);
	add_text(s, e->detail);
	add_text(s, e->statement);
	add_text(s, e->user);
	add_text(s, e->object);
	s->hash = (s->hash ^ (uint64_t)e->time_us ^ (uint64_t)e->pid) * 1099511628211u;
	s->hash = (s->hash ^ (uint64_t)e->offset ^ (uint64_t)e->kind) * 1099511628211u;
}

static struct sum
parse(const char *s, size_t len, int choice, const char *prefix, size_t piece)
{
	struct sum sum = { 1, 0 };
	struct log_parser *p =
	    log_parser_new((enum log_format)(choice % 3), choice & 8 ? NULL : prefix, NULL);

	log_parser_seek(p, choice & 4 ? 100 : 0, (choice & 4) != 0);
	for (size_t at = 0; at < len; at += piece)
		log_parser_feed(p, s + at, len - at < piece ? len - at : piece, take, &sum);
	log_parser_flush(p, take, &sum);
	log_parser_free(p);
	return sum;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *s = (const char *)data + 1, *line;
	struct sum whole, pieces;
	char *prefix;
	size_t n;

	if (size < 2)
		return 0;
	line = memchr(s, '\n', size - 1);
	n = line ? (size_t)(line - s) + 1 : 0;
	prefix = xstrndup(s, n ? n - 1 : 0);
	whole = parse(s + n, size - 1 - n, data[0], prefix, size);
	pieces = parse(s + n, size - 1 - n, data[0], prefix, 1 + data[0] % 17);
	if (whole.n != pieces.n || whole.hash != pieces.hash)
		abort();
	free(prefix);
	return 0;
}
