-- Words of every script. The tokenizer split words at the signs of Indic scripts, Thai, Hebrew and others, and found
-- nothing inside a run of characters without spaces. Now the program makes the terms itself (`store::words`), and
-- the tokenizer takes each for one word; it only reduces English words to their stems.

DROP TABLE photo_words;
CREATE VIRTUAL TABLE photo_words USING fts5 (
    words, content = '', contentless_delete = 1, detail = 'none', tokenize = 'porter ascii'
);

INSERT INTO dirty_photos SELECT id FROM photos WHERE true ON CONFLICT DO NOTHING;
