-- Who holds and who wants what is contended: the rows of the lock table whose object somebody waits for. One pass over
-- the lock table and no catalog; who blocks whom is worked out by the client from the conflict table, where
-- pg_blocking_pids() would do it once per waiter, in time that grows with the square of the queue.
-- A few rows too many are harmless (the client compares whole objects), so only the part that tells objects of a kind
-- apart is compared here. Kinds that are rarely held come along unasked: of these, tuple locks say which row
-- a session waits for that waits for a transaction. So does the own xid of prepared transactions, which have no pid,
-- to give them their name. SIReadLocks never block.
-- timeout: 2000
-- columns: pid int, locktype text, datid int, relation int, page int, tuple int, virtualxid text, transactionid int, classid int, objid int, objsubid int, mode text, granted bool, fastpath bool, waitstart time, virtualtransaction text, gid text, owner int, prepared time
WITH l AS MATERIALIZED (
  SELECT k.* FROM pg_catalog.pg_lock_status() AS k WHERE k.mode <> 'SIReadLock'),
w AS MATERIALIZED (
  SELECT CASE WHEN l.locktype = 'relation' THEN l.relation END AS relation, l.virtualxid, l.transactionid, l.objid
    FROM l
   WHERE NOT l.granted)
SELECT l.pid, l.locktype, l.database AS datid, l.relation, l.page, l.tuple, l.virtualxid, l.transactionid, l.classid,
       l.objid, l.objsubid, l.mode, l.granted, l.fastpath,
       /*if pg_lock_status().waitstart*/l.waitstart/*else NULL::pg_catalog.timestamptz*/ AS waitstart,
       l.virtualtransaction, p.gid, p.ownerid AS owner, p.prepared
  FROM l
  LEFT JOIN pg_catalog.pg_prepared_xact() AS p
    ON l.pid IS NULL AND l.locktype = 'transactionid' AND p.transaction = l.transactionid
 WHERE NOT l.granted
    OR CASE l.locktype
       WHEN 'relation' THEN l.relation IN (SELECT w.relation FROM w WHERE w.relation IS NOT NULL)
       WHEN 'virtualxid' THEN l.virtualxid IN (SELECT w.virtualxid FROM w WHERE w.virtualxid IS NOT NULL)
       WHEN 'transactionid' THEN l.pid IS NULL
         OR l.transactionid IN (SELECT w.transactionid FROM w WHERE w.transactionid IS NOT NULL)
       WHEN 'advisory' THEN l.objid IN (SELECT w.objid FROM w WHERE w.objid IS NOT NULL)
       WHEN 'object' THEN l.objid IN (SELECT w.objid FROM w WHERE w.objid IS NOT NULL)
       ELSE true END
 LIMIT 20000
