"""tools/bench/report: its short form fills the table, draws, and changes a README between its marks alone."""

import json
import xml.dom.minidom

import pytest

from support.broker import ROOT, program, run

REPORT = str(ROOT / "tools" / "bench" / "report")
BEGIN, END = "<!-- table of tools/bench/report -->", "<!-- end of the table -->"


def report(*words, check=0):
    return run([REPORT, "--bench", program("zchat-bench"), *words], timeout=280, check=check)


def cells(page):
    """The table's rows, without its head."""
    lines = [line for line in page.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def test_quick(tmp_path):
    readme, drawing, kept = tmp_path / "README.md", tmp_path / "all.svg", tmp_path / "all.json"
    readme.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n")
    done = report("--quick", "--svg", str(drawing), "--readme", str(readme), "--json", str(kept))
    assert done.stderr == "", "progress is for terminals"
    rows = cells(done.stdout)
    told = [json.loads(line) for line in kept.read_text().splitlines()]
    assert len(rows) == len(told) == 13
    assert {one["bench"] for one in told} == {"send", "sparse", "latency", "fanout", "login", "idle", "growth",
                                              "files", "private"}
    for title, measured, limit, share, *_ in rows:
        assert measured[0].isdigit() and limit and share, title
    bars = xml.dom.minidom.parse(str(drawing)).getElementsByTagName("path")
    assert len(bars) == len(rows)
    assert readme.read_text() == (f"before\n{BEGIN}\n{done.stdout}\n![zchat beside its limits](all.svg)\n"
                                  f"{END}\nafter\n")


@pytest.mark.parametrize("words, said", [
    (["--runs", "0"], "takes a number from 1 to 99, not 0"),
    (["--only", "nothing"], "--only names no workload: nothing"),
    (["--bench", "/nowhere"], "/nowhere is no program"),
])
def test_what_it_refuses(words, said):
    done = report(*words, check=2)
    assert said in done.stderr and done.stdout == ""


def test_a_readme_without_marks_stays(tmp_path):
    readme = tmp_path / "README.md"
    readme.write_text("no marks\n")
    done = report("--quick", "--only", "private", "--readme", str(readme), check=1)
    assert "lacks the marks" in done.stderr
    assert readme.read_text() == "no marks\n"
