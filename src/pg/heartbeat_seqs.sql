-- The beats of a drill that are there. $1: the drill.
-- timeout: 10000
-- params: 1
-- columns: seqs ints
SELECT pg_catalog.array_agg(h.seq ORDER BY h.seq) AS seqs FROM pgmedic.heartbeat h WHERE h.run = $1
