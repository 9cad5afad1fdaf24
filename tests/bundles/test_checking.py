"""What a bundle would hold is tried in a fresh folder before it is written."""

from __future__ import annotations

import pytest

from nbtrack.bundles.redactions import with_needs
from nbtrack.records import CellRecord
from nbtrack.slices.closure import KeptCell

pytestmark = [pytest.mark.reproduce, pytest.mark.timeout(240)]
SECRET = "sk-abcdefghijklmnop1234567890"
LOOP = "%%track base --no-live\nfor epoch in range(3):\n    loss = float(x) * epoch"


def test_a_run_without_a_seed_comes_again_bit_for_bit(in_notebook):
    found = in_notebook(
        "import numpy as np\nfrom scaling import scaled",
        "rows = [float(r) for r in open('rows.csv').readlines()[1:]]",
        "junk = np.random.rand(3)",
        f"api_key = {SECRET!r}",
        "x = scaled(sum(rows)) + np.random.rand() + len(api_key)",
        LOOP,
        files={
            "rows.csv": "x\n1\n2\n",
            "scaling.py": "def scaled(v):\n    return v / 10\n",
        },
        then="""
            checker, climbed = tried()
            content = checker.content
            seen = {cell["label"]: cell["values"] for cell in content.answer.seen}
            answer = {
                "reasons": [t.reason for t in climbed.tried],
                "checks": [c.verdict for c in content.checks],
                "layout": content.ledger.layout()["files"],
                "script": content.script.source,
                "needs": content.needs.names,
                "seen": seen,
                "modules": content.answer.modules,
            }
        """,
    )
    assert found["reasons"] == [""]
    assert found["checks"] == ["BITWISE"]
    assert found["layout"] == {
        "rows.csv": "data/files/rows.csv",
        "scaling.py": "run/local_modules/scaling.py",
    }
    assert SECRET not in found["script"]
    assert found["needs"] == ["API_KEY"]
    assert "sha256" in found["seen"]["cell 5 · exec 5"]["x"]
    assert "api_key" not in str(found["seen"])  # not even its digest
    assert "numpy" in found["modules"]


REASON = "checker, climbed = tried()\nanswer = climbed.tried[0].reason"


def test_a_secret_that_is_nowhere_to_be_had_is_asked_for(in_notebook):
    cells = f"api_key = {SECRET!r}", "x = len(api_key)", "del api_key", LOOP
    said = in_notebook(*cells, then=REASON)
    assert said == "it needs API_KEY in the environment"


def test_an_input_that_changed_since_is_never_passed_off(in_notebook):
    said = in_notebook(
        "x = open('rows.csv').read()",
        LOOP,
        files={"rows.csv": "1\n"},
        then=f"open('rows.csv', 'w').write('2')\n{REASON}",
    )
    assert said == "the input rows.csv changed since"


def test_a_file_that_nobody_saw_being_read_goes_in_once_it_is_missed(in_notebook):
    reasons, files = in_notebook(
        "import os\ndef rows():\n    with os.fdopen(os.open('rows.csv', 0)) as file:\n"
        "        return file.read()",
        "x = rows()",
        LOOP,
        files={"rows.csv": "1\n"},
        then="""
            checker, climbed = tried()
            files = [f.path for f in checker.content.ledger.files]
            answer = [t.reason for t in climbed.tried], files
        """,
    )
    assert reasons == [""]
    assert files == ["rows.csv"]


def test_variables_that_cells_read_are_needed_by_name_and_kept_by_no_value(in_notebook):
    reasons, needs, everything = in_notebook(
        "import os\nteam, n = os.environ['TEAM'], int(os.getenv('N_STEPS', 3))",
        "x = len(team) + n",
        LOOP,
        environment={"TEAM": "blue-whales"},
        then="""
            checker, climbed = tried()
            content = checker.content
            answer = [t.reason for t in climbed.tried], content.needs.names, (
                content.script.source + str(content.answer.seen)
            )
        """,
    )
    assert (reasons, needs) == ([""], ["TEAM"])  # N_STEPS was not set
    assert "blue-whales" not in everything


def test_what_a_dropped_cell_left_is_not_there(in_notebook):
    files = in_notebook(
        "open('left.txt', 'w').write('4')",
        "x = 2",
        LOOP,
        then="checker, _ = tried()\nanswer = checker.content.ledger.files",
    )
    assert files == ()


def test_a_folder_that_a_cell_makes_is_not_there_before(in_notebook):
    reasons = in_notebook(
        "import os\nos.mkdir('out')\nopen('out/x.txt', 'w').write('3')",
        "x = open(os.path.join('out', os.listdir('out')[0])).read()",
        LOOP,
        then="_, climbed = tried()\nanswer = [t.reason for t in climbed.tried]",
    )
    assert reasons == [""]


def test_private_files_and_files_with_secrets_stay_out(in_notebook):
    proven, policies, elsewhere = in_notebook(
        "import json",
        "n = json.load(open('config.json'))['n']",
        "x = n + float(open('patients.csv').read())",
        LOOP,
        files={
            "patients.csv": "1\n",
            "config.json": f'{{"token": "{SECRET}", "n": 3}}',
        },
        then="""
            checker, climbed = tried(private=("patients*",))
            ledger = checker.content.ledger
            policies = {f.path: f.policy for f in ledger.files}
            answer = climbed.proven is not None, policies, ledger.layout()["elsewhere"]
        """,
    )
    assert proven  # they are here, and are what was read
    assert policies == {"patients.csv": "private", "config.json": "private"}
    assert elsewhere == ["config.json", "patients.csv"]


def test_only_references_where_that_is_wished(in_notebook):
    policies = in_notebook(
        "x = open('rows.csv').read()",
        LOOP,
        files={"rows.csv": "1"},
        then="""
            checker, _ = tried(wish="ref")
            answer = [f.policy for f in checker.content.ledger.files]
        """,
    )
    assert policies == ["ref"]


@pytest.mark.reproduce
def test_a_noisy_run_is_proven_by_its_measured_noise(in_notebook):
    once, verdicts, tolerance = in_notebook(
        "x = 1",
        "%%track base --no-live\nimport os\nfor epoch in range(20):\n"
        "    loss = 1 + int.from_bytes(os.urandom(2), 'big') / 2**26",
        then="""
            _, once = tried()
            checker, _ = tried(repeat=3)
            content = checker.content
            verdicts = [c.verdict for c in content.checks]
            answer = once.proven, verdicts, content.tolerances["loss"]
        """,
    )
    assert once is None
    assert verdicts == ["WITHIN-NOISE"] * 3
    assert (tolerance.k, tolerance.source) == (3, "repeat")
    assert 0 < tolerance.spread < 2**-10


def test_secrets_get_the_names_that_they_stand_under():
    cells, needs = with_needs(
        [
            KeptCell(CellRecord(0, None, 1, source, "", ""), ())
            for source in (
                f'client = login(token="{SECRET}", url="https://me:{SECRET}@host/x")',
                f"config = {{'api_key': '{SECRET}', 'n': 3}}",
                f"os.environ['WANDB_API_KEY'] = '{SECRET}'",
                f"print(f'x {SECRET} {{config}}')",
                f"api_key = 'other-{SECRET}'",
            )
        ]
    )
    texts = [each.cell.source for each in cells]
    assert SECRET not in "".join(texts)
    assert texts[0] == (
        "client = login(token=os.environ['TOKEN'], "
        "url=('https://me:' + os.environ['URL'] + '@host/x'))"
    )
    assert texts[1] == "config = {'api_key': os.environ['API_KEY'], 'n': 3}"
    assert texts[2] == "os.environ['WANDB_API_KEY'] = os.environ['WANDB_API_KEY']"
    assert needs.n_left == 1


def test_a_file_that_is_open_to_be_read_is_an_input(in_notebook):
    reasons, files = in_notebook(
        "import json\nwith open('costs.json') as file:\n    costs = json.load(file)",
        "x = costs['a']",
        LOOP,
        files={"costs.json": '{"a": 3}'},
        then="""
            checker, climbed = tried()
            files = [f.policy for f in checker.content.ledger.files]
            answer = [t.reason for t in climbed.tried], files
        """,
    )
    assert (reasons, files) == ([""], ["embed"])
