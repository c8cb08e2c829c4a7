"""zchatd's options from outside: what it prints, and how it refuses."""

import pytest

from support.broker import program, run

ZCHATD = program("zchatd")


def refused(*words):
    """Runs zchatd, which must refuse with one sentence on stderr; the sentence."""
    done = run([ZCHATD, *words], check=2)
    assert done.stdout == ""
    assert done.stderr.endswith("\n") and done.stderr.count("\n") == 1, done.stderr
    return done.stderr


def test_version_is_one_line():
    done = run([ZCHATD, "--version"], check=0)
    assert done.stdout.startswith("zchatd ") and done.stdout.count("\n") == 1
    assert done.stderr == ""


@pytest.mark.parametrize("words", [["--help"], ["--version"], ["--print-config"], ["--check-config", "--port", "0"],
                                   ["user", "--help"], ["user", "list"]])
@pytest.mark.parametrize("where", [">&-", ">/dev/full"])
def test_a_stdout_that_takes_nothing_is_3(tmp_path, words, where):
    key = "a1" * 32
    run([ZCHATD, "user", "add", "yoda", "--device-key", key, "--create", "--data", tmp_path / "data"], check=0)
    done = run(["sh", "-c", f'"$@" {where}', "sh", ZCHATD, *words, "--data", tmp_path / "data"], check=3)
    last = done.stderr.splitlines()[-1]
    assert last.startswith("zchatd") and "stdout can't be written: " in last


def test_a_text_that_is_too_long_is_said_to_be(tmp_path):
    assert "--data is too long: at most " in refused("--data", tmp_path / ("long" * 300))


def test_help_goes_to_stdout_and_names_every_option_of_the_file():
    text = run([ZCHATD, "--help"], check=0).stdout
    printed = run([ZCHATD, "--print-config"], check=0).stdout
    names = [line.split(" = ")[0] for line in printed.splitlines() if line and line[0] != "#"]
    assert {"bind", "port", "data", "block-duration", "timeout", "registration"} <= set(names)
    for name in names:
        assert f"  --{name} " in text
    for flag in ("--config", "--print-config", "--check-config", "--version", "--help", "user"):
        assert flag in text
    assert max(map(len, text.splitlines())) <= 100
    assert "while the broker does not run" not in text


def test_a_printed_configuration_is_fine_and_prints_the_same_again(tmp_path):
    words = ["--port", "5000", "--registration=closed", "--data", str(tmp_path / "with space")]
    printed = run([ZCHATD, "--print-config", *words], check=0).stdout
    assert "\nport = 5000\n" in printed and "\nregistration = closed\n" in printed
    path = tmp_path / "zchatd.conf"
    path.write_text(printed)
    assert run([ZCHATD, "--config", path, "--check-config"], check=0).stdout.startswith("configuration is fine")
    assert run([ZCHATD, "--print-config", "--config", path], check=0).stdout == printed
    assert not (tmp_path / "with space").exists(), "printing and checking make nothing"


def test_a_flag_beats_the_file(tmp_path):
    path = tmp_path / "c"
    path.write_text("port = 5000\ntimeout = 9\n")
    printed = run([ZCHATD, "--print-config", "--config", path, "--port", "6000"], check=0).stdout
    assert "\nport = 6000\n" in printed and "\ntimeout = 9\n" in printed


@pytest.mark.parametrize("words, sentence", [
    (["--port", "70000"], '--port wants a whole number from 0 to 65533, not "70000"'),
    (["--registration", "maybe"], '--registration wants open or closed, not "maybe"'),
    (["--port"], "--port needs a value"),
    (["--port", "1", "--port", "2"], "--port is given twice"),
    (["--prot", "1"], "--prot is no option"),
    (["4000"], "4000 is no option"),
    (["--config", "/nonexistent/c"], "/nonexistent/c can't be read"),
])
def test_a_bad_flag_is_one_clear_sentence(words, sentence):
    assert sentence in refused(*words)
    assert sentence in refused("--check-config", *words)


def test_a_file_of_another_editor_means_the_same(tmp_path):
    """A byte order mark in front and CRLF at the ends belong to no option."""
    path = tmp_path / "c"
    path.write_bytes(b'\xef\xbb\xbfport = 5000\r\nbind = "127.0.0.1"\r\nlog-level = warn\r\n\r\n# end\r\n')
    printed = run([ZCHATD, "--print-config", "--config", path], check=0).stdout
    assert "\nport = 5000\n" in printed and '\nbind = "127.0.0.1"\n' in printed
    assert "\nlog-level = warn\n" in printed


def test_a_nul_in_the_file_is_refused(tmp_path):
    path = tmp_path / "c"
    path.write_bytes(b"port = 50\x0000\n")
    assert f"{path}:1: the line holds a NUL" in refused("--config", path)


def test_a_file_without_an_end_is_refused(tmp_path):
    path = tmp_path / "c"
    path.write_text("# " + "long " * 20000 + "\nport = 1\n")
    assert f"{path}:1: the line is too long" in refused("--config", path)
    assert "/dev/zero:1: the line holds a NUL" in refused("--config", "/dev/zero")


@pytest.mark.parametrize("text, sentence", [
    ("timeout = 1\nprot = 5\n", ":2: prot is no option of the file; there are bind port"),
    ("\nport = x\n", ':2: port wants a whole number from 0 to 65533, not "x"'),
    ("port = 1\n\nport = 1\n", ":3: port is given twice"),
    ("port 1\n", ':1: the line is not "name = value"'),
])
def test_a_bad_file_is_named_with_line_key_and_what_is_allowed(tmp_path, text, sentence):
    path = tmp_path / "c"
    path.write_text(text)
    assert f"{path}{sentence}" in refused("--config", path)
