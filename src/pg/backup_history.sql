-- The last base backup that was made of this server, whatever program made it: its history file goes the way of the
-- WAL into the archive, and the mark of that stays until the next backup. None where WAL is not archived, of snapshots
-- of the storage, and on a server that was restored from a backup and has made none.
-- timeout: 3000
-- privilege: pg_monitor
-- columns: now time, last_good time, name text
SELECT pg_catalog.now() AS now, b.modification AS last_good, b.name
  FROM (SELECT a.modification, a.name
          FROM pg_catalog.pg_ls_archive_statusdir() a
         WHERE a.name LIKE '%.backup.%'
         ORDER BY a.modification DESC
         LIMIT 1) b
