-- Does a server check its pages as it reads them, and has it met bad ones?
-- timeout: 10000
-- params: 0
-- columns: checksums bool, failures int
SELECT pg_catalog.current_setting('data_checksums') = 'on' AS checksums,
       (SELECT COALESCE(sum(d.checksum_failures), 0)::int8 FROM pg_catalog.pg_stat_database d) AS failures
