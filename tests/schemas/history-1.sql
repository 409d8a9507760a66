CREATE TABLE conversations (
  id TEXT PRIMARY KEY,
  name TEXT NOT NULL,
  started_at TEXT NOT NULL
);
CREATE TABLE turns (
  key INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  conversation TEXT NOT NULL REFERENCES conversations(id) ON DELETE CASCADE,
  asked_at TEXT NOT NULL,
  question TEXT NOT NULL,
  query TEXT NOT NULL,
  status TEXT NOT NULL,
  answer TEXT NOT NULL,
  support REAL NOT NULL,
  models TEXT NOT NULL,
  collections TEXT NOT NULL,
  duration_ms INTEGER NOT NULL
);
CREATE INDEX turns_conversation ON turns(conversation);
CREATE TABLE sources (
  sha256 TEXT PRIMARY KEY,
  quote TEXT NOT NULL
);
CREATE TABLE turns_sources (
  turn TEXT NOT NULL REFERENCES turns(id) ON DELETE CASCADE,
  rank INTEGER NOT NULL,
  n INTEGER NOT NULL,
  source TEXT NOT NULL REFERENCES sources(sha256),
  passage TEXT NOT NULL,
  path NOT NULL,
  line_start INTEGER NOT NULL,
  line_end INTEGER NOT NULL,
  heading TEXT NOT NULL,
  PRIMARY KEY (turn, rank)
);
CREATE INDEX turns_sources_source ON turns_sources(source);
CREATE VIRTUAL TABLE turns_fts USING fts5 (
  question, answer, content='turns', content_rowid='key', tokenize='porter unicode61 remove_diacritics 2'
);
INSERT INTO turns_fts (turns_fts, rank) VALUES ('secure-delete', 1);
CREATE TRIGGER turns_inserted AFTER INSERT ON turns BEGIN
  INSERT INTO turns_fts (rowid, question, answer) VALUES (new.key, new.question, new.answer);
END;
CREATE TRIGGER turns_updated AFTER UPDATE ON turns BEGIN
  INSERT INTO turns_fts (turns_fts, rowid, question, answer) VALUES ('delete', old.key, old.question, old.answer);
  INSERT INTO turns_fts (rowid, question, answer) VALUES (new.key, new.question, new.answer);
END;
CREATE TRIGGER turns_deleted AFTER DELETE ON turns BEGIN
  INSERT INTO turns_fts (turns_fts, rowid, question, answer) VALUES ('delete', old.key, old.question, old.answer);
  DELETE FROM conversations
    WHERE id = old.conversation AND NOT EXISTS (SELECT 1 FROM turns WHERE conversation = old.conversation);
  UPDATE conversations
    SET name = (SELECT question FROM turns WHERE conversation = conversations.id ORDER BY key LIMIT 1) WHERE id = old.conversation;
END;
CREATE TRIGGER turns_sources_deleted AFTER DELETE ON turns_sources BEGIN
  DELETE FROM sources
    WHERE sha256 = old.source AND NOT EXISTS (SELECT 1 FROM turns_sources WHERE source = old.source);
END;
CREATE VIEW questions AS
  SELECT t.asked_at, t.question, t.status, t.answer,
    (SELECT group_concat(CAST(s.path AS TEXT) || ':' || s.line_start, char(10))
      FROM turns_sources s WHERE s.turn = t.id) AS sources,
    t.support, t.duration_ms, c.name AS conversation, t.id
  FROM turns t JOIN conversations c ON c.id = t.conversation ORDER BY t.key DESC;
CREATE VIEW cited AS
  SELECT CAST(s.path AS TEXT) AS path, count(DISTINCT t.id) AS questions, max(t.asked_at) AS last_asked_at
  FROM turns_sources s JOIN turns t ON t.id = s.turn GROUP BY s.path ORDER BY 2 DESC, 3 DESC;
