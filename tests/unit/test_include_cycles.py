#!/usr/bin/python3
"""include_cycles.py sees each kind of circle, in small trees made for it, and passes what has none."""

import pathlib
import tempfile
import unittest

from include_cycles import FOLDERS, circles

ROOT = pathlib.Path(__file__).resolve().parents[2]
FREE = {"a.h": "", "a.c": '#include "a.h"\n#include "b.h"\n#include "c.h"', "b.h": '#include "c.h"', "b.c": '#include "b.h"',
        "c.h": "#include <a.h>\n// #include \"a.h\"", "main.c": '#include "a.h"\n#include "other.h"', "sub/d.h": '#include "a.h"'}
PLANTED = [
    {"c.h": '#include "b.h"'},  # two headers
    {"c.c": '#include "b.h"'},  # through a .c
    {"c.c": '  #  include "a.h"'},
    {"b.c": '#include "b.h"\n#include "sub/d.h"'},  # through a folder below
    {"c.c": '#include "d.h"'},
    {"sub/e.c": '#include "e.h"\n#include "d.h"', "sub/e.h": "", "a.h": '#include "e.h"'},
]


class IncludeCycles(unittest.TestCase):
    def found(self, files):
        with tempfile.TemporaryDirectory() as folder:
            for path, text in {**FREE, **files}.items():
                place = pathlib.Path(folder) / "parts" / path
                place.parent.mkdir(parents=True, exist_ok=True)
                place.write_text(text + "\n")
            return circles(folder, ["parts"])

    def test_what_has_no_circle_passes(self):
        self.assertEqual(self.found({}), [])

    def test_each_circle_is_seen(self):
        for files in PLANTED:
            with self.subTest(files=files):
                self.assertEqual(len(self.found(files)), 1)

    def test_a_header_that_reaches_itself_through_its_own_unit_is_none(self):
        self.assertEqual(self.found({"b.c": '#include "b.h"\n#include "b.h"'}), [])

    def test_the_way_round_is_told(self):
        self.assertIn("parts: 2 units in a knot (b, c), such as: b.h includes c.h; c.c includes b.h",
                      self.found({"c.c": '#include "b.h"'}))

    def test_the_folders_are_there(self):
        for folder in FOLDERS:
            self.assertTrue(list((ROOT / folder).glob("*.c")), folder)


if __name__ == "__main__":
    unittest.main()
