-- A commit without a change: recovery to a time ends at the first commit after it, so there has to be one.
-- timeout: 5000
-- act: yes
-- params: 0
-- columns: xid int
SELECT pg_catalog.txid_current() AS xid
