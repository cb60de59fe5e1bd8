#!/usr/bin/env python3
"""schema_check.py SCHEMA DIR: DIR/valid/*.yaml must fit the schema, DIR/invalid/*.yaml must not.

What only the parser can know (names, cycles, expressions) is in DIR/invalid-semantic, which must fit the schema.
Files that are no YAML at all, and those whose first line is '# yaml only', are left out. Prints what differs; exits 1.
"""
import json
import pathlib
import re
import sys

import jsonschema
import yaml


class CoreLoader(yaml.SafeLoader):
    """YAML 1.2's core schema, as the parser reads it."""


CoreLoader.yaml_implicit_resolvers = {}
for tag, pattern, first in [
    ("null", r"^(?:~|null|Null|NULL|)$", ["~", "n", "N", ""]),
    ("bool", r"^(?:true|True|TRUE|false|False|FALSE)$", list("tTfF")),
    ("int", r"^(?:[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+)$", list("-+0123456789")),
    ("float", r"^(?:[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$",
     list("-+0123456789.")),
    ("merge", r"^<<$", ["<"]),
]:
    CoreLoader.add_implicit_resolver("tag:yaml.org,2002:" + tag, re.compile(pattern), first)


def construct_int(loader, node):
    text = node.value
    if text.startswith("0o"):
        return int(text[2:], 8)
    return int(text, 16) if text.startswith("0x") else int(text)


CoreLoader.add_constructor("tag:yaml.org,2002:int", construct_int)


def differences(validator, folder, should_fit):
    for path in sorted(folder.glob("*.yaml")):
        text = path.read_text(encoding="utf-8")
        if text.startswith("# yaml only"):
            continue
        errors = sorted(validator.iter_errors(yaml.load(text, CoreLoader)), key=lambda e: list(map(str, e.path)))
        if should_fit and errors:
            best = jsonschema.exceptions.best_match(errors)
            yield f"{path}: refused by the schema at /{'/'.join(map(str, best.absolute_path))}: {best.message[:300]}"
        elif not should_fit and not errors:
            yield f"{path}: accepted by the schema, refused by the parser"


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    schema = json.loads(pathlib.Path(sys.argv[1]).read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    base = pathlib.Path(sys.argv[2])
    if not list(base.glob("valid/*.yaml")) or not list(base.glob("invalid/*.yaml")):
        sys.exit(f"{base}: no valid/*.yaml or no invalid/*.yaml there")
    found = []
    for folder, fits in (("valid", True), ("invalid-semantic", True), ("invalid", False)):
        found += differences(validator, base / folder, fits)
    print("\n".join(found) if found else "schema and parser agree")
    sys.exit(1 if found else 0)


main()
