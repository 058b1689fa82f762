"""Runs OpenStack's own command lines in one process: a JSON list of words per line in, its code and output as JSON out."""
import contextlib
import io
import json
import sys
import warnings

warnings.simplefilter("ignore")


def run(words):
    program, *rest = words
    if program == "neutron":
        from neutronclient import shell
    else:
        from openstackclient import shell
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            code = shell.main(rest)
        except SystemExit as end:
            code = end.code
        except Exception as error:  # noqa: BLE001
            code = 1
            print(error, file=err)
    return {"code": code or 0, "out": out.getvalue(), "err": err.getvalue()}


for line in sys.stdin:
    print(json.dumps(run(json.loads(line))), flush=True)
