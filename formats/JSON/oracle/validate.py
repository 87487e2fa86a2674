"""Checks JSON models against the published schema, and that no key stands twice in an object.

Usage: python validate.py FILE_OR_FOLDER ...     Needs the package jsonschema. Exit code 1 when one fails.
"""

import json
import pathlib
import sys

import jsonschema

SCHEMA = pathlib.Path(__file__).resolve().parents[1] / "model.schema.json"


def unique(pairs):
    keys = [key for key, _ in pairs]
    if len(set(keys)) != len(keys):
        raise ValueError(f"a key stands twice among {keys}")
    return dict(pairs)


def no_constant(name):
    raise ValueError(f"{name} is not JSON")


def main():
    schema = json.loads(SCHEMA.read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    files = []
    for name in map(pathlib.Path, sys.argv[1:]):
        files += sorted(name.rglob("*.json")) if name.is_dir() else [name]
    failed = 0
    for file in files:
        try:
            text = file.read_bytes().decode("utf-8")
            document = json.loads(text, object_pairs_hook=unique, parse_constant=no_constant)
            problems = [f"{error.json_path}: {error.message[:200]}" for error in validator.iter_errors(document)]
        except ValueError as error:
            problems = [str(error)]
        if problems:
            failed += 1
            print(f"{file}: {problems[0]}")
    print(f"{len(files) - failed} of {len(files)} documents conform")
    sys.exit(1 if failed or not files else 0)


main()
