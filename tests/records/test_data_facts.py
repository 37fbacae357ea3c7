from __future__ import annotations

from dse.records.baseline_facts import BaselineFacts
from dse.records.data_facts import ClassFacts, DataFacts


def facts(cut: int, classes: int = 2) -> DataFacts:
    each = tuple(ClassFacts(at, f"c{at}", {"search": 10}) for at in range(classes))
    return DataFacts("t", 120, {"duplicate": 20, "empty": 0}, {"search": 100}, {"search": cut}, (), 16, each)


def test_a_sentence_names_rows_length_and_the_share_that_was_cut() -> None:
    assert (
        facts(3).sentence() == "t: 100 search of 120 rows; dropped 20 duplicate; 3 longer than 16 tokens and cut (3.0%)"
    )


def test_more_cut_rows_than_five_percent_are_a_warning() -> None:
    assert facts(5).warnings() == ()
    assert facts(6).warnings() == ("task 't': 6.0% of the rows are longer than max_length = 16",)


def test_classes_have_numbers_and_counts_and_many_are_summed_up() -> None:
    assert facts(0).class_sentence() == "t: 0 c0 (10 search); 1 c1 (10 search)"
    assert facts(0, 50).class_sentence().endswith("11 c11 (10 search); and 38 more classes")
    assert facts(0, 0).class_sentence() == ""


def test_a_baseline_at_or_below_chance_is_a_warning() -> None:
    assert BaselineFacts("t", "accuracy", 0.9, 0.91, 0.5).warning() == ""
    for score in (0.5, 0.2):
        warning = BaselineFacts("t", "accuracy", score, 0.5, 0.5).warning()
        assert "task 't' is at or below chance" in warning
        assert "do not belong together" in warning
    assert "does not tolerate 8 bits" in BaselineFacts("t", "accuracy", 0.5, 0.9, 0.5).warning()


def test_a_baseline_is_set_beside_fp32_and_chance() -> None:
    sentence = BaselineFacts("t", "f1", 0.9, 0.91, 0.5).sentence()
    assert sentence == "t: f1 0.9000 in 8 bits, 0.9100 in fp32, 0.5000 by chance"
