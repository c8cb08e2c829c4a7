#!/usr/bin/python3
"""Which units of a folder include each other in a circle: a header and the .c of its name are one unit.

    include_cycles.py SOURCE_DIR [FOLDER...]    prints a circle for each knot, exits 1 if there is one

Without folders those of FOLDERS are looked at: a folder that is free of circles is added there, and stays so. A header
that another folder has is none of this folder's units.
"""

import pathlib
import re
import sys

FOLDERS = ["broker", "client/cli", "client/lib", "proto", "tools/bench", "tools/zmq-cli"]
INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*"([^"]+)"', re.MULTILINE)


class Graph:
    """uses[unit][other] is the #include because of which the unit needs the other one."""

    def __init__(self, root, folder):
        self.folder = pathlib.Path(root) / folder
        files = sorted(path.relative_to(self.folder) for path in self.folder.rglob("*.[ch]"))
        self.headers = [path for path in files if path.suffix == ".h"]
        self.uses = {str(path.with_suffix("")): {} for path in files}
        for path in files:
            self.read(path)

    def read(self, path):
        unit = str(path.with_suffix(""))
        for name in INCLUDE.findall((self.folder / path).read_text()):
            for header in self.found(path, name):
                other = str(header.with_suffix(""))
                if other != unit:
                    self.uses[unit].setdefault(other, f"{path} includes {header}")

    def found(self, path, name):
        """The header of that name: beside the file, or else wherever it is in the folder."""
        beside = [header for header in self.headers if header == path.parent / name]
        return beside or [header for header in self.headers if ("/" + str(header)).endswith("/" + name)]

    def way(self, start, end):
        """The shortest way from one unit to another, as units; None: there is none."""
        ways = [[start]]
        seen = set()
        for way in ways:
            for other in self.uses[way[-1]]:
                if other == end:
                    return way + [other]
                if other not in seen:
                    seen.add(other)
                    ways.append(way + [other])
        return None

    def knots(self):
        """Sets of units that all reach each other."""
        left = set(self.uses)
        while left:
            unit = min(left)
            knot = {other for other in left if other == unit or (self.way(unit, other) and self.way(other, unit))}
            left -= knot
            if len(knot) > 1:
                yield knot

    def circles(self):
        for knot in self.knots():
            circle = min((self.way(unit, unit) for unit in sorted(knot)), key=len)
            lines = [self.uses[one][two] for one, two in zip(circle, circle[1:])]
            yield f"{len(knot)} units in a knot ({', '.join(sorted(knot))}), such as: {'; '.join(lines)}"


def circles(root, folders):
    return [f"{folder}: {circle}" for folder in folders for circle in Graph(root, folder).circles()]


if __name__ == "__main__":
    found = circles(sys.argv[1], sys.argv[2:] or FOLDERS)
    print("\n".join(found) or "no unit includes another one in a circle")
    sys.exit(1 if found else 0)
