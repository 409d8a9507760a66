"""The tables of a history, laid out for people who open it with other programs."""

from __future__ import annotations

from ragqa.database import Kind

# A conversation is called by the question that it begins with, and by no other: what is forgotten stands nowhere.
NAME_ANEW = """UPDATE conversations
    SET name = (SELECT question FROM turns WHERE conversation = conversations.id ORDER BY key LIMIT 1)"""

# A place that has no line is named alone, one that has both is named behind it.
QUESTIONS = """
CREATE VIEW questions AS
  SELECT t.asked_at, t.question, t.status, t.answer,
    (SELECT group_concat(
        CAST(s.path AS TEXT)
          || CASE WHEN coalesce(json_extract(s.place, '$.line'), 1) > 0 THEN ':' || s.line_start ELSE '' END
          || coalesce(', ' || json_extract(s.place, '$.label'), ''), char(10))
      FROM turns_sources s WHERE s.turn = t.id) AS sources,
    t.support, t.duration_ms, c.name AS conversation, t.id
  FROM turns t JOIN conversations c ON c.id = t.conversation ORDER BY t.key DESC;
"""

TABLES = f"""
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
  conditions TEXT NOT NULL,
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
  place TEXT NOT NULL,
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
  {NAME_ANEW} WHERE id = old.conversation;
END;
CREATE TRIGGER turns_sources_deleted AFTER DELETE ON turns_sources BEGIN
  DELETE FROM sources
    WHERE sha256 = old.source AND NOT EXISTS (SELECT 1 FROM turns_sources WHERE source = old.source);
END;
{QUESTIONS}CREATE VIEW cited AS
  SELECT CAST(s.path AS TEXT) AS path, count(DISTINCT t.id) AS questions, max(t.asked_at) AS last_asked_at
  FROM turns_sources s JOIN turns t ON t.id = s.turn GROUP BY s.path ORDER BY 2 DESC, 3 DESC;
"""

MIGRATIONS = {
    1: f"""
ALTER TABLE turns ADD COLUMN conditions TEXT NOT NULL DEFAULT '[]';
ALTER TABLE turns_sources ADD COLUMN place TEXT NOT NULL DEFAULT 'null';
DROP VIEW questions;
{QUESTIONS}
""",
}

HISTORY = Kind(
    name="a history",
    application_id=0x72616768,  # "ragh"
    version=2,
    tables=TABLES,
    kept="what was recorded before",
    strange="move it away; the next question begins a new one",
    old="move it away; the next question begins a new one",
    damaged="move it away; the next question begins a new one",
    migrations=MIGRATIONS,
)
