/* Blocks of a recording on disk or in memory. */
#include "config.h"

#include "collect/recfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

#include "base/mem.h"

enum { HEADER = 16, BLOCK_HEADER = 32, VERSION = 1, LEVEL = 1 };
enum { BLOCK_MAGIC = 0x314b4c42 }; /* "BLK1" */
static const char file_magic[8] = "PGMREC\r\n";

struct recfile {
	int fd; /* -1: in memory */
	char *path;
	int64_t size; /* bytes of good content */
	struct recblock *blocks;
	int n, cap;
	int64_t torn, damaged;
	ZSTD_CCtx *cctx;
	ZSTD_DCtx *dctx;
	/* in memory: the blocks one after the other, `base` bytes were let go at the front */
	char *mem;
	size_t mem_len, mem_cap, mem_max;
	int64_t base;
};

/* ---- little-endian words */

static void
put32(unsigned char *p, uint32_t v)
{
	for (int i = 0; i < 4; i++)
		p[i] = (unsigned char)(v >> (8 * i));
}

static uint32_t
get32(const unsigned char *p)
{
	return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static int64_t
get64(const unsigned char *p)
{
	return (int64_t)(get32(p) | (uint64_t)get32(p + 4) << 32);
}

/* CRC-32 (IEEE 802.3), by nibbles: small, and far faster than the disk. */
static uint32_t
crc32_add(uint32_t crc, const unsigned char *p, size_t n)
{
	static const uint32_t table[16] = { 0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac,
		0x76dc4190, 0x6b6b51f4, 0x4db26158, 0x5005713c, 0xedb88320, 0xf00f9344, 0xd6d6a3e8,
		0xcb61b38c, 0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c };

	crc = ~crc;
	for (size_t i = 0; i < n; i++) {
		crc = table[(crc ^ p[i]) & 15] ^ (crc >> 4);
		crc = table[(crc ^ (p[i] >> 4)) & 15] ^ (crc >> 4);
	}
	return ~crc;
}

static struct recfile *
recfile_alloc(const char *path)
{
	struct recfile *f = xcalloc(1, sizeof(*f));
	f->fd = -1;
	f->path = xstrdup(path);
	return f;
}

void
recfile_close(struct recfile *f)
{
	if (!f)
		return;
	if (f->fd >= 0) {
		if (f->cctx)
			fsync(f->fd);
		close(f->fd);
	}
	ZSTD_freeCCtx(f->cctx);
	ZSTD_freeDCtx(f->dctx);
	free(f->path);
	free(f->blocks);
	free(f->mem);
	free(f);
}

int64_t
recfile_bytes(const struct recfile *f)
{
	return f->fd >= 0 ? f->size : (int64_t)f->mem_len;
}

/* ---- raw access */

static bool
read_at(const struct recfile *f, int64_t offset, void *buf, size_t n)
{
	if (f->fd < 0) {
		if (offset < f->base || (uint64_t)(offset - f->base) + n > f->mem_len)
			return false;
		memcpy(buf, f->mem + (offset - f->base), n);
		return true;
	}
	for (size_t done = 0; done < n;) {
		ssize_t got = pread(f->fd, (char *)buf + done, n - done, offset + (int64_t)done);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return false;
		done += (size_t)got;
	}
	return true;
}

static void
note_block(struct recfile *f, int64_t offset, int64_t at_us, unsigned flags)
{
	GROW(f->blocks, f->n, f->cap);
	f->blocks[f->n++] = (struct recblock){ offset, { at_us }, flags };
}

/* Is there a good block at this offset? Its whole length in *len. */
static bool
block_at(const struct recfile *f, int64_t offset, int64_t end, unsigned char head[BLOCK_HEADER],
    int64_t *len)
{
	uint32_t crc, n;
	unsigned char *body;
	bool good;

	if (offset + BLOCK_HEADER > end || !read_at(f, offset, head, BLOCK_HEADER) ||
	    get32(head) != BLOCK_MAGIC)
		return false;
	n = get32(head + 8);
	if (n > RECFILE_MAX_RAW || get32(head + 12) > RECFILE_MAX_RAW ||
	    offset + BLOCK_HEADER + (int64_t)n > end)
		return false;
	body = xmalloc(n ? n : 1);
	good = read_at(f, offset + BLOCK_HEADER, body, n);
	crc = crc32_add(crc32_add(0, head + 8, BLOCK_HEADER - 8), body, n);
	free(body);
	*len = BLOCK_HEADER + (int64_t)n;
	return good && crc == get32(head + 4);
}

/* The next place from `offset` where a block may begin, or `end`. */
static int64_t
find_magic(const struct recfile *f, int64_t offset, int64_t end)
{
	unsigned char buf[4096], magic[4];

	put32(magic, BLOCK_MAGIC);
	while (offset + 4 <= end) {
		size_t n = (size_t)(end - offset < (int64_t)sizeof(buf) ? end - offset :
		                                                          (int64_t)sizeof(buf));
		const unsigned char *hit;
		if (!read_at(f, offset, buf, n))
			break;
		hit = memmem(buf, n, magic, 4);
		if (hit)
			return offset + (hit - buf);
		offset += (int64_t)n - 3;
	}
	return end;
}

/* Index the good blocks up to `end`; what cannot be read is counted as damaged, or torn when
 * nothing good follows. */
static void
scan_blocks(struct recfile *f, int64_t offset, int64_t end)
{
	int64_t bad_from = -1, len;
	unsigned char head[BLOCK_HEADER];

	f->size = offset;
	while (offset < end) {
		if (block_at(f, offset, end, head, &len)) {
			if (bad_from >= 0)
				f->damaged += offset - bad_from;
			bad_from = -1;
			note_block(f, offset, get64(head + 16), get32(head + 24));
			offset += len;
			f->size = offset;
			continue;
		}
		if (bad_from < 0)
			bad_from = offset;
		offset = find_magic(f, offset + 1, end);
	}
	if (bad_from >= 0)
		f->torn = end - bad_from;
}

static bool
check_header(const struct recfile *f, struct error *err)
{
	unsigned char head[HEADER];

	if (!read_at(f, 0, head, sizeof(head)) ||
	    memcmp(head, file_magic, sizeof(file_magic)) != 0) {
		error_set(err, ERR_FORMAT, "%s is not a recording of pgmedic", f->path);
		return error_hint(err, "Recordings are made by `pgmedic record FILE`.");
	}
	if (get32(head + 8) > VERSION) {
		error_set(err, ERR_FORMAT,
		    "%s was recorded in format %u, this program reads up to %d", f->path,
		    get32(head + 8), VERSION);
		return error_hint(err, "Use the pgmedic that made it, or a newer one.");
	}
	return true;
}

/* ---- writing */

static bool
write_all(int fd, const void *buf, size_t n)
{
	for (size_t done = 0; done < n;) {
		ssize_t put = write(fd, (const char *)buf + done, n - done);
		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			return false;
		done += (size_t)put;
	}
	return true;
}

static void
make_header(unsigned char head[HEADER])
{
	memcpy(head, file_magic, sizeof(file_magic));
	put32(head + 8, VERSION);
	put32(head + 12, 0);
}

struct recfile *
recfile_create(const char *path, struct error *err)
{
	struct recfile *f = recfile_alloc(path);
	unsigned char head[HEADER];
	struct stat st;

	f->fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (f->fd < 0 || fstat(f->fd, &st) < 0) {
		error_set(err, ERR_FILE, "cannot write %s: %s", path, strerror(errno));
		goto fail;
	}
	/* Two writers would write over each other's blocks. Not all file systems have locks. */
	if (flock(f->fd, LOCK_EX | LOCK_NB) < 0 && errno == EWOULDBLOCK) {
		error_set(err, ERR_STATE, "another pgmedic records to %s", path);
		error_hint(err, "Name another file.");
		goto fail;
	}
	make_header(head);
	if (st.st_size == 0) {
		if (!write_all(f->fd, head, sizeof(head))) {
			error_set(err, ERR_FILE, "cannot write %s: %s", path, strerror(errno));
			goto fail;
		}
		f->size = HEADER;
	} else {
		if (!check_header(f, err)) {
			error_hint(err, "Name a new file, or a recording to go on with.");
			goto fail;
		}
		scan_blocks(f, HEADER, st.st_size);
		if (ftruncate(f->fd, f->size) < 0 || lseek(f->fd, f->size, SEEK_SET) < 0) {
			error_set(err, ERR_FILE, "cannot append to %s: %s", path, strerror(errno));
			goto fail;
		}
	}
	f->cctx = ZSTD_createCCtx();
	return f;
fail:
	recfile_close(f);
	return NULL;
}

struct recfile *
recfile_memory(size_t max_bytes)
{
	struct recfile *f = recfile_alloc("(memory)");
	f->mem_max = max_bytes;
	f->cctx = ZSTD_createCCtx();
	return f;
}

/* Let go of the oldest blocks so that `more` bytes fit; what stays begins with a key block. */
static void
make_room(struct recfile *f, size_t more)
{
	int first = 0;
	size_t cut;

	if (f->mem_len + more <= f->mem_max)
		return;
	while (first < f->n &&
	    (f->mem_len - (size_t)(f->blocks[first].offset - f->base) + more >
	            f->mem_max - f->mem_max / 8 ||
	        !(f->blocks[first].flags & RECFILE_KEY)))
		first++;
	cut = first < f->n ? (size_t)(f->blocks[first].offset - f->base) : f->mem_len;
	memmove(f->mem, f->mem + cut, f->mem_len - cut);
	memmove(f->blocks, f->blocks + first, (size_t)(f->n - first) * sizeof(*f->blocks));
	f->n -= first;
	f->mem_len -= cut;
	f->base += (int64_t)cut;
}

static bool
append_bytes(struct recfile *f, const unsigned char *buf, size_t n, struct error *err)
{
	if (f->fd < 0) {
		make_room(f, n);
		if (f->mem_len + n > f->mem_cap) {
			f->mem_cap = (f->mem_len + n) * 2 < f->mem_max ? (f->mem_len + n) * 2 :
			                                                 f->mem_len + n;
			f->mem = xrealloc(f->mem, f->mem_cap, 1);
		}
		memcpy(f->mem + f->mem_len, buf, n);
		f->size = f->base + (int64_t)f->mem_len;
		f->mem_len += n;
		return true;
	}
	if (!write_all(f->fd, buf, n)) {
		error_set(err, ERR_FILE, "cannot write %s: %s", f->path, strerror(errno));
		if (ftruncate(f->fd, f->size) == 0)
			lseek(f->fd, f->size, SEEK_SET);
		return error_hint(err, "Free space on its disk; what was recorded so far is kept.");
	}
	return true;
}

bool
recfile_append(
    struct recfile *f, struct wall at, unsigned flags, const struct strbuf *raw, struct error *err)
{
	size_t bound = ZSTD_compressBound(raw->len), n;
	unsigned char *buf;
	int64_t offset;
	bool ok;

	if (raw->cut || raw->len > RECFILE_MAX_RAW)
		return error_set(err, ERR_MEMORY, "a sample is too large to be recorded");
	buf = xmalloc(BLOCK_HEADER + bound);
	n = ZSTD_compressCCtx(f->cctx, buf + BLOCK_HEADER, bound, raw->buf, raw->len, LEVEL);
	if (ZSTD_isError(n)) {
		free(buf);
		return error_set(
		    err, ERR_FORMAT, "cannot compress a sample: %s", ZSTD_getErrorName(n));
	}
	put32(buf, BLOCK_MAGIC);
	put32(buf + 8, (uint32_t)n);
	put32(buf + 12, (uint32_t)raw->len);
	put32(buf + 16, (uint32_t)at.us);
	put32(buf + 20, (uint32_t)((uint64_t)at.us >> 32));
	put32(buf + 24, flags);
	put32(buf + 28, 0);
	put32(buf + 4, crc32_add(0, buf + 8, BLOCK_HEADER - 8 + n));
	ok = append_bytes(f, buf, BLOCK_HEADER + n, err);
	if (ok) {
		offset = f->size;
		if (f->fd < 0)
			note_block(f, offset, at.us, flags);
		else
			f->size += BLOCK_HEADER + (int64_t)n;
	}
	free(buf);
	return ok;
}

bool
recfile_save(const struct recfile *memory, const char *path, struct error *err)
{
	unsigned char head[HEADER];
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	bool ok;

	if (fd < 0)
		return error_set(err, ERR_FILE, "cannot write %s: %s", path, strerror(errno));
	make_header(head);
	ok = write_all(fd, head, sizeof(head)) && write_all(fd, memory->mem, memory->mem_len) &&
	    fsync(fd) == 0;
	if (!ok)
		error_set(err, ERR_FILE, "cannot write %s: %s", path, strerror(errno));
	close(fd);
	return ok;
}

/* ---- reading */

struct recfile *
recfile_open(const char *path, struct error *err)
{
	struct recfile *f = recfile_alloc(path);
	struct stat st;

	f->fd = open(path, O_RDONLY | O_CLOEXEC);
	if (f->fd < 0 || fstat(f->fd, &st) < 0) {
		error_set(err, ERR_FILE, "cannot read %s: %s", path, strerror(errno));
		goto fail;
	}
	if (!S_ISREG(st.st_mode)) {
		error_set(err, ERR_FILE, "%s is not a regular file", path);
		goto fail;
	}
	if (!check_header(f, err))
		goto fail;
	scan_blocks(f, HEADER, st.st_size);
	if (f->n == 0) {
		error_set(err, ERR_FORMAT, "%s holds no complete sample", path);
		goto fail;
	}
	f->dctx = ZSTD_createDCtx();
	return f;
fail:
	recfile_close(f);
	return NULL;
}

struct recfile *
recfile_copy(const struct recfile *memory, struct error *err)
{
	struct recfile *f;

	if (memory->n == 0) {
		error_set(err, ERR_NOT_FOUND, "nothing is recorded yet");
		return NULL;
	}
	f = recfile_alloc("(memory)");
	f->mem = xmalloc(memory->mem_len);
	memcpy(f->mem, memory->mem, memory->mem_len);
	f->mem_len = f->mem_cap = f->mem_max = memory->mem_len;
	f->base = memory->base;
	f->size = memory->size;
	f->n = f->cap = memory->n;
	f->blocks = xmalloc((size_t)f->cap * sizeof(*f->blocks));
	memcpy(f->blocks, memory->blocks, (size_t)f->n * sizeof(*f->blocks));
	f->dctx = ZSTD_createDCtx();
	return f;
}

int
recfile_count(const struct recfile *f)
{
	return f->n;
}

const struct recblock *
recfile_block(const struct recfile *f, int i)
{
	return &f->blocks[i];
}

int64_t
recfile_torn(const struct recfile *f)
{
	return f->torn;
}

int64_t
recfile_damaged(const struct recfile *f)
{
	return f->damaged;
}

bool
recfile_read(struct recfile *f, int i, struct strbuf *out, struct error *err)
{
	unsigned char head[BLOCK_HEADER];
	uint32_t n, raw;
	char *packed, *plain;
	size_t got;
	bool ok;

	strbuf_clear(out);
	if (!read_at(f, f->blocks[i].offset, head, sizeof(head)))
		return error_set(err, ERR_FILE, "cannot read %s: %s", f->path, strerror(errno));
	n = get32(head + 8);
	raw = get32(head + 12);
	if (n > RECFILE_MAX_RAW || raw > RECFILE_MAX_RAW)
		return error_set(err, ERR_FORMAT, "%s changed while it was read", f->path);
	packed = xmalloc(n + 1);
	plain = xmalloc((size_t)raw + 1);
	ok = read_at(f, f->blocks[i].offset + BLOCK_HEADER, packed, n);
	got = ok ? ZSTD_decompressDCtx(f->dctx, plain, raw, packed, n) : 0;
	if (!ok || ZSTD_isError(got) || got != raw)
		ok = error_set(err, ERR_FORMAT, "%s: block %d cannot be unpacked", f->path, i);
	else
		strbuf_add(out, plain, raw);
	free(packed);
	free(plain);
	return ok;
}
