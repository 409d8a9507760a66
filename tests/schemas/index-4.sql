CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE documents (
  key INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  path NOT NULL UNIQUE,
  collection TEXT NOT NULL,
  sha256 TEXT NOT NULL,
  size INTEGER NOT NULL,
  mtime_ns INTEGER NOT NULL,
  passages INTEGER NOT NULL,
  indexed_at TEXT NOT NULL
);
CREATE TABLE passages (
  key INTEGER PRIMARY KEY,
  document INTEGER NOT NULL REFERENCES documents(key) ON DELETE CASCADE,
  ordinal INTEGER NOT NULL,
  heading TEXT NOT NULL,
  blocks TEXT NOT NULL,
  text TEXT NOT NULL,
  char_start INTEGER NOT NULL,
  char_end INTEGER NOT NULL,
  line_start INTEGER NOT NULL,
  line_end INTEGER NOT NULL,
  crc32 INTEGER NOT NULL,
  UNIQUE (document, ordinal)
);
CREATE TABLE tokens (
  passage INTEGER PRIMARY KEY REFERENCES passages(key) ON DELETE CASCADE,
  signs BLOB NOT NULL,
  crc32 INTEGER NOT NULL
);
CREATE VIRTUAL TABLE passages_fts USING fts5 (
  heading, text, content='passages', content_rowid='key', tokenize='porter unicode61 remove_diacritics 2'
);
INSERT INTO passages_fts (passages_fts, rank) VALUES ('secure-delete', 1);
CREATE TRIGGER passages_inserted AFTER INSERT ON passages BEGIN
  INSERT INTO passages_fts (rowid, heading, text) VALUES (new.key, new.heading, new.text);
END;
CREATE TRIGGER passages_deleted AFTER DELETE ON passages BEGIN
  INSERT INTO passages_fts (passages_fts, rowid, heading, text) VALUES ('delete', old.key, old.heading, old.text);
END;
CREATE TABLE sketches (
  key INTEGER PRIMARY KEY,
  collection TEXT NOT NULL,
  size INTEGER NOT NULL,
  passages BLOB NOT NULL,
  mean BLOB NOT NULL,
  steps BLOB NOT NULL,
  weights BLOB NOT NULL,
  bits BLOB NOT NULL
);
CREATE INDEX sketches_with_room ON sketches (collection, size);
CREATE TABLE vectors (
  passage INTEGER PRIMARY KEY REFERENCES passages(key) ON DELETE CASCADE,
  sketches INTEGER NOT NULL,
  vector BLOB NOT NULL,
  crc32 INTEGER NOT NULL
);
