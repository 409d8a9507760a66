"""Which questions are counted, which are about the whole, and which go the ordinary way."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from ragqa.whole import MAX_QUESTION, TallyQuestion, concerns_whole, recognise
from tests.conftest import CORPUS

DOCKER = (("docker",),)
BOTH = (("docker",), ("compose",))
PHRASE = (("write-ahead log",),)

# Question, what is counted, subjects.
COUNTED = [
    ("How many documents are there?", "documents", ()),
    ("how many documents are there", "documents", ()),
    ("How many files are there in total?", "documents", ()),
    ("How many notes do I have?", "documents", ()),
    ("how many docs do we have altogether?", "documents", ()),
    ("How many documents are indexed?", "documents", ()),
    ("How many documents have I indexed?", "documents", ()),
    ("How many documents do you know?", "documents", ()),
    ("How many documents are in the index?", "documents", ()),
    ("How many files are in my library?", "documents", ()),
    ("How many notes are here?", "documents", ()),
    ("What is the number of documents in this index?", "documents", ()),
    ("How many passages are there?", "passages", ()),
    ("List all documents.", "documents", ()),
    ("list all my notes", "documents", ()),
    ("Show me all files", "documents", ()),
    ("Can you please list every document?", "documents", ()),
    ("What documents do I have?", "documents", ()),
    ("Which files are there?", "documents", ()),
    ("Which files are indexed?", "documents", ()),
    ("How many notes mention Docker?", "documents", DOCKER),
    ("how many documents mention docker in total", "documents", DOCKER),
    ("How many of my notes mention Docker?", "documents", DOCKER),
    ("How many notes do I have about Docker?", "documents", DOCKER),
    ("How many notes are about Docker?", "documents", DOCKER),
    ("How many documents about docker do I have?", "documents", DOCKER),
    ("How many documents are there about docker?", "documents", DOCKER),
    ("How many documents are there that mention docker?", "documents", DOCKER),
    ("How many notes talk about the Docker?", "documents", DOCKER),
    ("Tell me how many notes discuss docker.", "documents", DOCKER),
    ("Count the notes that mention docker", "documents", DOCKER),
    ("Number of files mentioning docker?", "documents", DOCKER),
    ("How many files contain the word docker?", "documents", DOCKER),
    ("In my notes, how many documents refer to docker?", "documents", DOCKER),
    ("In how many documents is Docker mentioned?", "documents", DOCKER),
    ("How many documents is Docker mentioned in?", "documents", DOCKER),
    ("In how many files does the word docker occur?", "documents", DOCKER),
    ("Which documents mention docker", "documents", DOCKER),
    ("Which of my documents mention docker?", "documents", DOCKER),
    ("What notes exist about Docker?", "documents", DOCKER),
    ("What documents do I have about docker?", "documents", DOCKER),
    ("What notes do I have on docker?", "documents", DOCKER),
    ("How many documents do I have on Docker?", "documents", DOCKER),
    ("Which notes say “docker”?", "documents", DOCKER),
    ("How many notes have the word docker?", "documents", DOCKER),
    ("How many occurrences of the word docker are there?", "mentions", DOCKER),
    ("In which notes is docker mentioned?", "documents", DOCKER),
    ("Which notes is docker discussed in?", "documents", DOCKER),
    ("List all documents about Docker", "documents", DOCKER),
    ("list documents that mention docker, please", "documents", DOCKER),
    ("Give me a list of all notes about docker.", "documents", DOCKER),
    ("Find all my notes about docker", "documents", DOCKER),
    ("What are all the notes that mention docker?", "documents", DOCKER),
    ("list every note that mentions docker and compose", "documents", BOTH),
    ("How many notes mention both Docker and Compose?", "documents", BOTH),
    ("How many notes mention docker, compose?", "documents", BOTH),
    ("How many notes mention docker or compose?", "documents", BOTH),
    ("How many notes mention docker compose?", "documents", (("docker", "compose"),)),
    ("How many notes mention the phrase 'write-ahead log'?", "documents", PHRASE),
    ('Which files talk about "write-ahead log"?', "documents", PHRASE),
    ("Which files contain “write-ahead log”?", "documents", PHRASE),
    ("Which notes mention 'write-ahead log' or docker?", "documents", (*PHRASE, *DOCKER)),
    ("Which notes mention Alice’s bread?", "documents", (("alice", "bread"),)),
    ("How many passages mention docker and compose?", "passages", (("docker", "compose"),)),
    ("How many passages mention docker or compose?", "passages", BOTH),
    ("How many times is Docker mentioned?", "mentions", DOCKER),
    ("How often is docker mentioned in my notes?", "mentions", DOCKER),
    ("How often do my notes mention docker?", "mentions", DOCKER),
    ("How many times does the word docker appear?", "mentions", DOCKER),
    ("How often does docker come up in my notes?", "mentions", DOCKER),
    ("How many mentions of docker are there?", "mentions", DOCKER),
    ("How many times is docker compose mentioned?", "mentions", (("docker compose",),)),
    ("How many times is the “write-ahead log” mentioned?", "mentions", PHRASE),
]

ORDINARY = [
    "How many dimensions does multilingual-e5-large have?",
    "How many people live in Warsaw?",
    "Which documents are needed for a visa?",
    "What documents do I need to open an account?",
    "What files does git ignore?",
    "How do I list all docker containers?",
    "How do I list all files in a folder?",
    "How do I find all files that mention docker with grep?",
    "How can I count the documents in a collection?",
    "How many files can SQLite open?",
    "How many documents does TREC-COVID have in BEIR?",
    "How many documents are in TREC-COVID?",
    "How many notes are there in an octave?",
    "How many notes does a piano have?",
    "How many files are there in a git repository?",
    "How many files?",
    "How many documents?",
    "Which files?",
    "How many passages does the Odyssey have?",
    "How many files are about 3 MB?",
    "Which documents are about to expire?",
    "Which files contain the configuration of git?",
    "Which files contain passwords?",
    "How many documents contain errors?",
    "Which documents include a signature?",
    "How many files use Python 2?",
    "How many times is God mentioned in the Bible?",
    "How many times did Poland win the cup?",
    "How often is the boiler serviced?",
    "How often does the sun appear?",
    "How often do I have to water the plant?",
    "How many times a day is the backup made?",
    "Which documents are mentioned in the contract?",
    "Which document mentions the wifi password?",
    "Which treaty mentioned was signed in 1994?",
    "What is mentioned in the note about the boiler?",
    "What does the file about docker say?",
    "What is the number of the plumber?",
    "What is the note about?",
    "What are files?",
    "What is a document?",
    "What file mentions are allowed in a manifest?",
    "What documents do you have on file?",
    "How many documents concerning the visa must I bring?",
    "What documents about taxes do I need?",
    "How many occurrences of malaria are there?",
    "What is the most common name in Poland?",
    "Which words are used most often in English?",
    "How many pills have I to take?",
    "Tell me all about docker",
    "Where are my notes about docker?",
    "Where do I list the files to ignore?",
    "Why do my notes mention docker?",
    "Who wrote the documents about docker?",
    "When were the documents about docker written?",
    "Is docker mentioned in my notes?",
    "Do my notes mention docker?",
    "Who mentions docker?",
    "How many containers do the notes about docker start?",
    "How many pages mention docker?",
    "How many collections are there?",
    "How many documents must I bring?",
    "How many documents did the committee publish?",
    "How many files may a folder hold?",
    "How much do the documents about insurance cost?",
    "Count to ten",
    "List the ingredients of sourdough bread",
    "List three uses of docker",
    "Name the files that git writes",
    "Show the command that lists containers",
    "Find the note about docker",
    "list",
    "",
    "?",
    "How many",
    "Which documents mention?",
    "documents docker",
]

# About the documents, but not to be counted by looking for words: asked as ever, with what was read said.
WHOLE = [
    "summarise all my notes",
    "Summarize everything",
    "Please summarize these documents.",
    "Give me an overview of my notes",
    "What is the most common topic?",
    "Which word is used most often?",
    "What topics do my notes cover?",
    "What are my notes about?",
    "how many times did I travel",
    "How often did I go to the dentist?",
    "How many books did I read?",
    "How many different people are mentioned?",
    "How many recipes are in my notes?",
    "list all the reasons why people move",
    "List every appliance I own",
    "What are all the places I visited?",
    "Which of my notes are the longest?",
    "What changed across all documents?",
    "Which notes do not mention docker?",
    "Which notes don't mention docker?",
    "How many notes mention C++?",
    "How many notes mention .env?",
    "How many notes mention docker and podman or compose?",
    "How many notes mention docker but not compose?",
    "How many notes mention docker more than twice?",
    "How many notes mention it?",
    "How many notes mention '--'?",
    "How many notes mention _?",
    "Of my notes, how many mention docker?",
    "How many notes mention 東京?",
    "How many notes mention bread that stays fresh in summer?",
    "Which notes mention keeping rye bread fresh in summer?",
]


@pytest.mark.parametrize(("question", "counted", "subjects"), COUNTED, ids=str)
def test_a_question_that_counting_answers_is_recognised(question: str, counted: str, subjects: tuple):
    found = recognise(question)
    assert found
    assert (found.counted, found.subjects, found.collection) == (counted, subjects, "")


@pytest.mark.parametrize("question", ORDINARY)
def test_an_ordinary_question_goes_the_ordinary_way(question: str):
    assert (recognise(question), concerns_whole(question)) == (None, False)


@pytest.mark.parametrize("question", WHOLE)
def test_a_question_about_the_whole_that_cannot_be_counted_is_known_as_one(question: str):
    assert (recognise(question), concerns_whole(question)) == (None, True)


def test_both_tables_are_long_enough_to_mean_something():
    assert min(len(COUNTED), len(ORDINARY)) >= 60


@pytest.mark.parametrize(
    "question",
    [
        "How many files in collection kitchen?",
        "How many files are in the kitchen collection?",
        'How many documents are there in collection "kitchen"?',
        "List all notes about bread in collection kitchen",
    ],
)
def test_a_question_may_name_a_collection(question: str):
    found = recognise(question)
    assert found
    assert found.collection == "kitchen"


@pytest.mark.parametrize(
    ("question", "lists"),
    [("How many documents are there?", False), ("What documents do I have?", True), ("List all documents", True)],
)
def test_documents_are_listed_where_they_are_asked_for(question: str, lists: bool):
    assert recognise(question) == TallyQuestion("documents", lists=lists)


def test_and_wants_every_subject_and_or_wants_one():
    found = [recognise(f"How many notes mention docker {word} compose?") for word in ("and", "or")]
    assert [one and one.every for one in found] == [True, False]


def test_a_subject_is_named_as_the_question_writes_it():
    found = recognise("Which notes mention the “Write-Ahead Log” or Docker?")
    assert found
    assert found.named == ("Write-Ahead Log", "Docker")


def test_no_question_of_the_sample_library_is_counted():
    lines = (CORPUS / "questions.jsonl").read_text().splitlines()
    questions = [json.loads(line)["text"] for line in lines]
    assert len(questions) > 100
    assert [one for one in questions if recognise(one) or concerns_whole(one)] == []


def test_no_question_of_xquad_is_counted():
    path = os.environ.get("RAGQA_TEST_SQUAD")
    if not path:
        pytest.skip("RAGQA_TEST_SQUAD names no SQuAD file")
    articles = json.loads(Path(path).read_text())["data"]
    questions = [qa["question"] for article in articles for one in article["paragraphs"] for qa in one["qas"]]
    assert [one for one in questions if recognise(one) or concerns_whole(one)] == []


def test_a_question_too_long_to_be_a_count_is_none():
    assert recognise("How many notes mention " + "docker " * MAX_QUESTION) is None
    assert concerns_whole("list all " * 100_000) is True
