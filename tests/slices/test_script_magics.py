"""Magics and commands in cells: the script does what they did, without IPython."""

from __future__ import annotations

import pytest
from slices.emitting import played

from nbtrack.records import CellRecord, FlowRecord
from nbtrack.slices.closure import KeptCell
from nbtrack.slices.script import script_of

WROTE = FlowRecord(writes={"@file:/x/there.txt": "set"}, notes={"shell": "sh"})
ONLY_SHOWED = FlowRecord(reads=("@files",), notes={"shell": "sh"})


def script(source, **more):
    cell = CellRecord(0, None, 1, source, "", "", **more)
    return script_of([KeptCell(cell, ())], title="a test")


def text_of(source, **more):
    """The lines under the mark."""
    made = script(source, **more)
    compile(made.source, "run.py", "exec")
    segment = made.segments[0]
    lines = made.source.split("\n")[segment.first_line :]
    return "\n".join(lines[: segment.n_lines - 1])


# ---- what is left out


@pytest.mark.parametrize(
    "line",
    [
        *("%pip install x", "!pip install x", "!python -m pip install x"),
        *(
            "!{sys.executable} -m pip install x",
            "%conda install x",
            "%load_ext nbtrack",
        ),
        *("%autoreload 2", "%config InlineBackend.figure_format = 'svg'", "%who"),
        *("%history -n 3", "%runs", "%slice last", "%precision 3", "%load x.py"),
        *("!nvidia-smi", "!ls -l | head", "%made_up_magic"),
    ],
)
def test_what_only_installs_or_shows_is_left_out_with_a_note(line):
    assert text_of(f"{line}\nx = 1") == f"# left out: {line}\nx = 1"
    assert script(line).notes == (f"{line} of [1] was left out",)


@pytest.mark.parametrize("line", ["thing?", "?thing", "thing??"])
def test_a_question_is_left_out(line):
    assert text_of(f"x = 1\n{line}").startswith("x = 1\n# left out: %pinfo")


def test_a_block_of_what_is_left_out_is_not_empty(gives_the_same):
    gives_the_same(
        "if True:\n    %config x.y = 1\nelse:\n    # why\n    %time\nx = 1",
        "def f():\n    %precision 3\nf()",
        "y = 1; get_ipython().run_line_magic('precision', '3'); z = 2",
        "for i in range(2): get_ipython().run_line_magic('precision', '3')",
    )


@pytest.mark.parametrize(
    "name", ["html", "javascript", "markdown", "latex", "svg", "odd"]
)
def test_a_cell_of_another_language_is_left_out(name):
    assert text_of(f"%%{name}\n<b>x</b>\nx = 1") == f"# left out: %%{name}"


def test_variables_from_another_session_are_named():
    assert "brought variables from another session" in script("%store -r x").notes[0]


# ---- what is unwrapped


def test_timed_code_stands_alone(gives_the_same):
    made = gives_the_same(
        "a = 1\n%time b = a + 1  # why\nc = %time a + 5\nif a:\n    %time d = 4",
        "%%time\nfor i in range(3):\n    e = i  # kept\n",
        "%time f = 1; g = 2",
        "%%prun -q\nh = '''\n  text\n'''",
        "%%time\n%%time\nj = 4",
    )
    assert "IPython" not in made.source
    assert text_of("x = %time f(a)  # b") == "x = f(a)"
    assert text_of("%%time\nx = 1  # b\n") == "x = 1  # b"


def test_timeit_runs_once_and_its_names_do_not_stay(gives_the_same):
    made = gives_the_same(
        "said = []",
        "%timeit -n1 -r1 said.append(1)",
        "%%timeit -n 1 -r 1 x = [1]\nx.append(2)\nsaid.append(x)",
        "%timeit -n1 -r1 y = 3",
        "t = %timeit -n1 -r1 -q -o said.append(2)\nt = t.best > 0",
    )
    assert "%timeit of [2] runs its code once here" in made.notes


def test_captured_output_is_there_where_it_is_read(gives_the_same):
    gives_the_same(
        "import sys",
        "%%capture out\nprint('here')\nprint('there', file=sys.stderr)\nx = '''\n a'''",
        "a = out.stdout, out.stderr, str(out)",
        "%%capture\nprint('nobody')\ny = 2",
        without=["out"],
    )
    assert text_of("%%capture out\nx = 1") == "x = 1"


# ---- surroundings


def test_environment_variables_are_set(gives_the_same):
    gives_the_same(
        "import os\nn = 5\n%env FIRST=1 2\n%set_env SECOND three\n%env THIRD={n} $n",
        "a = [os.environ[name] for name in ('FIRST', 'SECOND', 'THIRD')]",
        "b = %env FIRST\nc = %env",
        "%env FOURTH = b",
        "d = os.environ['FOURTH']",
        without=["c"],
    )


def test_the_working_folder_goes_the_same_ways(gives_the_same, capfd):
    gives_the_same(
        "import os\ndef here(): return os.path.basename(os.getcwd())",
        "os.makedirs('sub/deep folder')\nname = 'sub'",
        "%cd {name}",
        "a = here()\n%cd -q 'deep folder'\nb = here()\n%cd ../..",
        "%cd -\nc = here()",
        "cd ..",
        "d = here() == a\n%cd nowhere\ne = 1",
    )


def test_figures_are_drawn_and_shown_nowhere():
    made = script("%matplotlib inline\nimport matplotlib.pyplot as plt\nx = 1")
    assert '__import__("matplotlib").use("agg")\n' in made.source
    assert 'setdefault("MPLBACKEND", "agg")' in made.source


def test_figures_are_closed_at_the_end_of_a_cell_as_a_notebook_does(beside):
    sources = [
        "import matplotlib.pyplot as plt\nplt.plot([1, 2])",
        "n = plt.get_fignums()",
    ]
    cells = [CellRecord(i, None, i, text, "", "") for i, text in enumerate(sources)]
    made = script_of([KeptCell(cell, ()) for cell in cells], title="t")
    assert played(made, beside)["n"] == []
    open_ones = FlowRecord(writes={"@figures": "changed"})
    cells[0] = CellRecord(0, None, 0, sources[0], "", "", flow=open_ones)
    made = script_of([KeptCell(cell, ()) for cell in cells], title="t")
    assert played(made, beside)["n"] == [1]


# ---- commands


def test_a_command_is_kept_where_the_cell_wrote_files(gives_the_same):
    gives_the_same(
        "import os\nname = 'there'",
        "!echo {name} > {name}.txt",
        "with open('there.txt') as file: text = file.read()\ndel file",
        flow=WROTE,
    )
    assert text_of("!touch x", flow=ONLY_SHOWED) == "# left out: !touch x"
    assert "subprocess" in text_of("!tar xf x.tar")  # nobody looked: kept
    assert text_of("%mkdir x", flow=WROTE).endswith(
        "'mkdir x', shell=True, check=False)"
    )


def test_the_lines_of_a_command_are_a_value(gives_the_same):
    gives_the_same(
        "x = 'a b'",
        "l = !printf '1\\n2\\n\\n'\nn, s = l.n, l.s",
        "e = !true\nf, g = !printf 'c\\nd'",
        "v = !echo {x}$x",
        "q = !echo {x.nothing} ${{HOME}}",
        "u = !echo {unknown} $HOME $$x",
        "w = get_ipython().getoutput('echo 1')",
        without=["u"],
    )


def test_how_a_command_ended_is_known(gives_the_same):
    gives_the_same("!exit 3", "code = _exit_code", flow=WROTE)


def test_scripts_of_a_shell(gives_the_same):
    gives_the_same(
        "%%bash\necho 4 > there.txt",
        "with open('there.txt') as f: x = f.read()\ndel f",
        "%%sh --out said\necho hello",
        "y = said",
    )
    assert text_of("%%bash\nls\n# nothing") == "# left out: %%bash"


# ---- files


def test_a_written_file_is_written_at_that_moment(gives_the_same):
    gives_the_same(
        "%%writefile own_mod.py\nx = 1\ns = '''\n%time\n# %% [cell 3 · tracked]\n'''\n",
        "import own_mod\na = own_mod.x, own_mod.s",
        "%%writefile -a own_mod.py\ny = 'ü\\n'",
        "name = 'second'",
        '%%writefile {name}.txt\n""" \\ $name {name}',
        "with open('own_mod.py', encoding='utf-8') as f, open('second.txt') as g:\n"
        "    b = f.read(), g.read()\ndel f, g",
    )


SETUP = """import sys
base = 3
args = sys.argv[1:]
name = __name__, "__file__" in globals()
def shift(v):
    return v + base
"""


def test_a_file_that_is_run_lies_beside_the_script(notebook, beside):
    (notebook.folder / "setup.py").write_text(SETUP)
    notebook.run(
        "%run setup.py a 'b c'\nx = shift(1)",
        "base = 10",
        "y = shift(1)\nmain = __name__\nimport sys\nn = len(sys.argv[1:]) == 2",
        "%run -n setup\nz = name",
    )
    made = notebook.script()
    assert made.files == {"run_files/setup.py": SETUP}
    assert played(made, beside) == notebook.values


def test_a_file_may_run_among_the_variables(notebook, beside):
    (notebook.folder / "inside.py").write_text("w = base + 1\ndel base\n")
    notebook.run("base = 1\n%run -i inside.py", "x = w, __name__")
    assert played(notebook.script(), beside) == notebook.values


def test_a_file_that_the_slice_writes_is_not_copied(gives_the_same):
    made = gives_the_same("%%writefile made.py\nx = 4", "%run made.py")
    assert made.files == {}


def test_a_file_that_raises_lets_the_cell_go_on(notebook, beside, capfd):
    (notebook.folder / "bad.py").write_text("a = 1\nraise ValueError('odd')\n")
    (notebook.folder / "exits.py").write_text("b = 1\nimport sys\nsys.exit(3)\n")
    notebook.run("%run bad.py\nc = 1", "%run -e exits.py\nd = 1")
    assert played(notebook.script(), beside) == notebook.values
    assert "ValueError: odd" in capfd.readouterr().err


def test_two_files_of_one_name_are_both_there(notebook, beside):
    for folder in ("one", "two"):
        (notebook.folder / folder).mkdir()
        (notebook.folder / folder / "set.py").write_text(f"{folder} = __file__[-10:]")
    notebook.run("%run one/set.py", "%run two/set.py")
    assert played(notebook.script(), beside) == notebook.values
    assert sorted(notebook.script().files) == ["run_files/set.py", "run_files/set_2.py"]


def test_a_notebook_that_is_run_becomes_python(notebook, beside):
    import nbformat

    cells = ["%pip list\na = 1", "%time b = a + c"]
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(c) for c in cells])
    nbformat.write(book, notebook.folder / "other.ipynb")
    notebook.run("c = 2\nb = 3")
    made = notebook.script()
    run = CellRecord(1, None, 2, "%run other.ipynb", "", "")
    made = script_of([*notebook.kept, KeptCell(run, ())], title="t")
    assert played(made, beside) == {"a": 1, "b": 3, "c": 2}
    assert made.files["run_files/other.py"].startswith("# left out: %pip list\na = 1")


# ---- the shell itself


def test_what_is_asked_of_the_shell_by_hand(gives_the_same):
    gives_the_same(
        "get_ipython().run_line_magic('time', 'x = 3')",
        "get_ipython().run_cell_magic('time', '', 'y = 4')",
        "get_ipython().magic('time z = 5') if False else None",
        "get_ipython().user_ns['w'] = 5",
        "ip = get_ipython()\nk = ip is not None\nip.ex('u = 8')\nv = ip.ev('u + 1')",
        "def put(**values): ip.user_ns.update(values)\nput(q=3)",
        "try:\n    get_ipython\n    there = True\nexcept NameError:\n    there = False",
        without=["ip"],
    )


def test_the_stand_in_for_the_shell_is_there_only_where_it_is_used():
    assert "get_ipython" not in script("%time x = 1").source
    made = script("get_ipython().set_next_input('x')")
    assert "get_ipython() is a stand-in that does nothing" in made.notes
