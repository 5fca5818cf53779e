/** `rules.ts FOLDER COUNT`: one rule for each file; µs until the ruleset is built, and enforced. */
import { landlock, roFiles } from "../../../src/index.ts";

const [folder, count] = process.argv.slice(2);
const paths = Array.from({ length: Number(count) }, (_, i) => `${folder}/${i}`);

const begun = Bun.nanoseconds();
const ruleset = landlock.V3.ruleset(roFiles(...paths));
const built = Bun.nanoseconds();
ruleset.restrictSelf();
const enforced = Bun.nanoseconds();

console.log(JSON.stringify([(built - begun) / 1e3, (enforced - begun) / 1e3]));
