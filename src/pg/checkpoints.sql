-- Checkpointer and background writer, one row. 17 moved the checkpoint counters to a view of their own and
-- dropped the counts of backends' own writes (now in pg_stat_io).
-- timeout: 1000
-- columns: now time, timed int, requested int, done int, restartpoints int, write_ms float, sync_ms float, buffers_written int, buffers_clean int, maxwritten_clean int, buffers_alloc int, buffers_backend int, buffers_backend_fsync int, stats_reset time
SELECT pg_catalog.now() AS now,
       /*if pg_stat_checkpointer.num_timed*/c.num_timed/*else b.checkpoints_timed*/ AS timed,
       /*if pg_stat_checkpointer.num_timed*/c.num_requested/*else b.checkpoints_req*/ AS requested,
       /*if pg_stat_checkpointer.num_done*/c.num_done/*else NULL::int8*/ AS done,
       /*if pg_stat_checkpointer.restartpoints_done*/c.restartpoints_done/*else NULL::int8*/ AS restartpoints,
       /*if pg_stat_checkpointer.num_timed*/c.write_time/*else b.checkpoint_write_time*/ AS write_ms,
       /*if pg_stat_checkpointer.num_timed*/c.sync_time/*else b.checkpoint_sync_time*/ AS sync_ms,
       /*if pg_stat_checkpointer.num_timed*/c.buffers_written/*else b.buffers_checkpoint*/ AS buffers_written,
       b.buffers_clean, b.maxwritten_clean, b.buffers_alloc,
       /*if !pg_stat_bgwriter.buffers_backend*/NULL::int8/*else b.buffers_backend*/ AS buffers_backend,
       /*if !pg_stat_bgwriter.buffers_backend*/NULL::int8/*else b.buffers_backend_fsync*/ AS buffers_backend_fsync,
       /*if pg_stat_checkpointer.num_timed*/c.stats_reset/*else b.stats_reset*/ AS stats_reset
  FROM pg_catalog.pg_stat_bgwriter b/*if pg_stat_checkpointer.num_timed*/, pg_catalog.pg_stat_checkpointer c/*else*/
