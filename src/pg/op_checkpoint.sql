-- A checkpoint at once: what pg_rewind reads of a server that was just promoted (its control file) is told by it.
-- timeout: 600000
-- privilege: pg_checkpoint
-- act: yes
-- columns:
CHECKPOINT
