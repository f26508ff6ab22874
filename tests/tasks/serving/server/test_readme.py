"""The examples of clients in the README are run against a server."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[4]
README = (ROOT / "tasks" / "serving" / "README.md").read_text(encoding="utf-8")
EXAMPLES = [
    (language, code)
    for language, code in re.findall(r"^```(\w+)\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
    if language in ("bash", "python", "javascript")
]
COMMANDS = {"bash": ["bash", "-c"], "javascript": ["node", "--input-type=module", "--eval"]}

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(("language", "code"), EXAMPLES, ids=[language for language, _ in EXAMPLES])
def test_an_example_prints_the_answer(process, tasks_server, language, code):
    for address, there in (("http://127.0.0.1:8501", tasks_server.url), ("127.0.0.1:8500", tasks_server.grpc)):
        code = code.replace(address, there)
    program = COMMANDS.get(language, [None])[0]
    if program is not None and shutil.which(program) is None:
        pytest.skip(f"{program} is not on the path")
    if language == "python":
        started = process("-c", code)
    else:
        started = subprocess.Popen([*COMMANDS[language], code], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    out, err = started.communicate(timeout=120)
    assert started.returncode == 0, err.decode()
    if "sentiment" in code:
        assert re.search("negative|positive", out.decode()) and re.search(r"0\.\d+|1\.0", out.decode())
    elif language == "bash":
        events = [json.loads(line.removeprefix("data: ")) for line in out.decode().splitlines() if line]
        assert events[0]["text"] == "The " and events[-1]["done"] is True
    else:
        assert out.decode().startswith("The ") and len(out.decode().strip()) > 10


def test_every_kind_of_client_has_an_example():
    assert {language for language, _ in EXAMPLES} == {"bash", "python", "javascript"}
    assert {"requests", "grpc"} <= {name for _, code in EXAMPLES for name in re.findall(r"^import (\w+)", code, re.M)}
