-- A look happens in a transaction that cannot write.
-- timeout: 1000
-- columns:
BEGIN TRANSACTION READ ONLY
