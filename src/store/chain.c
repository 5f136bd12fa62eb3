#include "config.h"

#include "store/chain.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/conf.h"
#include "base/digest.h"
#include "base/json.h"
#include "base/log.h"

enum { MAX_LINE = 1 << 20, TAIL = 64 << 10 };

static const char none[] = "0000000000000000000000000000000000000000000000000000000000000000";
static const char hash_member[] = ",\"hash\":\"";

static bool
fail(struct error *err, const char *path, const char *what)
{
	error_set(err, ERR_JOURNAL, "%s cannot be %s: %s", path, what, strerror(errno));
	return error_hint(err, "What cannot be written down is not done.");
}

/* Split "…,"hash":"HEX"}": where the hash member begins, and its digits; NULL: no such line. */
static const char *
split_hash(const char *line, size_t len, char hex[static DIGEST_HEX])
{
	const size_t tail = sizeof(hash_member) - 1 + (DIGEST_HEX - 1) + 2;
	const char *at;

	if (len < tail + 1 || memcmp(line + len - 2, "\"}", 2) != 0)
		return NULL;
	at = line + len - tail;
	if (memcmp(at, hash_member, sizeof(hash_member) - 1) != 0)
		return NULL;
	memcpy(hex, at + sizeof(hash_member) - 1, DIGEST_HEX - 1);
	hex[DIGEST_HEX - 1] = '\0';
	return at;
}

struct last_line {
	int64_t seq;
	char hash[DIGEST_HEX];
	bool is_torn; /* the file does not end with a line's end */
};

static void
read_last(const char *buf, size_t n, struct last_line *last)
{
	size_t end = n;
	struct error ignored = { 0 };

	last->is_torn = n && buf[n - 1] != '\n';
	/* The last line that is whole, skipping what a crash has cut. */
	while (end > 0) {
		size_t start;
		struct json *root;
		double seq = 0;

		while (end > 0 && buf[end - 1] == '\n')
			end--;
		start = end;
		while (start > 0 && buf[start - 1] != '\n')
			start--;
		if (end > start && (end < n || !last->is_torn) &&
		    split_hash(buf + start, end - start, last->hash)) {
			root = json_parse(buf + start, end - start, &ignored);
			if (root && json_number(json_get(root, "seq"), &seq)) {
				last->seq = (int64_t)seq;
				json_free(root);
				return;
			}
			json_free(root);
		}
		end = start;
	}
	memcpy(last->hash, none, sizeof(none));
}

static bool
find_last(int fd, const char *path, struct last_line *last, struct error *err)
{
	struct stat st;
	char *buf;
	ssize_t n;
	off_t from;

	*last = (struct last_line){ 0 };
	memcpy(last->hash, none, sizeof(none));
	if (fstat(fd, &st) != 0)
		return fail(err, path, "read");
	for (off_t size = TAIL;; size *= 16) {
		from = st.st_size > size ? st.st_size - size : 0;
		buf = xmalloc((size_t)(st.st_size - from) + 1);
		n = pread(fd, buf, (size_t)(st.st_size - from), from);
		if (n < 0) {
			free(buf);
			return fail(err, path, "read");
		}
		read_last(buf, (size_t)n, last);
		free(buf);
		/* The piece may have begun within the line. */
		if (last->seq > 0 || from == 0 || size > 16 * MAX_LINE)
			return true;
	}
}

static void
add_line(struct strbuf *sb, const struct chain_event *e, const struct last_line *last,
    struct chain_tip *tip)
{
	const size_t start = sb->len;
	struct strbuf clean = STRBUF_INIT(MAX_LINE / 2);
	char at[40];
	bool first = true;

	redact(&clean, e->text ? e->text : "");
	wall_rfc3339(wall_now(), at, sizeof(at));
	strbuf_addc(sb, '{');
	json_key(sb, &first, "seq");
	json_int(sb, last->seq + 1);
	json_key(sb, &first, "at");
	json_str(sb, at, strlen(at));
	json_key(sb, &first, "job");
	json_int(sb, e->job);
	json_key(sb, &first, "event");
	json_str(sb, e->event, strlen(e->event));
	json_key(sb, &first, "name");
	json_str(sb, e->name ? e->name : "", e->name ? strlen(e->name) : 0);
	json_key(sb, &first, "text");
	json_str(sb, clean.buf, clean.len);
	json_key(sb, &first, "prev");
	json_str(sb, last->hash, strlen(last->hash));
	digest_sha256_hex(sb->buf + start, sb->len - start, tip->hash);
	tip->seq = last->seq + 1;
	strbuf_addf(sb, "%s%s\"}\n", hash_member, tip->hash);
	strbuf_release(&clean);
}

static bool
write_all(int fd, const char *s, size_t len)
{
	while (len) {
		ssize_t n = write(fd, s, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		s += n;
		len -= (size_t)n;
	}
	return true;
}

/* A whole line or none: what a full disk took of it is cut off again. */
static bool
write_line(int fd, const struct strbuf *line)
{
	struct stat st;
	int failed;

	if (fstat(fd, &st) != 0)
		return false;
	if (!line->cut && write_all(fd, line->buf, line->len) && fdatasync(fd) == 0)
		return true;
	failed = line->cut ? EFBIG : errno;
	if (ftruncate(fd, st.st_size) != 0)
		log_warn("journal", "half a line stays in journal.jsonl: %s", strerror(errno));
	errno = failed;
	return false;
}

bool
chain_append(const struct chain_event *e, struct chain_tip *tip, struct error *err)
{
	struct arena arena = { 0 };
	struct strbuf line = STRBUF_INIT(MAX_LINE);
	const char *path = path_state(&arena, "journal.jsonl");
	struct last_line last = { 0 };
	bool ok = path_make(path_state(&arena, ""), err);
	int fd = ok ? open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600) : -1;

	if (ok && (fd < 0 || flock(fd, LOCK_EX) != 0))
		ok = fail(err, path, "opened");
	ok = ok && find_last(fd, path, &last, err);
	if (ok) {
		/* A line that a crash has cut keeps its own line, and is told by journal verify. */
		if (last.is_torn)
			strbuf_addc(&line, '\n');
		if (tip->seq >= last.seq && tip->seq > 0) {
			last.seq = tip->seq;
			memcpy(last.hash, tip->hash, sizeof(last.hash));
		}
		add_line(&line, e, &last, tip);
		ok = write_line(fd, &line) || fail(err, path, "written");
	}
	if (fd >= 0)
		close(fd);
	strbuf_release(&line);
	arena_release(&arena);
	return ok;
}

/* ------------------------------------------------------------------ verify */

static bool
broken(struct chain_report *r, int64_t number, const char *why)
{
	r->broken = number;
	snprintf(r->why, sizeof(r->why), "%s", why);
	return false;
}

/* One line; false: the chain is broken here. */
static bool
verify_line(struct chain_report *r, const struct chain_tip *tip, int64_t number, const char *line,
    size_t len)
{
	char said[DIGEST_HEX], is[DIGEST_HEX];
	const char *at = split_hash(line, len, said);
	struct error ignored = { 0 };
	struct json *root = at ? json_parse(line, len, &ignored) : NULL;
	const char *prev = json_text(json_get(root, "prev"));
	double seq = 0;
	bool ok;

	if (!root) {
		/* Only a line that was cut may be none: its start is a line's start. */
		r->torn++;
		return line[0] == '{' || broken(r, number, "it is no line of the journal");
	}
	digest_sha256_hex(line, (size_t)(at - line), is);
	if (strcmp(said, is) != 0)
		ok = broken(r, number, "its text is not what was written");
	else if (!prev || strcmp(prev, *r->last ? r->last : none) != 0)
		ok = broken(r, number, "the line before it is not the one that was there");
	else if (!json_number(json_get(root, "seq"), &seq) || (int64_t)seq != r->lines + 1)
		ok = broken(r, number, "its number does not follow");
	else if ((int64_t)seq == tip->seq && strcmp(said, tip->hash) != 0)
		ok = broken(r, number, "it is not the line that journal.db remembers");
	else
		ok = true;
	if (ok) {
		r->lines++;
		memcpy(r->last, said, sizeof(said));
	}
	json_free(root);
	return ok;
}

/* Were there more lines once? */
static void
verify_tail(struct chain_report *r, const struct chain_tip *tip)
{
	char why[128];

	if (r->broken || r->lines >= tip->seq)
		return;
	snprintf(why, sizeof(why), "%lld lines were written, the last %lld are gone",
	    (long long)tip->seq, (long long)(tip->seq - r->lines));
	(void)broken(r, r->lines + r->torn + 1, why);
}

bool
chain_verify(
    const char *path, const struct chain_tip *tip, struct chain_report *report, struct error *err)
{
	struct arena arena = { 0 };
	char *line = NULL;
	size_t cap = 0;
	int64_t number = 0;
	ssize_t n;
	FILE *f;
	bool ok = true;

	*report = (struct chain_report){ 0 };
	if (!path)
		path = path_state(&arena, "journal.jsonl");
	f = fopen(path, "re");
	if (!f) {
		ok = errno == ENOENT || fail(err, path, "read");
		if (ok)
			verify_tail(report, tip);
		arena_release(&arena);
		return ok;
	}
	while ((n = getline(&line, &cap, f)) > 0) {
		bool has_end = line[n - 1] == '\n';

		number++;
		if (!has_end) {
			report->torn++;
			break;
		}
		if (!verify_line(report, tip, number, line, (size_t)n - 1))
			break;
	}
	if (ferror(f))
		ok = fail(err, path, "read");
	verify_tail(report, tip);
	free(line);
	fclose(f);
	arena_release(&arena);
	return ok;
}
