/*
 * The file of a recording: a header, then blocks that are complete in themselves, each compressed
 * (zstd) and checksummed. A file that ends in the middle of a block, as after a kill, is good up to
 * the block before.
 *
 *   header  "PGMREC\r\n", u32 version = 1, u32 0              (little-endian throughout)
 *   block   u32 magic, u32 crc32 of all that follows, u32 length, u32 raw length, i64 time in us,
 * u32 flags, u32 0, then `length` bytes: one zstd frame
 *
 * The content of a block is a run of events (collect/recevent.h). A block flagged RECFILE_KEY
 * begins with everything known, so that reading may start there.
 */
#ifndef PGMEDIC_COLLECT_RECFILE_H
#define PGMEDIC_COLLECT_RECFILE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/strbuf.h"

enum { RECFILE_KEY = 1 };
enum { RECFILE_MAX_RAW = 256 << 20 }; /* of one block; larger ones are refused when reading */

struct recfile;

/* Open for writing; an existing recording is appended to after its last good block (what is torn
 * off behind it is cut away); any other existing file is refused. 0600. */
struct recfile *recfile_create(const char *path, struct error *err) MUST_CHECK;
/* A ring in memory that keeps the newest blocks, at most max_bytes of them, starting with a key
 * block. */
struct recfile *recfile_memory(size_t max_bytes);
/* Write a block in one write(2). After an error (disk full) the file is as long as before. */
bool recfile_append(struct recfile *f, struct wall at, unsigned flags, const struct strbuf *raw,
    struct error *err) MUST_CHECK;
/* Put everything on disk and close. */
void recfile_close(struct recfile *f);
/* Bytes written so far (compressed). */
int64_t recfile_bytes(const struct recfile *f);

/* ---- reading */

struct recblock {
	int64_t offset;
	struct wall at;
	unsigned flags;
};

/*
 * Open for reading and index the blocks. Damaged stretches are skipped up to the next good block
 * and counted. Fails when it is no recording, of a newer version, or has no good block.
 */
struct recfile *recfile_open(const char *path, struct error *err) MUST_CHECK;
/* The recording in memory, as a file to read: a copy, independent of the writer. */
struct recfile *recfile_copy(const struct recfile *memory, struct error *err) MUST_CHECK;
/* Save a recording in memory as a file (O_EXCL). */
bool recfile_save(const struct recfile *memory, const char *path, struct error *err) MUST_CHECK;
int recfile_count(const struct recfile *f);
const struct recblock *recfile_block(const struct recfile *f, int i);
/* Bytes that could not be read, at the end (torn) and in the middle (damaged). */
int64_t recfile_torn(const struct recfile *f);
int64_t recfile_damaged(const struct recfile *f);
/* The content of block i into out (cleared first). */
bool recfile_read(struct recfile *f, int i, struct strbuf *out, struct error *err) MUST_CHECK;

#endif
