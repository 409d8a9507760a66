"""The documents that `--json` and `--nl` print: others rely on every name in them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ragqa.cli.render import path_from_here
from ragqa.document import DocumentRecord, Passage, Place, stretch_label
from ragqa.types import JSON, Answer, Citation, Hit, Prompt, Tally

if TYPE_CHECKING:
    from ragqa.history import Recorded
    from ragqa.index.mend import Mended
    from ragqa.index.summary import Summary
    from ragqa.measure.bench import Measurement
    from ragqa.measure.bench.report import Report as Benchmark
    from ragqa.measure.report import Figure, Report

SCHEMA = "ragqa.answer/1"
EVALUATION_SCHEMA = "ragqa.eval/1"
BENCHMARK_SCHEMA = "ragqa.bench/1"


def answer_json(answer: Answer, *, explain: bool = False) -> JSON:
    """The document that `ask --json` prints, schema `ragqa.answer/1`."""
    result: JSON = {
        "schema": SCHEMA,
        "id": answer.id,
        "question": answer.question,
        "query": answer.query,
        "status": answer.status,
        "answer": answer.text,
        "sentences": [{"text": s.text, "citations": list(s.citations), "verdict": s.verdict} for s in answer.written],
        "evidence": [_evidence_json(citation) for citation in answer.citations],
        "support": answer.support,
        "read": {
            "passages": len(answer.read),
            "documents": len({hit.passage.document_id for hit in answer.read}),
            "of_documents": answer.of_documents,
        },
        "tokens": {
            "prompt": answer.prompt.tokens if answer.prompt else 0,
            "completion": answer.completion_tokens,
            "context": answer.context,
            "dropped": len(answer.prompt.dropped) if answer.prompt else 0,
        },
        "timing_ms": dict(answer.timing_ms),
        "models": dict(answer.models),
    }
    if answer.tally:
        result["tally"] = _tally_json(answer.tally)
    if answer.whole_corpus:
        result["whole_corpus"] = True
    if explain:
        result["explain"] = {
            "hits": [hit_json(hit, rank) for rank, hit in enumerate(answer.hits, start=1)],
            "signals": dict(answer.signals),
            "reasons": [{"text": s.text, "reason": s.reason} for s in answer.written if s.reason],
            "prompt": answer.prompt.text if answer.prompt else None,
            "ledger": _ledger_json(answer, answer.prompt) if answer.prompt else None,
        }
    return result


def _ledger_json(answer: Answer, prompt: Prompt) -> JSON:
    """Where the tokens went: the parts of the prompt add up to `prompt`, which is at most `budget`."""

    def sized(hits: Sequence[Hit]) -> list[JSON]:
        return [{"id": hit.passage.id, "tokens": prompt.sizes[hit.passage.id]} for hit in hits]

    return {
        "context": answer.context,
        "budget": prompt.budget,
        **prompt.spent,
        "prompt": prompt.tokens,
        "completion": answer.completion_tokens,
        "kept": sized(prompt.passages),
        "dropped": sized(prompt.dropped),
    }


def _tally_json(tally: Tally) -> JSON:
    return {
        "query": tally.query or None,
        "counted": tally.counted,
        "count": tally.count,
        "of": tally.of,
        "forms": list(tally.forms),
        "listed": [
            {
                "id": one.id,
                "path": path_from_here(one.path),
                "passages": one.passages,
                "mentions": one.mentions,
                "line": one.line,
                "place": place_json(one.place, stretch_label(one.place)),
            }
            for one in tally.listed
        ],
    }


def place_json(place: Place | None, label: str) -> JSON | None:
    """Where text stands in its file other than on lines; `label` is as citations say it, and may go further."""
    if place is None or not label:
        return None
    return {"kind": place.kind, "number": place.number, "name": place.name, "label": label}


def _page(place: Place | None) -> int | None:
    return place.number if place and place.kind == "page" else None


def _evidence_json(citation: Citation) -> JSON:
    evidence, passage, span = citation.evidence, citation.evidence.hit.passage, citation.evidence.span
    return {
        "n": citation.n,
        "id": passage.id,
        "path": path_from_here(evidence.hit.path),
        "line_start": citation.line_start,
        "line_end": citation.line_end,
        "page": _page(citation.place),
        "place": place_json(citation.place, citation.place_label),
        "heading": list(evidence.heading or passage.heading),
        "quote": evidence.quote,
        "score": round(evidence.score, 4),
        "fresh": citation.fresh,
        "stands": citation.stands,
        "span": {"start": span[0], "end": span[1], "text": evidence.quote[slice(*span)]} if span else None,
    }


def passage_json(passage: Passage, path: Path) -> JSON:
    """A passage as `get --json` prints it, its text as it stands in the document."""
    return {"id": passage.id, "path": path_from_here(path), **_stands(passage), "content": passage.text}


def _stands(passage: Passage) -> JSON:
    """Where a passage stands in its file."""
    first = passage.places[0] if passage.places else None
    return {
        "line_start": passage.line_start,
        "line_end": passage.line_end,
        "page": _page(first),
        "place": place_json(first, passage.place_label),
        "heading": list(passage.heading),
    }


def hit_json(hit: Hit, rank: int) -> JSON:
    """One line of `search --nl`: llm's four fields first."""
    passage = hit.passage
    return {
        "id": passage.id,
        "score": round(hit.score, 4),
        "content": passage.text.strip(),
        "metadata": None,
        "path": path_from_here(hit.path),
        **_stands(passage),
        "rank": rank,
        "scores": {name: round(score, 4) for name, score in hit.scores.items()},
    }


def summary_json(summary: Summary) -> JSON:
    """The document that `index --json` prints."""
    result: JSON = {
        "indexed": summary.indexed,
        "unchanged": summary.unchanged,
        "moved": summary.moved,
        "removed": summary.removed,
        "skipped": [{"path": path_from_here(path), "reason": reason} for path, reason in summary.skipped],
        "passages": summary.passages,
        "seconds": summary.seconds,
        "stale": summary.stale,
        "remarks": [{"path": path_from_here(path), "remark": remark} for path, remark in summary.remarks],
    }
    if summary.reused is not None:
        result["reused"] = summary.reused
    return result


def reindexed_json(summary: Summary, before: str, model: str) -> JSON:
    """The document that `reindex --json` prints."""
    return {
        "reindexed": summary.indexed,
        "kept": summary.unchanged,
        "skipped": [{"path": path_from_here(path), "reason": reason} for path, reason in summary.skipped],
        "passages": summary.passages,
        "seconds": summary.seconds,
        "embed_model": model,
        "embed_model_before": before,
    }


def mended_json(mended: Mended, damaged: Path) -> JSON:
    """The document that `check --repair --json` prints."""
    return {
        "repaired": True,
        "documents": len(mended.documents),
        "embedded": mended.embedded,
        "lost": [{"id": lost.id, "reason": lost.reason} for lost in mended.lost],
        "damaged": path_from_here(damaged),
    }


def record_json(record: DocumentRecord) -> JSON:
    return {
        "id": record.id,
        "path": path_from_here(record.path),
        "collection": record.collection,
        "passages": record.passages,
        "size": record.size,
        "sha256": record.sha256,
        "indexed_at": record.indexed_at,
        "type": record.type,
        "title": record.title,
        "tags": list(record.tags),
        "date": record.date or None,
        "stale": record.stale or None,
    }


def recorded_json(recorded: Recorded) -> JSON:
    """A question of the history, as `logs --json` and `--nl` print it."""
    turn = recorded.turn
    return {
        "id": turn.id,
        "conversation": recorded.conversation,
        "asked_at": recorded.asked_at,
        "question": turn.question,
        "query": turn.query,
        "status": turn.status,
        "answer": turn.answer,
        "sources": [
            {
                "n": source.n,
                "id": source.id,
                "path": path_from_here(source.path),
                "line_start": source.line_start,
                "line_end": source.line_end,
                "place": place_json(source.place, source.place_label),
                "heading": list(source.heading),
                "quote": source.quote,
            }
            for source in turn.sources
        ],
        "support": turn.support,
        "duration_ms": turn.duration_ms,
        "models": dict(recorded.models),
        "collections": list(recorded.collections),
        "where": list(recorded.conditions),
    }


def evaluation_json(report: Report, about: JSON) -> JSON:
    """The document that `eval --json` prints, schema `ragqa.eval/1`."""
    sections = {
        section: {name: _figure_json(figure) for name, figure in figures.items()}
        for section, figures in report.figures.items()
    }
    risk = [{"coverage": round(coverage, 4), "risk": round(risk, 4)} for coverage, risk in report.risk_coverage]
    return {
        "schema": EVALUATION_SCHEMA,
        **about,
        "counts": dict(report.counts),
        **sections,
        "risk_coverage": risk,
        "timing_ms": {stage: dict(ms) for stage, ms in report.timing_ms.items()},
    }


def _figure_json(figure: Figure) -> JSON:
    low, high = (None if end is None else round(end, 4) for end in (figure.low, figure.high))
    return {"value": round(figure.value, 4), "low": low, "high": high, "n": figure.n}


def benchmark_json(report: Benchmark) -> JSON:
    """The document that `bench --json` prints, schema `ragqa.bench/1`."""
    rows = [_measurement_json(room, row) for room, rows in report.rooms.items() for row in rows]
    return {"schema": BENCHMARK_SCHEMA, "facts": dict(report.facts), "notes": list(report.notes), "rows": rows}


def _measurement_json(room: str, row: Measurement) -> JSON:
    at = {"value": row.at[0], "unit": row.at[1]} if row.at else None
    beside = {"name": row.beside, "value": row.reference} if row.reference is not None else None
    return {
        "room": room,
        "name": row.name,
        "at": at,
        "unit": row.unit,
        "value": row.value,
        "low": min(row.samples),
        "high": max(row.samples),
        "n": len(row.samples),
        "beside": beside,
        "times_as_good": row.ratio,
    }
