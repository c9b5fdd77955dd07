"""The sample of a mutation run: seeded, and spread over the modules."""

import sqlite3
from contextlib import closing
from pathlib import Path

from mutation import CHECKOUT, MODULES, TESTS, sample, spread

CHANGES = [(f"{module}{number}", module) for module, size in (("a", 50), ("b", 3), ("c", 20)) for number in range(size)]


def test_a_sample_is_a_matter_of_the_seed() -> None:
    """The same seed chooses the same changes, another one others."""
    assert spread(CHANGES, 9, 1) == spread(CHANGES, 9, 1) != spread(CHANGES, 9, 2)


def test_a_sample_is_spread_over_the_modules() -> None:
    """A large module has no more of it than a small one, as long as that has any; nothing is chosen twice."""
    chosen = spread(CHANGES, 9, 1)
    assert [one[0] for one in chosen] == ["a", "b", "c"] * 3
    assert len(set(spread(CHANGES, 1000, 1))) == len(CHANGES)


def test_the_rest_is_not_tried(tmp_path: Path) -> None:
    """It is taken out of the session, and so is what says nothing of the tests."""
    session = tmp_path / "session.sqlite"
    with closing(sqlite3.connect(session)) as made:
        made.execute("CREATE TABLE work_items (job_id)")
        made.execute("CREATE TABLE mutation_specs (job_id, module_path, operator_name, occurrence)")
        for number, (job, module) in enumerate(CHANGES):
            operator = "core/RemoveDecorator" if module == "b" else "core/AddNot"
            made.execute("INSERT INTO work_items VALUES (?)", (job,))
            made.execute("INSERT INTO mutation_specs VALUES (?, ?, ?, ?)", (job, module, operator, number))
        made.commit()
        sample(session, 8, 0)
        for table in ("work_items", "mutation_specs"):
            left = [job for (job,) in made.execute(f"SELECT job_id FROM {table}")]
            assert sorted(job[0] for job in left) == ["a"] * 4 + ["c"] * 4


def test_what_is_changed_and_what_should_notice_is_there() -> None:
    """A module or a test that has moved is missed."""
    assert all((CHECKOUT / module).exists() for module in MODULES)
    assert all((CHECKOUT / "conformance" / "selftest" / f"{name}.py").is_file() for name in TESTS)
