#!/usr/bin/env bash
# Writes grafana_schema.json anew. Needs npm and the network; nothing is left behind.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp "$here"/{package.json,tsconfig.json,schema_types.ts} "$work"
cd "$work"
npm install --ignore-scripts --no-audit --no-fund --no-package-lock --loglevel=error
npx ts-json-schema-generator --path schema_types.ts --tsconfig tsconfig.json \
  --type GrafanaSchema --expose none --jsDoc none --no-type-check --out schema.json
# Sorted and narrow: a new version shows what it changes.
python3 -c 'import json, sys; json.dump(json.load(open("schema.json")), sys.stdout, indent=1, sort_keys=True)' \
  >"$here/grafana_schema.json"
echo >>"$here/grafana_schema.json"
cp node_modules/@grafana/schema/LICENSE_APACHE2 "$here/LICENSE_APACHE2"
