"""zchat's line at a terminal: keys that must not harm, and a screen that shows what is there."""

import shlex
import signal

import pytest

from zchat_terminal import SCRIPT_S, Person, Terminal, start_script

FAMILY = "\U0001F468\u200d\U0001F469\u200d\U0001F467"
SIZES = [(80, 24), (40, 12)]


@pytest.fixture
def open_line(town, tmp_path):
    """open_line(columns, rows, **environment): (terminal, friend, user)."""
    opened = []

    def start(columns=80, rows=24, inputrc=None, **environment):
        user, friend = town.name(), town.join()
        person = Person(town.broker, tmp_path / f"at-{len(opened)}", town.keys, **environment)
        if inputrc is not None:
            (person.folder / "inputrc").write_text(inputrc)
            person.environment["INPUTRC"] = str(person.folder / "inputrc")
        command = person.command(user, "--presence", "off", "--timestamps", "off")
        opened.append(Terminal(command, person.environment, columns=columns, rows=rows))
        opened[-1].wait_last("zchat>")
        return opened[-1], friend, user

    yield start
    for terminal in opened:
        terminal.close()


# ---- keys ----


@pytest.mark.parametrize("keys", [("Escape", "Enter"), ("M-Enter",), ("M-C-j",)])
def test_alt_enter_begins_a_new_line_of_the_text(open_line, keys):
    terminal, friend, _ = open_line()
    terminal.type(f"send {friend.user} one")
    terminal.key(*keys)
    terminal.type("two")
    terminal.wait_last("two")
    terminal.key("C-a")
    terminal.key("C-e")
    terminal.key("Enter")
    friend.wait_text("one\ntwo")
    terminal.type("the keys are as before")
    terminal.key("C-a", "C-k")
    terminal.wait_last("zchat>")


def test_meta_number_sign_sends_nothing(open_line):
    terminal, friend, _ = open_line()
    terminal.enter(f"chat {friend.user}")
    terminal.wait_last(f"{friend.user}>")
    terminal.type("not yet")
    terminal.key("M-#")
    terminal.key("C-e")
    terminal.type("!")
    terminal.key("Enter")
    friend.wait_text("not yet!")
    assert friend.texts() == ["not yet!"]


def test_an_inputrc_is_obeyed(open_line):
    terminal, friend, _ = open_line(inputrc='"\\C-t": "typed by inputrc"\n"\\e\\C-m": "|"\n')
    terminal.key("C-t")
    terminal.wait_last("zchat> typed by inputrc")
    terminal.key("M-Enter")
    terminal.wait_last("zchat> typed by inputrc|")


def test_who_wants_vi_keys_has_them(open_line):
    terminal, friend, _ = open_line(inputrc="set editing-mode vi\nset keyseq-timeout 50\n")
    terminal.type("wordX")
    terminal.key("Escape")
    terminal.key("x")
    terminal.wait_last("zchat> word")


def test_ctrl_l_clears_the_screen_and_keeps_the_line(open_line):
    terminal, friend, _ = open_line()
    terminal.enter("help who")
    terminal.wait_for("who is online")
    terminal.type("half a line")
    terminal.key("C-l")
    terminal.wait(lambda: terminal.lines() == ["zchat> half a line"], "a clear screen")
    assert terminal.cursor() == (len("zchat> half a line"), 0)


# ---- bytes that are no text ----


def test_a_pasted_nul_byte_cuts_nothing(open_line, tmp_path):
    terminal, friend, _ = open_line()
    paste = tmp_path / "paste"
    paste.write_bytes(f"send {friend.user} first\0second".encode())
    terminal.tmux("load-buffer", str(paste))
    terminal.tmux("paste-buffer", "-p", "-r")
    terminal.key("Enter")
    terminal.enter(f"send {friend.user} last")
    friend.wait_text("last")
    assert "first" not in friend.texts()


def test_a_quoted_nul_byte_is_refused(open_line):
    terminal, friend, _ = open_line()
    terminal.type(f"send {friend.user} first")
    terminal.key("C-v", "C-Space")
    terminal.enter("second")
    terminal.wait_for("there is a NUL byte in what you typed; nothing of it is sent")
    terminal.enter(f"send {friend.user} last")
    friend.wait_text("last")
    assert friend.texts() == ["last"]


def test_what_is_not_utf_8_is_refused(open_line, tmp_path):
    terminal, friend, _ = open_line()
    paste = tmp_path / "paste"
    paste.write_bytes(f"send {friend.user} caf".encode() + b"\xe9 au lait")
    terminal.tmux("load-buffer", str(paste))
    terminal.tmux("paste-buffer", "-p", "-r")
    terminal.key("Enter")
    terminal.wait_for("what you typed is not UTF-8; nothing of it is sent")


def test_escape_sequences_that_are_pasted_do_nothing(open_line, tmp_path):
    terminal, friend, _ = open_line()
    paste = tmp_path / "paste"
    paste.write_bytes(f"send {friend.user} \033[2J\033]0;title\007red".encode())
    terminal.tmux("load-buffer", str(paste))
    terminal.tmux("paste-buffer", "-p", "-r")
    terminal.wait_for("^[[2J")
    terminal.key("Enter")
    friend.wait_text("red")
    assert "help lists the commands" in terminal.text()


# ---- the screen ----


@pytest.mark.parametrize("columns, rows", SIZES)
@pytest.mark.parametrize("search", ["who", "no such line", ""])
def test_ctrl_c_in_a_search_leaves_nothing_of_it(open_line, columns, rows, search):
    terminal, friend, user = open_line(columns, rows)
    terminal.enter("help who")
    terminal.wait_for("who is online")
    terminal.wait_last("zchat>")
    before = terminal.lines()
    terminal.key("C-r")
    terminal.type(search)
    terminal.wait_for(f"reverse-i-search)`{search}':")
    terminal.key("C-c")
    terminal.wait(lambda: terminal.lines() == before, "the screen without a search")
    terminal.type("ab")
    terminal.wait_last("zchat> ab")
    friend.message(user, "hello")
    terminal.wait_for(f"{friend.user}: hello")
    terminal.wait_last("zchat> ab")
    assert "reverse-i-search" not in terminal.text()


@pytest.mark.parametrize("columns, rows", SIZES)
@pytest.mark.parametrize("emoji", [FAMILY, "\U0001F44D\U0001F3FD", "日本", "\u2764\ufe0f", "e\u0301"])
def test_the_cursor_is_right_behind_joined_characters_in_the_second_row(open_line, columns, rows,
                                                                       emoji):
    terminal, friend, user = open_line(columns, rows)
    first = "a" * (columns - len("zchat> "))
    terminal.type(first + "bbb" + emoji + "cd")
    terminal.wait(lambda: terminal.last().endswith("cd"), "the end of the line")
    end_column, row = terminal.cursor()
    line = terminal.lines()[-1]
    assert line.startswith("bbb") and line.endswith("cd") and row == len(terminal.lines()) - 1
    terminal.key("Left", "Left")
    terminal.wait(lambda: terminal.cursor() == (end_column - 2, row), "the cursor before cd")
    terminal.type("X")
    terminal.wait(lambda: terminal.last().endswith("Xcd"), "an X")
    friend.message(user, "in between")
    terminal.wait_for(f"{friend.user}: in between")
    terminal.wait(lambda: terminal.last().endswith("Xcd"), "the line again")
    terminal.key("Home")
    terminal.type("Y")
    terminal.wait(lambda: "zchat> Yaaa" in terminal.text(), "a Y at the start")
    assert terminal.cursor()[0] == len("zchat> Y")
    terminal.key("C-e", "C-u")
    terminal.wait_last("zchat>")
    assert terminal.text().count("aaa") == 0 and terminal.text().count("zchat>") == 1


@pytest.mark.parametrize("columns, rows", SIZES)
def test_a_long_line_survives_fewer_rows(open_line, columns, rows):
    terminal, friend, user = open_line(columns, rows)
    text = "".join(f"{n:04} " for n in range(columns * 3 // 5)) + "end"
    terminal.type(text)
    terminal.wait(lambda: terminal.last().endswith("end"), "the whole line")
    for height in (8, 5, rows):
        terminal.resize(columns, height)
        terminal.type("!")
        terminal.wait(lambda: terminal.lines()[-1].endswith("!"), "the line")
        friend.message(user, f"at {height}")
        terminal.wait_for(f"{friend.user}: at {height}")
        terminal.wait(lambda: terminal.last().endswith("!"), "the line again")
    assert terminal.text().count("0000 ") == 1, terminal.text()
    assert terminal.text().count("zchat> 0000") == 1


@pytest.mark.parametrize("columns, rows", SIZES)
def test_fewer_rows_than_the_line_takes_leave_no_ghost_of_it(open_line, columns, rows):
    terminal, friend, user = open_line(columns, rows)
    terminal.enter("help")
    terminal.wait_for("begins with /")
    terminal.wait_last("zchat>")
    terminal.type("w" * (columns * 2 + 20))
    terminal.key("Home")
    terminal.type("A")
    terminal.wait_for("zchat> Awww")
    terminal.resize(columns, 2)
    terminal.type("B")
    terminal.wait_for("zchat> ABwww")
    friend.message(user, "while it was low")
    terminal.wait(lambda: terminal.lines()[0].startswith("zchat> ABwww"), "the line's start")
    terminal.resize(columns, rows)
    terminal.type("C")
    terminal.wait_for("zchat> ABCwww")
    terminal.key("C-e", "C-u")
    terminal.wait_last("zchat>")
    assert "www" not in terminal.text() and terminal.text().count("zchat>") == 2


@pytest.mark.parametrize("columns, rows", SIZES)
def test_a_line_higher_than_the_screen_is_shown_around_its_cursor(open_line, columns, rows):
    terminal, friend, user = open_line(columns, rows)
    terminal.resize(columns, 4)
    text = "start" + "x" * (columns * 7) + "end"
    terminal.type(text)
    terminal.wait(lambda: terminal.lines()[-1].endswith("end"), "the end")
    terminal.key("Home")
    terminal.wait(lambda: terminal.lines()[0].startswith("zchat> start"), "the start")
    assert terminal.cursor() == (len("zchat> "), 0)
    terminal.key("C-e", "C-u")
    terminal.wait(lambda: terminal.lines()[-1].strip() == "zchat>", "the prompt alone")
    terminal.enter("ping")
    terminal.wait_for("answered in")


def test_a_huge_line_takes_time_only_in_proportion(town, tmp_path):
    """Each key draws the line: of half a million characters, not of their square."""
    person = Person(town.broker, tmp_path, town.keys)
    timed = ["bash", "-c", 'TIMEFORMAT="[cpu %U]"; time "$@"', "bash", *person.command(town.name())]
    with Terminal(timed, person.environment) as terminal:
        terminal.wait_last("zchat>")
        terminal.key("M-5", *["0"] * 5)
        terminal.type("a")
        terminal.wait(lambda: terminal.last().endswith("a" * 100), "the long line")
        terminal.type("b")
        terminal.wait(lambda: terminal.last().endswith("ab"), "the next character")
        terminal.key("C-u")
        terminal.wait_last("zchat>")
        terminal.key("C-d")
        assert float(terminal.wait_match(r"\[cpu ([0-9.]+)\]")[1]) < 2


def test_typing_goes_on_through_a_flood(open_line):
    terminal, friend, user = open_line(60, 20)
    typed = "the quick brown fox jumps over the lazy dog, 日本語, and on it goes " * 2
    for number, word in enumerate(typed.split()):
        for burst in range(5):
            friend.message(user, f"flood {number}-{burst}")
        terminal.type(word + " ")
    terminal.wait_for(f"flood {number}-4")
    terminal.wait_last("zchat> " + typed.strip())
    assert terminal.text().count("quick brown") == 2


# ---- Ctrl-Z ----


def test_ctrl_z_stops_the_whole_process_group(town, tmp_path):
    person = Person(town.broker, tmp_path, town.keys)
    words = " ".join(shlex.quote(word) for word in person.command(town.name(), "--presence", "off"))
    with Terminal(["bash", "--norc", "-i"], person.environment) as terminal:
        terminal.wait_for("bash-")
        terminal.enter(f"(trap '' USR1; {words}; echo after)")
        terminal.wait_last("zchat>")
        terminal.key("C-z")
        terminal.wait_for("Stopped")
        terminal.enter("fg")
        terminal.wait_last("zchat>")
        terminal.enter("ping")
        terminal.wait_for("answered in")


def test_ctrl_z_is_ignored_where_nobody_could_continue(open_line):
    terminal, friend, user = open_line()
    terminal.type("half")
    terminal.wait_last("zchat> half")
    terminal.key("C-z")
    friend.message(user, "still there?")
    terminal.wait_for("still there?")
    terminal.wait_last("zchat> half")
    terminal.type(" a line")
    terminal.wait_last("zchat> half a line")


def test_ctrl_z_is_ignored_as_the_terminal_s_own_process(town, tmp_path):
    person = Person(town.broker, tmp_path, town.keys)
    words = ["exec", *person.command(town.name(), "--presence", "off")]
    with Terminal(["sh", "-c", " ".join(shlex.quote(word) for word in words)],
                  person.environment) as terminal:
        terminal.wait_last("zchat>")
        terminal.key("C-z")
        terminal.type("goes on")
        terminal.wait_last("zchat> goes on")


# ---- the environment ----


@pytest.mark.parametrize("locale", [{"LANG": "C"}, {"LANG": "POSIX"}, {"LC_ALL": "C"},
                                    {"LANG": "", "LC_CTYPE": ""}, {"LANG": "no_SUCH.locale"}])
def test_backspace_takes_characters_in_any_locale(open_line, locale):
    terminal, friend, _ = open_line(**locale)
    terminal.type(f"send {friend.user} grün日")
    terminal.key("BSpace", "BSpace", "BSpace")
    terminal.type("ün")
    terminal.key("Enter")
    friend.wait_text("grün")


def test_a_pipe_gets_the_output_and_no_prompt_gets_between(town, tmp_path):
    person, friend, log = Person(town.broker, tmp_path, town.keys), town.join(), tmp_path / "log"
    user = town.name()
    words = " ".join(shlex.quote(word) for word in person.command(user, "--presence", "off"))
    with Terminal(["sh", "-c", f"{words} | tee {log}"], person.environment) as terminal:
        terminal.wait_for(f"you are {user}")
        friend.message(user, "one")
        terminal.wait_for(f"{friend.user}: one")
        terminal.enter("ping")
        terminal.wait_for("answered in")
        terminal.enter(f"send {friend.user} typed")
        friend.wait_text("typed")
        friend.message(user, "two")
        terminal.wait_for(f"{friend.user}: two")
        shown = terminal.all_lines()
        terminal.key("C-d")
        terminal.wait_exit(0)
    assert "zchat>" not in "\n".join(shown)
    assert shown[1:3] == [f"{friend.user}: one", "ping"], shown
    assert shown[-2:] == [f"send {friend.user} typed", f"{friend.user}: two"], shown
    assert "\x1b" not in log.read_text()


def test_a_script_that_was_stopped_goes_on(town, tmp_path):
    person = Person(town.broker, tmp_path, town.keys)
    script = start_script(person, town.name())
    script.stdin.write("ping\n")
    script.stdin.flush()
    assert "answered" in script.stdout.readline()
    script.send_signal(signal.SIGTSTP)
    script.send_signal(signal.SIGCONT)
    script.stdin.close()
    assert script.wait(SCRIPT_S) == 0
