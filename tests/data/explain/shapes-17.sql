SELECT * FROM JSON_TABLE('[{"a": 1}]'::jsonb, '$[*]' COLUMNS (a int PATH '$.a')) jt WHERE jt.a > 0;
SELECT JSON_VALUE(prefs, '$.k' RETURNING int) FROM customers WHERE JSON_EXISTS(prefs, '$.k');
SELECT JSON_QUERY(prefs, '$.k') FROM customers WHERE id = 2;
MERGE INTO tree t USING shop.stock s ON t.id = s.n WHEN MATCHED AND s.sku = 'q' THEN UPDATE SET label = 'm' WHEN NOT MATCHED BY SOURCE AND t.id = 99999 THEN DELETE;
