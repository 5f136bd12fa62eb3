MERGE INTO tree t USING (VALUES (1, 'a'), (7000, 'b')) AS s(id, label) ON t.id = s.id WHEN MATCHED THEN UPDATE SET label = s.label WHEN NOT MATCHED THEN INSERT (id, label) VALUES (s.id, s.label);
MERGE INTO tree AS t USING orders o ON t.id = o.id AND o.status = 'nope' WHEN MATCHED AND t.label = 'x' THEN DELETE;
SELECT date_bin('15 minutes', o.placed_at, '2026-01-01') AS bin, count(*) FROM orders o WHERE o.placed_at >= date_trunc('day', now()::timestamp) - '1 day'::interval GROUP BY 1 ORDER BY 1;
MERGE INTO tree t USING (VALUES (9401, 'a'), (9402, 'b')) AS s(id, label) ON t.id = s.id WHEN MATCHED AND t.label <> s.label THEN UPDATE SET label = s.label WHEN NOT MATCHED THEN INSERT (id, label) VALUES (s.id, s.label);
