-- Older versions mirrored HEIC and AVIF about the wrong axis where the container says so, as it does in photos of the front
-- camera of a phone: they stood on their heads, and so did the faces that were found. Which files these are is in the
-- files, so each HEIC and AVIF is read again, once; only those whose picture is another one now are analysed again.
UPDATE photos SET facts_version = 0, facts = json_set(facts, '$.version', 0)
WHERE format IN ('HEIC', 'AVIF') AND facts IS NOT NULL;
